/**
 * Quantiles of Prometheus histograms.
 *
 * @module
 */

/** Counts by upper bound; each count includes those of smaller bounds. */
export type Buckets = ReadonlyMap<number, number>;

/**
 * The quantile as Prometheus's `histogram_quantile` estimates it: linear within its bucket, whose
 * lower bound is 0 for the first one; the highest finite bound when it lies beyond that.
 * Undefined when nothing was counted.
 */
export function histogramQuantile(quantile: number, buckets: Buckets): number | undefined {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const rank = quantile * total;
  let lower = 0;
  let below = 0;
  for (const [bound, count] of sorted) {
    if (count >= rank) {
      if (bound === Infinity) return lower;
      if (bound <= 0 || count === below) return bound;
      return lower + (bound - lower) * ((rank - below) / (count - below));
    }
    lower = bound;
    below = count;
  }
  return lower;
}
