/**
 * How much larger one side of a comparison is, with a confidence interval. Blocks are the unit:
 * requests of one run are not independent of each other.
 *
 * @module
 */
import { studentCdf, studentQuantile } from "./student.ts";

/** Relative difference of B to A: 0.05 means that B is 5 % larger. */
export interface Effect {
  /** Best estimate: geometric mean of the blocks' ratios, less one. */
  readonly change: number;
  /** Lower end of the confidence interval. */
  readonly low: number;
  /** Upper end of the confidence interval. */
  readonly high: number;
  /** Probability of a difference as large as this one where there is none. */
  readonly p: number;
  /** Pairs of blocks, or blocks of the smaller side that has more than one. */
  readonly blocks: number;
  /** Standard error of the logarithm of the ratio. */
  readonly standard_error: number;
  /** Degrees of freedom of its t distribution. */
  readonly degrees_of_freedom: number;
}

/** Share of repetitions in which the interval holds the true difference. */
export const CONFIDENCE = 0.95;

/**
 * The effect of paired blocks: `a[i]` and `b[i]` ran next to each other. Undefined with fewer than
 * two pairs, or values that are not positive.
 */
export function pairedEffect(
  a: readonly number[],
  b: readonly number[],
  confidence = CONFIDENCE,
): Effect | undefined {
  const n = Math.min(a.length, b.length);
  const logs = Array.from({ length: n }, (_, i) => Math.log(b[i]! / a[i]!));
  if (n < 2 || !logs.every(Number.isFinite)) return undefined;
  const { mean, variance } = moments(logs);
  return effectOf(mean, Math.sqrt(variance / n), n - 1, n, confidence);
}

/**
 * The effect between blocks of two runs that were not interleaved (Welch's test). A drift of the
 * machine between the runs counts as a difference here; paired blocks do not have that weakness.
 */
export function unpairedEffect(
  a: readonly number[],
  b: readonly number[],
  confidence = CONFIDENCE,
): Effect | undefined {
  const [la, lb] = [a.map(Math.log), b.map(Math.log)];
  if (la.length < 2 || lb.length < 2 || ![...la, ...lb].every(Number.isFinite)) return undefined;
  const [ma, mb] = [moments(la), moments(lb)];
  const [va, vb] = [ma.variance / la.length, mb.variance / lb.length];
  const error = Math.sqrt(va + vb);
  // Welch and Satterthwaite's degrees of freedom.
  const df = error === 0
    ? la.length + lb.length - 2
    : (va + vb) ** 2 / (va ** 2 / (la.length - 1) + vb ** 2 / (lb.length - 1));
  return effectOf(mb.mean - ma.mean, error, df, Math.min(la.length, lb.length), confidence);
}

/**
 * The effect against one known value: a run of which nothing but its summary is left. Only B's own
 * spread is in the interval, which is too narrow by what A's would add.
 */
export function effectOnValue(
  a: readonly number[],
  b: readonly number[],
  confidence = CONFIDENCE,
): Effect | undefined {
  const [known, ...more] = a;
  if (known === undefined || more.length > 0) return undefined;
  return pairedEffect(b.map(() => known), b, confidence);
}

/**
 * Probability of an effect at least this large where B is larger than A by `limit` at most (for
 * measures of which less is better), or smaller by as much (1/(1 + limit)).
 */
export function chanceWithin(effect: Effect, better: "lower" | "higher", limit: number): number {
  const worsening = better === "lower" ? Math.log1p(effect.change) : -Math.log1p(effect.change);
  const beyond = worsening - Math.log1p(limit);
  if (effect.standard_error === 0) return beyond > 0 ? 0 : 1;
  return studentCdf(-beyond / effect.standard_error, effect.degrees_of_freedom);
}

/**
 * Holm's correction: which of several p-values are significant when one false alarm among all of
 * them may happen with probability `alpha`.
 */
export function significant(ps: readonly number[], alpha = 1 - CONFIDENCE): boolean[] {
  const order = ps.map((p, i) => ({ p, i })).sort((x, y) => x.p - y.p);
  const result = ps.map(() => false);
  for (const [rank, { p, i }] of order.entries()) {
    if (p > alpha / (ps.length - rank)) break;
    result[i] = true;
  }
  return result;
}

function effectOf(
  mean: number,
  error: number,
  df: number,
  blocks: number,
  confidence: number,
): Effect {
  const reach = studentQuantile(1 - (1 - confidence) / 2, df) * error;
  const p = error === 0 ? (mean === 0 ? 1 : 0) : 2 * studentCdf(-Math.abs(mean / error), df);
  return {
    change: Math.expm1(mean),
    low: Math.expm1(mean - reach),
    high: Math.expm1(mean + reach),
    p,
    blocks,
    standard_error: error,
    degrees_of_freedom: df,
  };
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}
