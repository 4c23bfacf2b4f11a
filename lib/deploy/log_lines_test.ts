import assert from "node:assert/strict";
import { logPosition, timedLine } from "./log_lines.ts";
import { parseGrep, parseSince } from "./log_options.ts";

Deno.test("a log read again from the last second loses and repeats nothing", () => {
  const log = [
    "2026-01-01T00:00:00.1Z a",
    "2026-01-01T00:00:00.2Z b",
    "2026-01-01T00:00:00.2Z b",
    "2026-01-01T00:00:00.200000001Z c",
    "2026-01-01T01:00:01.5+01:00 d",
    "2026-01-01T00:00:01.5Z e",
    "2026-01-01T00:00:03Z f",
  ].map(timedLine);
  for (let cut = 0; cut <= log.length; cut++) {
    for (let second = cut; second <= log.length; second++) {
      const position = logPosition();
      const got = log.slice(0, cut).filter(position.take).map(({ text }) => text);
      for (const end of [second, log.length]) {
        position.rewind();
        const since = position.sinceTime ?? "0";
        const again = log.slice(0, end).filter(({ time }) =>
          since === "0" || Date.parse(time!) >= Date.parse(since)
        );
        got.push(...again.filter(position.take).map(({ text }) => text));
      }
      assert.equal(got.join(""), "abbcdef", `cut at ${cut} and ${second}`);
    }
  }
});

Deno.test("lines without a time are shown, and blank lines stay", () => {
  const position = logPosition();
  assert.equal(position.take(timedLine("plain")), true);
  assert.equal(position.sinceTime, undefined);
  assert.deepEqual(timedLine("2026-01-01T00:00:00Z "), {
    time: "2026-01-01T00:00:00Z",
    text: "",
  });
});

Deno.test("--since takes durations as kubectl and plain seconds", () => {
  const known = { "90s": 90, "10m": 600, "1h30m": 5400, "1.5h": 5400, "5": 5, "1ms": 1 };
  for (const [text, seconds] of Object.entries(known)) assert.equal(parseSince(text), seconds);
  for (const wrong of ["", "0", "0s", "-5", "ten", "5d", "1h 5m", "s", "1e3"]) {
    assert.throws(() => parseSince(wrong), /--since/, wrong);
  }
});

Deno.test("--grep refuses what is no regular expression", () => {
  assert.ok(parseGrep("a|b").test("cab"));
  assert.throws(() => parseGrep("("), /--grep is no regular expression/);
});
