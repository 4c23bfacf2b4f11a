import assert from "node:assert/strict";
import { unitGaps } from "./arrivals.ts";
import { seededRandom } from "./random.ts";

// scipy 1.17.1: scipy.stats.gamma.ppf(SHARES, shape, scale=1/shape); shape 1 is the exponential
// distribution.
const SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
const QUANTILES: readonly (readonly [number, readonly number[]])[] = [
  [0.25, [
    2.699879172e-8,
    1.687430168e-5,
    0.0002700024954,
    0.01056870842,
    0.1746952094,
    1.042504008,
    3.001571489,
    4.84046455,
    9.735541689,
  ]],
  [0.5, [
    0.0001570878579,
    0.00393214,
    0.01579077409,
    0.1015310443,
    0.4549364231,
    1.323303697,
    2.705543454,
    3.841458821,
    6.634896601,
  ]],
  [1, [
    0.01005033585,
    0.05129329439,
    0.1053605157,
    0.2876820725,
    0.6931471806,
    1.386294361,
    2.302585093,
    2.995732274,
    4.605170186,
  ]],
  [4, [
    0.2058121716,
    0.3415795992,
    0.4361923907,
    0.633830053,
    0.9180151872,
    1.277356871,
    1.670195767,
    1.938414132,
    2.511279379,
  ]],
  [25, [
    0.594133654,
    0.6952850337,
    0.7537729679,
    0.8588416762,
    0.9866987347,
    1.126672098,
    1.26334242,
    1.350096131,
    1.523077825,
  ]],
];
const COUNT = 100_000;
// Kolmogorov's bound: a right generator is beyond it for one seed in a thousand.
const KS_LIMIT = 1.95 / Math.sqrt(COUNT);

for (const [shape, quantiles] of QUANTILES) {
  Deno.test(`gaps of burstiness ${shape} have scipy's distribution, a mean of 1 and a CV of 1/√shape`, () => {
    const next = unitGaps({ arrival: "gamma", burstiness: shape }, seededRandom(11, 1));
    checkDistribution(Array.from({ length: COUNT }, next), shape, quantiles);
  });
}

Deno.test("Poisson gaps have the exponential distribution of scipy", () => {
  const next = unitGaps({ arrival: "poisson" }, seededRandom(11, 1));
  checkDistribution(Array.from({ length: COUNT }, next), 1, QUANTILES[2]![1]);
});

Deno.test("the check tells distributions apart", () => {
  const next = unitGaps({ arrival: "gamma", burstiness: 1.05 }, seededRandom(11, 1));
  assert.throws(
    () => checkDistribution(Array.from({ length: COUNT }, next), 1, QUANTILES[2]![1]),
    /beyond Kolmogorov/,
  );
});

Deno.test("constant gaps are one", () => {
  const next = unitGaps({ arrival: "constant" }, seededRandom(11, 1));
  assert.deepEqual([next(), next()], [1, 1]);
});

Deno.test("gamma gaps of a seed never change", () => {
  // A change would make recorded seeds worthless.
  const next = unitGaps({ arrival: "gamma", burstiness: 0.5 }, seededRandom(1, 1));
  assert.deepEqual([next(), next(), next()], KNOWN);
});

const KNOWN = [1.176302042849072, 0.005596853811171771, 7.706413077305167];

function checkDistribution(
  gaps: readonly number[],
  shape: number,
  quantiles: readonly number[],
): void {
  const distance = Math.max(
    ...quantiles.map((quantile, i) =>
      Math.abs(gaps.filter((gap) => gap <= quantile).length / gaps.length - SHARES[i]!)
    ),
  );
  assert.ok(distance < KS_LIMIT, `${distance} is beyond Kolmogorov's bound ${KS_LIMIT}`);
  const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  // Four standard errors of the mean; the error of the CV grows with the fourth moment.
  assert.ok(Math.abs(mean - 1) < 4 / Math.sqrt(shape * COUNT), `mean ${mean}`);
  const cv = Math.sqrt(variance) * Math.sqrt(shape);
  assert.ok(Math.abs(cv - 1) < 4 * Math.sqrt((2 + 6 / shape) / 4 / COUNT) + 0.001, `CV ${cv}`);
}
