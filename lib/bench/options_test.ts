import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { type BenchConfig, benchConfig, type BenchOptions } from "./options.ts";
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
const BAD: readonly [Omit<BenchOptions, "url">, RegExp][] = [
  [{ stages, rate: 1 }, /--stages and --rate/],
  [{ stages, durationMs: 1000 }, /--stages and --duration/],
  [{ burstiness: 2 }, /--burstiness says how .* there is no rate/],
  [{ arrival: "poisson" }, /--arrival says how .* there is no rate/],
  [{ rate: 1, arrival: "constant", burstiness: 2 }, /for --arrival gamma, not for constant/],
  [{ rate: 1, arrival: "gamma" }, /--arrival gamma needs --burstiness/],
  [{ rate: 1, burstiness: 0 }, /--burstiness is 0; it takes a number from 0\.01 to 1000/],
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
