/**
 * `bench --baseline` and `compare` as a user runs them, against mock servers of known delays.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Comparison } from "../../lib/bench/compare/comparison.ts";
import { startMock } from "../../lib/bench/mock.ts";
import { serveMock } from "../../lib/bench/mock_server.ts";
import type { Curve } from "../../lib/bench/search/curve.ts";
import { runCommand } from "../../lib/cli/main.ts";
import { type TestContext, testContext } from "../../lib/cli/testing.ts";
import { command as bench } from "../../tasks/bench.ts";
import { command as compare } from "../../tasks/compare.ts";
import { assertFits } from "../support/schemas.ts";

const LOAD = ["--concurrency", "8", "--requests", "240", "--output-tokens", "16"];
const QUICK = ["--no-calibration", "--output", "json"];

async function measured(test: TestContext, url: string, ...words: string[]) {
  const code = await runCommand(test.ctx, bench, ["--url", url, ...LOAD, ...QUICK, ...words]);
  const text = test.heard.data.splice(0).join("\n");
  const folder = test.heard.talk.splice(0).find((line) => line.startsWith("Results: "))?.slice(9);
  return { code, folder, json: text === "" ? undefined : JSON.parse(text) };
}

Deno.test("a run is compared with its baseline: the same, slower, another load, a summary only", async () => {
  await using test = await testContext();
  await using server = await startMock({ ttftMs: 40, itlMs: 5 });
  await using slow = await startMock({ ttftMs: 60, itlMs: 8 });
  const first = await measured(test, server.url);
  assert.equal(first.json.baseline, null);
  await assertFits("summary", first.json);
  const folder = first.folder!;

  const gate = ["--max-regression", "20%"];
  const same = await measured(test, server.url, "--baseline", folder, ...gate);
  const baseline: Comparison = same.json.baseline;
  await assertFits("summary", same.json);
  await assertFits("compare", baseline);
  assert.deepEqual([baseline.design, baseline.regressions], ["separate", []]);
  // Whether a busy machine makes a run invalid is not the question here.
  if (same.json.valid && first.json.valid) assert.equal(same.code, 0, JSON.stringify(baseline));

  const worse = await measured(test, slow.url, "--baseline", `${folder}/summary.json`, ...gate);
  assert.equal(worse.code, 1);
  assert.ok(worse.json.baseline.regressions.includes("tpot_p50"));
  const kept = JSON.parse(await Deno.readTextFile(`${worse.folder}/comparison.json`));
  assert.deepEqual(kept, worse.json.baseline);
  assert.match(
    await Deno.readTextFile(`${worse.folder}/report.html`),
    /REGRESSION above \+20\.0 %/,
  );

  const alone = `${test.ctx.home}/alone.json`;
  await Deno.copyFile(`${folder}/summary.json`, alone);
  const summary = await measured(test, slow.url, "--baseline", alone, ...gate);
  assert.equal(summary.code, 1);
  assert.equal(summary.json.baseline.design, "summary");

  const other = ["--baseline", folder, "--input-tokens", "300"];
  assert.equal(
    await runCommand(test.ctx, bench, ["--url", server.url, ...LOAD, ...QUICK, ...other]),
    2,
  );
  assert.match(
    test.heard.talk.splice(0).join("\n"),
    /measured something else: workload\.input_lengths: 128, then 300[^]*--any-baseline/,
  );
  const any = await measured(test, server.url, ...other, "--any-baseline");
  assert.match(any.json.baseline.warnings.join(), /input_lengths: 128, then 300/);
  for (
    const [words, pattern] of [
      [gate, /--max-regression needs --baseline/],
      [["--baseline", folder, "--sweep", "1,2"], /not for --sweep/],
      [["--baseline", "/nowhere"], /Cannot compare \/nowhere/],
    ] as const
  ) {
    assert.equal(await runCommand(test.ctx, bench, ["--url", server.url, ...words]), 2);
    assert.match(test.heard.talk.splice(0).join("\n"), pattern);
  }
});

Deno.test("compare sends the key to URLs, and leaves a folder with a report", async () => {
  await using test = await testContext({ env: { OPENAI_API_KEY: "sk-compare-1" } });
  const keys = new Set<string>();
  const mock = serveMock(test.ctx, { ttftMs: 2, itlMs: 0 });
  const proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    keys.add(request.headers.get("authorization") ?? "none");
    const { pathname } = new URL(request.url);
    return fetch(`http://127.0.0.1:${mock.port}${pathname}`, {
      method: request.method,
      headers: { "content-type": "application/json" },
      body: request.body,
    });
  });
  try {
    const url = `http://127.0.0.1:${proxy.addr.port}`;
    const words = [url, url, "--pairs", "2", "--requests", "40", "--output-tokens", "4", ...QUICK];
    await runCommand(test.ctx, compare, words);
    assert.deepEqual([...keys], ["Bearer sk-compare-1"]);
    const comparison: Comparison = JSON.parse(test.heard.data.join("\n"));
    await assertFits("compare", comparison);
    assert.equal(comparison.design, "interleaved");
    const folder = test.heard.talk.find((line) => line.startsWith("Results: "))!.slice(9);
    assert.match(await Deno.readTextFile(`${folder}/report.html`), /<svg/);
    assert.doesNotMatch(JSON.stringify(comparison), /sk-compare/);
  } finally {
    await proxy.shutdown();
    await mock.close();
  }
});

Deno.test("several loads, and a run with service levels, keep to their schemas", async () => {
  await using test = await testContext();
  await using server = await startMock({ ttftMs: 5, itlMs: 1 });
  const short = ["--url", server.url, "--output-tokens", "8", "--requests", "40", ...QUICK];
  const slo = ["--slo", "ttft=1s"];
  const data = async (...words: string[]) => {
    await runCommand(test.ctx, bench, [...short, ...words]);
    return JSON.parse(test.heard.data.splice(0).join("\n"));
  };
  for (const words of [[], slo]) {
    const curve: Curve = await data("--sweep", "1,2", ...words);
    await assertFits("bench-curve", curve);
    assert.deepEqual(curve.points.map(({ load }) => load), [1, 2]);
    await assertFits("summary", curve.points[0]!.summary);
  }
  const run = await data(...slo);
  await assertFits("summary", run);
  assert.equal(run.goodput.attainment.scheduled, 40);
});
