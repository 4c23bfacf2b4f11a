import assert from "node:assert/strict";
import { seededRandom } from "./random.ts";
import { dueTimes, type Load } from "./schedule.ts";

function times(load: Load, seed: number, count: number): number[] {
  return dueTimes(load, seed).take(count).toArray();
}

Deno.test("a constant rate has no drift", () => {
  const due = times({ kind: "constant", rate: 3, maxInFlight: 1 }, 1, 30_001);
  assert.equal(due[0], 0);
  assert.ok(Math.abs(due[30_000]! - 1e7) < 1e-6);
});

Deno.test("a Poisson process has exponential gaps and is the same for the same seed", () => {
  const load: Load = { kind: "poisson", rate: 50, maxInFlight: 1 };
  const due = times(load, 7, 50_000);
  assert.deepEqual(times(load, 7, 100), due.slice(0, 100));
  assert.notDeepEqual(times(load, 8, 100), due.slice(0, 100));
  const gaps = due.map((at, i) => at - (due[i - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  assert.ok(Math.abs(mean - 20) < 0.4, `mean ${mean}`);
  assert.ok(Math.abs(deviation / mean - 1) < 0.03, `coefficient of variation ${deviation / mean}`);
  const beyond = gaps.filter((gap) => gap > 60).length / gaps.length;
  assert.ok(Math.abs(beyond - Math.exp(-3)) < 0.005, `share beyond three means ${beyond}`);
});

Deno.test("random numbers are even, independent between streams, and fixed for a seed", () => {
  const random = seededRandom(42, 1);
  const cells = new Array(64).fill(0);
  for (let i = 0; i < 64_000; i++) cells[Math.floor(random() * 64)]++;
  const chi = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  // 63 degrees of freedom: outside of these once in a thousand seeds, and the seed is fixed.
  assert.ok(chi > 30 && chi < 110, `chi-squared ${chi}`);
  const first = Array.from({ length: 1000 }, (_, stream) => seededRandom(42, stream)());
  assert.equal(new Set(first).size, 1000);
  const a = seededRandom(5, 1), b = seededRandom(5, 2);
  let product = 0;
  for (let i = 0; i < 20_000; i++) product += (a() - 0.5) * (b() - 0.5);
  assert.ok(Math.abs(product / 20_000) < 0.003);
  // A change of the generator would make recorded seeds worthless.
  const known = seededRandom(1, 2);
  assert.deepEqual([known(), known(), known()].map((x) => Math.floor(x * 2 ** 32)), KNOWN);
});

const KNOWN = [3_349_413_988, 2_196_064_845, 3_746_505_668];
