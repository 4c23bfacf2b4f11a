import assert from "node:assert/strict";
import { junitXml } from "./junit.ts";

Deno.test("JUnit XML counts, escapes, and carries the request of a failure", () => {
  const xml = junitXml("a & b", [
    { id: "x", title: "X", outcome: "passed", ms: 1500, detail: "fine" },
    { id: "y", title: "Y", outcome: "skipped", ms: 0, detail: 'no "y"' },
    { id: "z", title: "Z", outcome: "failed", ms: 2, detail: "<b>\u0007", curl: "curl 'a&b'" },
  ]);
  assert.match(xml, /<testsuites tests="3" failures="1" errors="0" skipped="1" time="1.502">/);
  assert.match(xml, /<testsuite name="a &amp; b"/);
  assert.match(xml, /<skipped message="no &quot;y&quot;"\/>/);
  assert.match(xml, /<failure message="&lt;b&gt;\ufffd">curl 'a&amp;b'<\/failure>/);
});
