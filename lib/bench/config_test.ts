import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { benchConfig } from "./config.ts";
import type { BenchConfig, BenchOptions } from "./options.ts";
import { parseDataset } from "./dataset.ts";
import { parseTrace } from "./trace.ts";
import { parseStages } from "./stages.ts";

function config(options: Omit<BenchOptions, "url">): BenchConfig {
  const clock = { now: () => 5, monotonic: () => 5, sleep: () => Promise.resolve() };
  return benchConfig({ clock }, { url: "http://127.0.0.1:1", ...options });
}

Deno.test("stages say rate and duration, and the concurrency bounds what is in flight", () => {
  const stages = parseStages("10s@5,20s@5-50");
  const { load, requests, durationMs } = config({ stages, burstiness: 0.5, concurrency: 40 });
  assert.deepEqual(load, {
    kind: "stages",
    rate: 50,
    stages,
    arrival: "gamma",
    burstiness: 0.5,
    maxInFlight: 40,
  });
  assert.equal(durationMs, 30_000);
  assert.equal(requests, undefined);
  assert.equal(config({ stages, requests: 7 }).requests, 7);
});

Deno.test("spacing: Poisson unless said otherwise, gamma where there is a burstiness", () => {
  assert.equal(config({ rate: 2 }).load.kind, "poisson");
  assert.equal(config({ rate: 2, arrival: "constant" }).load.kind, "constant");
  assert.equal(config({ rate: 2, burstiness: 3 }).load.kind, "gamma");
  assert.equal(config({}).load.kind, "concurrency");
});

const stages = parseStages("1s@1");
const trace = parseTrace('{"timestamp":9,"input_length":10,"output_length":4}', "f");
const dataset = parseDataset('{"prompt":"a"}', "f");

Deno.test("a trace says when and how much", () => {
  const long = parseTrace(
    [0, 500, 2000].map((at) => `{"timestamp":${at},"input_length":10,"output_length":4}`).join(
      "\n",
    ),
    "f",
  );
  const { load, requests, inputTokens, outputTokens, source } = config({
    trace: long,
    traceSpeed: 2,
    concurrency: 9,
  });
  assert.deepEqual(load, { kind: "trace", rate: 3, times: [0, 250, 1000], maxInFlight: 9 });
  assert.deepEqual([requests, inputTokens, outputTokens], [3, 10, 4]);
  assert.deepEqual(source, { kind: "trace", path: "f", count: 3, speed: 2 });
  assert.equal(config({ trace: long, requests: 2 }).requests, 2);
});
const BAD: readonly [Omit<BenchOptions, "url">, RegExp][] = [
  [{ stages, rate: 1 }, /--stages and --rate/],
  [{ stages, durationMs: 1000 }, /--stages and --duration/],
  [{ burstiness: 2 }, /--burstiness says how .* there is no rate/],
  [{ arrival: "poisson" }, /--arrival says how .* there is no rate/],
  [{ rate: 1, arrival: "constant", burstiness: 2 }, /for --arrival gamma, not for constant/],
  [{ rate: 1, arrival: "gamma" }, /--arrival gamma needs --burstiness/],
  [{ rate: 1, burstiness: 0 }, /--burstiness is 0; it takes a number from 0\.01 to 1000/],
  [{ trace, rate: 1 }, /--rate and --trace: the trace says when/],
  [{ trace, inputTokens: 1 }, /--input-tokens and --trace: the trace says what/],
  [{ trace, dataset }, /--dataset and --trace/],
  [{ dataset, prefixTokens: 1 }, /--prefix-tokens and --dataset: the file says/],
  [{ traceSpeed: 2 }, /--trace-speed needs --trace/],
  [{ prefixPool: 2 }, /--prefix-pool is the number of shared beginnings/],
  [{ turns: 0 }, /--turns is 0/],
  [{ rate: 1, graceMs: -1 }, /--grace is -1/],
];

Deno.test("flags that contradict each other are refused", () => {
  for (const [options, pattern] of BAD) {
    assert.throws(() => config(options), (error) => {
      assert.ok(error instanceof TaskError && error.exitCode === 2);
      assert.match(error.message, pattern);
      return true;
    });
  }
});
