import assert from "node:assert/strict";
import { histogramQuantile, quantileBounds } from "./histogram.ts";

Deno.test("a quantile lies linearly within its bucket, as Prometheus has it", () => {
  const buckets = new Map([[0.1, 10], [0.5, 30], [1, 40], [Infinity, 40]]);
  assert.equal(histogramQuantile(0.5, buckets), 0.1 + 0.4 * (10 / 20));
  assert.equal(histogramQuantile(0.125, buckets), 0.05);
  assert.equal(histogramQuantile(1, buckets), 1);
});

Deno.test("beyond the highest finite bound it is that bound", () => {
  assert.equal(histogramQuantile(0.9, new Map([[1, 1], [Infinity, 10]])), 1);
});

Deno.test("nothing counted, no quantile; the order of buckets does not matter", () => {
  assert.equal(histogramQuantile(0.5, new Map()), undefined);
  assert.equal(histogramQuantile(0.5, new Map([[1, 0], [Infinity, 0]])), undefined);
  assert.equal(histogramQuantile(0.5, new Map([[Infinity, 4], [2, 4], [1, 0]])), 1.5);
});

Deno.test("all that is known of a quantile are the bounds of its bucket", () => {
  const buckets = new Map([[0.1, 10], [0.5, 30], [1, 40], [Infinity, 41]]);
  assert.deepEqual(quantileBounds(0.5, buckets), { low: 0.1, high: 0.5 });
  assert.deepEqual(quantileBounds(0.1, buckets), { low: 0, high: 0.1 });
  assert.deepEqual(quantileBounds(1, buckets), { low: 1, high: Infinity });
  assert.equal(quantileBounds(0.5, new Map([[1, 0], [Infinity, 0]])), undefined);
});
