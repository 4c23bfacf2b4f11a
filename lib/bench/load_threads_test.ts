import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import { threadsFor } from "./load_threads.ts";
import { startMock } from "./mock.ts";
import type { BenchOptions } from "./options.ts";
import { newRecord, type RequestRecord } from "./record.ts";
import { packRecords, unpackRecords } from "./record_batch.ts";
import { Recorder } from "./recorder.ts";
import { countIn } from "./run_state.ts";
import { dueTimes } from "./schedule.ts";
import { timeIs, timely } from "./testing.ts";

const OPTIONS = { start: 0, phase: "run", requests: undefined, durationMs: undefined } as const;

function someRecord(i: number): RequestRecord {
  const scheduled = i * 7.25;
  const record = Object.assign(newRecord(i, i % 5, scheduled), {
    sent: scheduled + 0.1 * (i % 3),
    first: scheduled + 20 + (i * 37) % 101,
    last: scheduled + 200 + (i * 53) % 307,
    ended: scheduled + 201 + (i * 53) % 307,
    events: 10,
    inputTokens: 100 + i % 7,
    outputTokens: 10 + i % 4,
    cachedTokens: i % 2 === 0 ? 3 : NaN,
  });
  if (i % 11 === 4) Object.assign(record, { failure: "http_503", message: `busy ${i}` });
  return record;
}

function recorded(indices: readonly number[]): Recorder {
  const recorder = new Recorder(OPTIONS);
  for (const i of indices) {
    const record = someRecord(i);
    recorder.onInFlight(record.scheduled, 1);
    recorder.onOutput(record.first, NaN);
    recorder.onOutput(record.last, record.last - record.first);
    recorder.onInFlight(record.ended, -1);
    recorder.onRecord(record);
  }
  return recorder;
}

Deno.test("what threads recorded is, put together, what one would have recorded", () => {
  const all = Array.from({ length: 30_000 }, (_, i) => i);
  const one = recorded(all);
  const sum = new Recorder(OPTIONS);
  for (const part of [2, 0, 1]) sum.addAll(recorded(all.filter((i) => i % 3 === part)).data());
  for (const name of ["ttft", "tpot", "icl", "e2e", "sendLag", "outputTokens"] as const) {
    const { mean, ...exact } = sum[name].distribution()!;
    const { mean: expected, ...whole } = one[name].distribution()!;
    assert.deepEqual(exact, whole, name);
    assert.ok(Math.abs(mean - expected) < 1e-9 * expected);
  }
  assert.deepEqual(sum.failures, one.failures);
  assert.deepEqual(
    [sum.completed, sum.failed, sum.cachedTokens, sum.firstDue, sum.lastDue, sum.lastEnd],
    [one.completed, one.failed, one.cachedTokens, one.firstDue, one.lastDue, one.lastEnd],
  );
  const [bins, expected] = [sum.timeline.bins(), one.timeline.bins()];
  assert.equal(bins.length, expected.length);
  bins.forEach((bin, i) => {
    assert.equal(bin.events, expected[i]!.events);
    assert.ok(Math.abs(bin.inFlight - expected[i]!.inFlight) < 1e-6);
  });
});

Deno.test("requests keep all they hold on their way between threads", () => {
  const records = Array.from({ length: 30 }, (_, i) => someRecord(i));
  records[3]!.resent = true;
  assert.deepEqual(unpackRecords(packRecords(records)), records);
});

Deno.test("shares add up, and only much load takes threads", () => {
  for (const count of [0, 1, 2, 7, 64]) {
    const shares = [0, 1, 2].map((part) => countIn({ part, of: 3 }, count));
    assert.equal(shares.reduce((a, b) => a + b), count);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
  }
  const load = { events: 64, lanes: 512, cores: 8 };
  assert.equal(threadsFor({ ...load, requestsPerSecond: 100 }), 0);
  assert.equal(threadsFor({ ...load, requestsPerSecond: 1000 }), 2);
  assert.equal(threadsFor({ ...load, requestsPerSecond: 50_000 }), 7);
  assert.equal(threadsFor({ ...load, requestsPerSecond: 50_000, lanes: 3 }), 3);
  assert.equal(threadsFor({ ...load, requestsPerSecond: 50_000, cores: 2 }), 1);
  assert.equal(threadsFor({ ...load, requestsPerSecond: 50_000, cores: 1 }), 1);
});

async function bench(options: Partial<BenchOptions>) {
  await using test = await testContext();
  await using server = await startMock({ ttftMs: 5, itlMs: 1, cache: true });
  const records: RequestRecord[] = [];
  const summary = await runBench(test.ctx, {
    url: server.url,
    outputTokens: 8,
    seed: 5,
    onRequests: (some) => records.push(...some),
    ...options,
  });
  return {
    summary,
    records: records.sort((a, b) => a.index - b.index),
    stats: await server.stats(),
  };
}

Deno.test("threads send the same requests at the same times as one", async () => {
  const options = {
    rate: 200,
    requests: 90,
    prefixTokens: 30,
    prefixPool: 3,
    inputTokens: 60,
    warmup: 0,
  };
  const one = await bench({ ...options, threads: 0 });
  const two = await bench({ ...options, threads: 2 });
  assert.deepEqual(two.summary.requests, one.summary.requests);
  assert.deepEqual(two.summary.prefix_sharing.planned, one.summary.prefix_sharing.planned);
  assert.deepEqual(two.summary.input_tokens, one.summary.input_tokens);
  assert.deepEqual([...two.stats.prompts].sort(), [...one.stats.prompts].sort());
  const times = dueTimes({ kind: "poisson", rate: 200, maxInFlight: 2048 }, 5);
  two.records.forEach((record, i) => {
    assert.equal(record.index, i);
    assert.ok(Math.abs(record.scheduled - times.next().value!) < 0.01);
  });
});

Deno.test("threads share the lanes of a closed loop", async () => {
  const { summary, records, stats } = await bench({ concurrency: 5, requests: 101, threads: 2 });
  assert.deepEqual(summary.requests, { scheduled: 101, completed: 101, failed: 0, resent: 0 });
  assert.deepEqual(records.map((record) => record.index), Array.from({ length: 101 }, (_, i) => i));
  assert.deepEqual([...new Set(records.map((record) => record.lane))].sort(), [0, 1, 2, 3, 4]);
  assert.ok(stats.maxInFlight <= 5);
});

Deno.test("a load in a thread of its own is not held up by the one that asks", () =>
  timely(async () => {
    let busy = false;
    const { summary } = await bench({
      concurrency: 4,
      requests: 200,
      ownThread: true,
      onProgress({ phase, done }) {
        if (phase !== "run" || done === 0 || busy) return;
        busy = true;
        for (const end = performance.now() + 400; performance.now() < end;);
      },
    });
    assert.ok(busy);
    assert.equal(summary.requests.completed, 200);
    const lag = summary.client.loop_lag_ms!.max;
    timeIs(lag < 200, `late by ${lag} ms`);
  }));

Deno.test("threads stop when the run is interrupted", async () => {
  const stop = new AbortController();
  await using test = await testContext({ signal: stop.signal });
  await using server = await startMock({ ttftMs: 50, itlMs: 10 });
  const run = runBench(test.ctx, {
    url: server.url,
    concurrency: 4,
    durationMs: 60_000,
    threads: 2,
    onProgress: ({ phase }) => phase === "run" && stop.abort(),
  });
  await assert.rejects(run, (error) => error instanceof TaskError && error.code === "INTERRUPTED");
});
