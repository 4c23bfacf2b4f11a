// The vectors are scipy's, made by the script beside them.
import assert from "node:assert/strict";
import vectors from "../../../tests/fixtures/statistics/vectors.json" with { type: "json" };
import { type Effect, pairedEffect, significant, unpairedEffect } from "./effect.ts";
import { studentCdf, studentQuantile, wilsonInterval } from "./student.ts";

function close(actual: number, expected: number, what: string): void {
  const error = Math.abs(actual - expected) / Math.max(1e-9, Math.abs(expected));
  assert.ok(error < 1e-9, `${what}: ${actual}, scipy has ${expected}`);
}

Deno.test("Student's distribution is scipy's", () => {
  for (const [t, df, p] of vectors.cdf) close(studentCdf(t!, df!), p!, `cdf(${t}, ${df})`);
  for (const [p, df, t] of vectors.quantile) {
    close(studentQuantile(p!, df!), t!, `quantile(${p}, ${df})`);
  }
});

Deno.test("Wilson's interval is scipy's", () => {
  for (const [good, all, low, high] of vectors.wilson) {
    const interval = wilsonInterval(good!, all!);
    assert.ok(Math.abs(interval.low - low!) < 1e-12, `${good} of ${all}: ${interval.low}`);
    assert.ok(Math.abs(interval.high - high!) < 1e-12, `${good} of ${all}: ${interval.high}`);
  }
});

Deno.test("effects are scipy's paired and Welch's tests on logarithms", () => {
  const check = (effect: Effect | undefined, expected: typeof vectors.paired) => {
    assert.ok(effect !== undefined);
    close(effect.change, expected.change, "change");
    close(effect.low, expected.low, "low");
    close(effect.high, expected.high, "high");
    close(effect.p, expected.p, "p");
  };
  check(pairedEffect(vectors.paired.a, vectors.paired.b), vectors.paired);
  check(unpairedEffect(vectors.welch.a, vectors.welch.b), vectors.welch);
});

Deno.test("no effect without blocks or with values that have no ratio", () => {
  assert.equal(pairedEffect([1], [2]), undefined);
  assert.equal(pairedEffect([1, 0], [2, 3]), undefined);
  assert.equal(unpairedEffect([1, 2], [3]), undefined);
  assert.deepEqual(pairedEffect([2, 4], [2, 4])?.p, 1);
});

Deno.test("Holm's correction stops at the first that is not significant", () => {
  assert.deepEqual(significant([0.04, 0.01, 0.03]), [false, true, false]);
  assert.deepEqual(significant([0.01, 0.02, 0.049]), [true, true, true]);
  assert.deepEqual(significant([0.02, 0.02]), [true, true]);
});
