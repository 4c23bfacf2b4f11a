/**
 * How requests of a rate are spaced: gaps with a mean of one, to be scaled by the rate.
 *
 * @module
 */
import type { Random } from "./random.ts";

/**
 * - `constant`: all gaps are the same;
 * - `poisson`: independent arrivals, exponential gaps;
 * - `gamma`: gamma-distributed gaps, whose shape is the burstiness (as in vLLM's bench).
 */
export type Arrival = "constant" | "poisson" | "gamma";

/** The spacing of requests. */
export interface Spacing {
  /** Which distribution. */
  readonly arrival: Arrival;
  /**
   * Shape of `gamma`: the coefficient of variation of the gaps is 1/√shape. Below 1 requests come
   * in bursts, 1 is `poisson`, above 1 they come more evenly. Unused by the others.
   */
  readonly burstiness?: number | undefined;
}

/** A source of gaps with a mean of one. */
export function unitGaps(spacing: Spacing, random: Random): () => number {
  if (spacing.arrival === "constant") return () => 1;
  if (spacing.arrival === "poisson") return () => exponential(random);
  const shape = spacing.burstiness ?? 1;
  return () => gamma(shape, random) / shape;
}

// 1 − u is never 0.
function exponential(random: Random): number {
  return -Math.log(1 - random());
}

/**
 * A gamma-distributed number of this shape and scale 1: Marsaglia and Tsang, "A simple method for
 * generating gamma variables" (2000), with their power of a uniform number for shapes below 1.
 */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3, c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < x * x / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A normally distributed number, by Box and Muller; one of their pair is enough. */
export function normal(random: Random): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
}
