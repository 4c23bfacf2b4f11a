/**
 * Quantiles of Prometheus histograms.
 *
 * @module
 */

/** Counts by upper bound; each count includes those of smaller bounds. */
export type Buckets = ReadonlyMap<number, number>;

/** Two bounds of a bucket: the value is above `low` and not above `high`, which may be infinite. */
export interface BucketBounds {
  /** Lower bound. */
  readonly low: number;
  /** Upper bound. */
  readonly high: number;
}

interface Bucket extends BucketBounds {
  /** Values below it. */
  readonly below: number;
  /** Values below it and in it. */
  readonly count: number;
}

/**
 * The quantile as Prometheus's `histogram_quantile` estimates it: linear within its bucket, whose
 * lower bound is 0 for the first one; the highest finite bound when it lies beyond that.
 * Undefined when nothing was counted.
 */
export function histogramQuantile(quantile: number, buckets: Buckets): number | undefined {
  const found = bucketOf(quantile, buckets);
  if (found === undefined) return undefined;
  const { low, high, below, count } = found;
  if (high === Infinity) return low;
  if (high <= 0 || count === below) return high;
  return low + (high - low) * ((quantile * total(buckets) - below) / (count - below));
}

/**
 * The bucket that the quantile lies in: all that a histogram really tells of it. Undefined when
 * nothing was counted.
 */
export function quantileBounds(quantile: number, buckets: Buckets): BucketBounds | undefined {
  const found = bucketOf(quantile, buckets);
  return found && { low: found.low, high: found.high };
}

function bucketOf(quantile: number, buckets: Buckets): Bucket | undefined {
  const all = total(buckets);
  if (all <= 0) return undefined;
  let low = 0;
  let below = 0;
  for (const [high, count] of sorted(buckets)) {
    if (count >= quantile * all) return { low, high, below, count };
    low = high;
    below = count;
  }
  return undefined;
}

function total(buckets: Buckets): number {
  return sorted(buckets).at(-1)?.[1] ?? 0;
}

function sorted(buckets: Buckets): [number, number][] {
  return [...buckets].sort(([a], [b]) => a - b);
}
