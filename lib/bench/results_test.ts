import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import { startMock } from "./mock.ts";
import { openResults } from "./results.ts";
import { summaryToText } from "./summary_text.ts";

Deno.test("a run's folder holds configuration, requests and summary", async () => {
  await using test = await testContext();
  await using server = await startMock({
    ttftMs: 5,
    itlMs: 1,
    faults: [{ kind: "close-midway", every: 20 }],
  });
  const { ctx } = test;
  const writer = await openResults(ctx, `${ctx.home}/bench/one`);
  const summary = await runBench(ctx, {
    url: server.url,
    apiKey: "sk-very-secret",
    concurrency: 4,
    requests: 300,
    outputTokens: 20,
    warmup: 0,
    onRequests: writer.onRequests,
  });
  const files = await writer.finish(summary);
  const all = await Promise.all(
    [files.config, files.requests, files.summary].map((path) => Deno.readTextFile(path)),
  );
  assert.deepEqual(JSON.parse(all[2]!), JSON.parse(JSON.stringify(summary)));
  assert.deepEqual(JSON.parse(all[0]!), summary.config);
  assert.ok(!all.join("").includes("sk-very-secret"));
  const requests = all[1]!.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(requests.length, 300);
  assert.deepEqual(
    requests.map((request) => request.index).sort((a, b) => a - b),
    Array.from({ length: 300 }, (_, i) => i),
  );
  assert.equal(requests.filter((request) => request.failure === "reset").length, 15);
  for (const request of requests) {
    assert.ok(request.scheduled_ms <= request.sent_ms && request.sent_ms < request.first_ms);
    assert.ok(request.first_ms <= request.last_ms && request.last_ms <= request.ended_ms);
    if (request.failure === undefined) {
      assert.deepEqual([request.events, request.output_tokens, request.status], [20, 20, 200]);
    }
  }
  // The summary can be computed again from the requests.
  const ttft = requests.filter((request) => request.failure === undefined)
    .map((request) => request.first_ms - request.scheduled_ms).sort((a, b) => a - b);
  assert.ok(Math.abs(ttft[142]! - summary.ttft_ms!.p50) < 0.01);
  if (Deno.build.os !== "windows") {
    assert.equal((await Deno.stat(files.requests)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(files.folder)).mode! & 0o777, 0o700);
  }
});

Deno.test("a folder that cannot be written is an error before anything is measured", async () => {
  await using test = await testContext();
  await Deno.mkdir(test.ctx.home, { recursive: true });
  await Deno.writeTextFile(`${test.ctx.home}/bench`, "a file");
  await assert.rejects(
    openResults(test.ctx, `${test.ctx.home}/bench/one`),
    (error) =>
      error instanceof TaskError && error.code === "BENCH_RESULTS" &&
      /Cannot write .*requests.jsonl/.test(error.message),
  );
});

Deno.test("the text fits the terminal and says what is wrong", async () => {
  await using test = await testContext();
  await using server = await startMock({
    ttftMs: 5,
    itlMs: 1,
    faults: [{ kind: "status", every: 5, status: 503 }],
  });
  const summary = await runBench(test.ctx, {
    url: server.url,
    concurrency: 2,
    requests: 20,
    outputTokens: 20,
  });
  for (const width of [60, 80, 100, 160]) {
    const text = summaryToText(summary, width);
    for (const line of text.split("\n")) assert.ok([...line].length <= width, `${width}: ${line}`);
    assert.match(text, /^TTFT +/m);
    assert.match(text, /^TPOT \(ITL\) +/m);
    assert.match(text, /^Failed +4 × http_503: injected$/m);
    assert.match(text, /^INVALID:/m);
    assert.match(text, /too_few_requests/);
  }
  assert.match(summaryToText(summary, 100), /^milliseconds +mean +min +p50 +p90 +p95 +p99 +max$/m);
  assert.match(summaryToText(summary, 60), /^milliseconds +p50 +p90 +p99 +max$/m);
});
