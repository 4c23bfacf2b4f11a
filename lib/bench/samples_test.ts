import assert from "node:assert/strict";
import vectors from "../../tests/fixtures/statistics/vectors.json" with { type: "json" };
import { seededRandom } from "./random.ts";
import { Samples, samplesOf } from "./samples.ts";

const near = (actual: number, expected: number, share: number) =>
  assert.ok(
    Math.abs(actual - expected) <= share * Math.abs(expected),
    `${actual} is not ${expected}`,
  );

Deno.test("percentiles are numpy's", () => {
  for (const { values, expected } of vectors.samples) {
    const found = samplesOf(values).distribution()!;
    assert.equal(found.count, expected.count);
    for (const [name, value] of Object.entries(expected)) {
      near(found[name as keyof typeof found], value, 1e-12);
    }
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
