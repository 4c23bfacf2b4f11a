/**
 * How much the counters of a scrape grew since an earlier one. Pure.
 *
 * @module
 */
import type { Buckets } from "./histogram.ts";
import type { Metrics, Sample } from "./prometheus.ts";

/** One series of the later scrape. */
export interface Growth {
  /** The sample as it is now. */
  readonly sample: Sample;
  /** By how much it grew. */
  readonly grown: number;
}

/**
 * How much each series grew between two scrapes of one process. A series that is new counts from
 * zero, and so does one that fell: its process was started again.
 */
export function growthOf(before: Metrics | undefined, after: Metrics): Growth[] {
  const earlier = new Map(
    before?.samples.map((sample) => [seriesKey(sample), sample.value] as const),
  );
  return after.samples.map((sample) => {
    const old = earlier.get(seriesKey(sample)) ?? 0;
    return { sample, grown: sample.value < old ? sample.value : sample.value - old };
  });
}

/** Growth of the buckets of a histogram, summed over its other labels. */
export function grownBuckets(growth: readonly Growth[], name: string): Buckets {
  const buckets = new Map<number, number>();
  for (const { sample, grown } of growth) {
    if (sample.name !== `${name}_bucket`) continue;
    const bound = Number(sample.labels["le"]?.replace("+Inf", "Infinity"));
    buckets.set(bound, (buckets.get(bound) ?? 0) + grown);
  }
  return buckets;
}

/** Growth of all series of a name; undefined when there is none. */
export function grownBy(growth: readonly Growth[], name: string): number | undefined {
  return sumOf(growth, name, ({ grown }) => grown);
}

/** Present value of all series of a name; undefined when there is none. */
export function presentValue(growth: readonly Growth[], name: string): number | undefined {
  return sumOf(growth, name, ({ sample }) => sample.value);
}

function sumOf(
  growth: readonly Growth[],
  name: string,
  of: (one: Growth) => number,
): number | undefined {
  let sum: number | undefined;
  for (const one of growth) if (one.sample.name === name) sum = (sum ?? 0) + of(one);
  return sum;
}

function seriesKey({ name, labels }: Sample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}
