import assert from "node:assert/strict";
import { seededRandom } from "./random.ts";
import { Samples, samplesOf } from "./samples.ts";

// deno-fmt-ignore
const LONG = [38.685, 35.363, 76.93, 70.093, 58.779, 28.465, 53.492, 88.829, 21.307, 39.633, 14.428,
  22.139, 15.041, 46.314, 22.484, 66.015, 60.93, 47.902, 9.377, 37.447, 52.776, 59.105, 18.707, 39.079,
  27.523, 30.995, 114.735, 31.023, 53.369, 101.4, 36.288, 50.492, 58.987, 57.091, 23.161, 57.587, 141.341];

// mean, p50, p90, p95, p99 as numpy 2 computes them (numpy.percentile, linear).
const VECTORS: [number[], number[]][] = [
  [[54.645], [54.645, 54.645, 54.645, 54.645, 54.645]],
  [[67.297, 45.065], [56.181, 56.181, 65.0738, 66.1854, 67.07468]],
  [[29.271, 39.715, 27.272, 56.946, 139.512], [58.5432, 39.715, 106.4856, 122.9988, 136.20936]],
  [LONG, [48.84627027027027, 46.314, 81.6896, 104.067, 131.76284]],
];

const near = (actual: number, expected: number, share: number) =>
  assert.ok(
    Math.abs(actual - expected) <= share * Math.abs(expected),
    `${actual} is not ${expected}`,
  );

Deno.test("percentiles are numpy's", () => {
  for (const [values, [mean, p50, p90, p95, p99]] of VECTORS) {
    const found = samplesOf(values).distribution()!;
    near(found.mean, mean!, 1e-12);
    near(found.p50, p50!, 1e-12);
    near(found.p90, p90!, 1e-12);
    near(found.p95, p95!, 1e-12);
    near(found.p99, p99!, 1e-12);
    assert.equal(found.min, Math.min(...values));
    assert.equal(found.max, Math.max(...values));
    assert.equal(found.count, values.length);
  }
  assert.equal(new Samples().distribution(), undefined);
});

Deno.test("values can be added after percentiles were asked for", () => {
  const samples = samplesOf([3, 1, 2]);
  assert.equal(samples.percentile(50), 2);
  samples.add(0);
  samples.add(10);
  assert.deepEqual([0, 25, 50, 75, 100].map((p) => samples.percentile(p)), [0, 1, 2, 3, 10]);
});

Deno.test("many values keep their percentiles within 0.1 %, and mean, least and most exactly", () => {
  const random = seededRandom(3, 0);
  const samples = new Samples();
  const values: number[] = [];
  for (let i = 0; i < 300_000; i++) {
    // From microseconds to minutes.
    const value = 10 ** (8 * random() - 3);
    values.push(value);
    samples.add(value);
  }
  assert.equal(samples.exact, false);
  values.sort((a, b) => a - b);
  for (const p of [1, 10, 50, 90, 99, 99.9]) {
    const rank = (p / 100) * (values.length - 1);
    near(samples.percentile(p)!, values[Math.round(rank)]!, 0.001);
  }
  const { min, max, mean } = samples.distribution()!;
  assert.equal(min, values[0]);
  assert.equal(max, values.at(-1));
  near(mean, values.reduce((sum, value) => sum + value) / values.length, 1e-9);
});

Deno.test("zeros and very large values survive the histogram; what is no number is left out", () => {
  const samples = new Samples();
  for (let i = 0; i < 300_000; i++) samples.add(i < 200_000 ? 0 : 1e12);
  samples.add(NaN);
  samples.add(Infinity);
  assert.equal(samples.count, 300_000);
  assert.equal(samples.percentile(50), 0);
  assert.equal(samples.percentile(100), 1e12);
});
