/**
 * Readings of all sources, put together: points along the run, and sums over it. Pure.
 *
 * @module
 */
import { type BucketBounds, histogramQuantile, quantileBounds } from "../../serving/histogram.ts";
import type { FrontendReading, Reading, TimesGrowth } from "./reading.ts";
import type { Interval, Level, ServerPoint, ServerSummary, ServerTimes } from "./types.ts";

/** A source's reading, and the seconds since its scrape before. */
export interface Answer {
  /** What it says. */
  readonly reading: Reading;
  /** Length of time that its growth is of: longer where scrapes failed. */
  readonly seconds: number;
}

/** One round of scrapes. */
export interface Round {
  /** When it ended, monotonic milliseconds. */
  readonly at: number;
  /** Seconds since the round before. */
  readonly seconds: number;
  /** Of the sources that answered. */
  readonly answers: readonly Answer[];
  /** Scrapes that failed. */
  readonly failed: number;
}

/** A point whose time is on the monotonic clock still. */
export type TimedPoint = Omit<ServerPoint, "at_s"> & { readonly at: number };

/** Figures over a run. */
export type ServerTotals = Omit<ServerSummary, "interval_ms" | "sources" | "ttft_split_ms">;

/** Puts rounds together. */
export interface Joiner {
  /** Adds a round. */
  add(round: Round): void;
  /** The points so far. */
  readonly points: readonly TimedPoint[];
  /** The figures so far. */
  totals(): ServerTotals;
}

/** Starts with nothing. */
export function joiner(): Joiner {
  const points: TimedPoint[] = [];
  const frontends: FrontendReading[] = [];
  return {
    points,
    add(round) {
      points.push(pointOf(round));
      const own = round.answers.flatMap(({ reading }) => reading.frontend ?? []);
      // One reading is kept however long the run is.
      frontends.splice(0, frontends.length, ...sumOf([...frontends, ...own]));
    },
    totals: () => totalsOf(points, frontends[0]),
  };
}

function pointOf({ at, seconds, answers, failed }: Round): TimedPoint {
  const frontends = answers.flatMap(({ reading, seconds }) =>
    reading.frontend === undefined ? [] : [{ ...reading.frontend, seconds }]
  );
  const [all] = sumOf(frontends);
  const rate = (name: keyof FrontendReading["counters"]) =>
    total(frontends.map(({ counters, seconds }) => {
      const grown = counters[name];
      return grown === undefined || seconds <= 0 ? undefined : grown / seconds;
    }));
  const workers = answers.flatMap(({ reading }) => reading.worker ?? []);
  const busiest = known(workers.map((worker) => worker.inFlight));
  const gpus = answers.flatMap(({ reading }) => reading.gpus);
  const ttft = all?.times.ttft;
  return {
    at,
    seconds,
    requests_per_second: rate("requests"),
    output_tokens_per_second: rate("outputTokens"),
    ttft_mean_ms: meanMs(ttft),
    ttft_p50_ms: quantileMs(0.5, ttft),
    ttft_p90_ms: quantileMs(0.9, ttft),
    itl_mean_ms: meanMs(all?.times.itl),
    in_flight: all?.gauges.inFlight ?? null,
    queued: all?.gauges.queued ?? null,
    worker_waiting: total(workers.map((worker) => worker.waiting)),
    worker_in_flight_max: busiest.length === 0 ? null : Math.max(...busiest),
    kv_hit_rate: hitRate(all),
    kv_usage: mean(workers.map((worker) => worker.kvUsage)),
    gpu_utilisation: mean(gpus.map((gpu) => gpu.utilisation)),
    gpu_memory_bytes: total(gpus.map((gpu) => gpu.memory)),
    gpu_power_w: total(gpus.map((gpu) => gpu.power)),
    failed_scrapes: failed,
  };
}

function totalsOf(
  points: readonly TimedPoint[],
  all: FrontendReading | undefined,
): ServerTotals {
  const level = (name: keyof TimedPoint) => levelOf(points, name);
  const gpu = {
    utilisation: level("gpu_utilisation"),
    memory_bytes: level("gpu_memory_bytes"),
    power_w: level("gpu_power_w"),
  };
  return {
    requests: all?.counters.requests ?? null,
    output_tokens: all?.counters.outputTokens ?? null,
    ttft_ms: serverTimes(all?.times.ttft),
    itl_ms: serverTimes(all?.times.itl),
    duration_ms: serverTimes(all?.times.duration),
    kv_hit_rate: hitRate(all),
    in_flight: level("in_flight"),
    queued: level("queued"),
    worker_waiting: level("worker_waiting"),
    kv_usage: level("kv_usage"),
    gpu: Object.values(gpu).every((value) => value === null) ? null : gpu,
  };
}

/** The times of a histogram's growth in milliseconds; null when nothing was counted. */
export function serverTimes(growth: TimesGrowth | undefined): ServerTimes | null {
  if (growth === undefined || growth.count <= 0) return null;
  const interval = (quantile: number) => toMs(quantileBounds(quantile, growth.buckets));
  return {
    count: growth.count,
    mean: 1000 * growth.sum / growth.count,
    p50: interval(0.5),
    p90: interval(0.9),
    p99: interval(0.99),
  };
}

function toMs(bounds: BucketBounds | undefined): Interval {
  const { low, high } = bounds ?? { low: 0, high: Infinity };
  return { low: 1000 * low, high: high === Infinity ? null : 1000 * high };
}

function meanMs(growth: TimesGrowth | undefined): number | null {
  return growth === undefined || growth.count <= 0 ? null : 1000 * growth.sum / growth.count;
}

function quantileMs(quantile: number, growth: TimesGrowth | undefined): number | null {
  const value = growth && histogramQuantile(quantile, growth.buckets);
  return value === undefined ? null : 1000 * value;
}

// Tokens where they are counted; else the router's shares, where each prompt weighs the same.
function hitRate(reading: FrontendReading | undefined): number | null {
  const { cachedTokens, inputTokens } = reading?.counters ?? {};
  if (cachedTokens !== undefined && inputTokens !== undefined) {
    return inputTokens > 0 ? cachedTokens / inputTokens : null;
  }
  const hits = reading?.routerHits;
  return hits === undefined || hits.count <= 0 ? null : hits.sum / hits.count;
}

function levelOf(points: readonly TimedPoint[], name: keyof TimedPoint): Level | null {
  const seen = points.filter((point) => point[name] !== null && point.seconds > 0);
  if (seen.length === 0) return null;
  const seconds = seen.reduce((sum, point) => sum + point.seconds, 0);
  return {
    mean: seen.reduce((sum, point) => sum + point.seconds * point[name]!, 0) / seconds,
    max: seen.reduce((most, point) => Math.max(most, point[name]!), -Infinity),
  };
}

/** One reading for all of them: growth and gauges add up. None of none. */
function sumOf(readings: readonly FrontendReading[]): FrontendReading[] {
  if (readings.length === 0) return [];
  const added = <K extends string, V>(
    of: (reading: FrontendReading) => Readonly<Record<K, V | undefined>>,
    add: (a: V, b: V) => V,
  ) =>
    readings.map(of).reduce((a, b) =>
      Object.fromEntries(
        Object.entries<V | undefined>(a).map(([key, value]) => {
          const other = b[key as K];
          return [
            key,
            value === undefined ? other : other === undefined ? value : add(value, other),
          ];
        }),
      ) as Record<K, V | undefined>
    );
  const plus = (a: number, b: number) => a + b;
  const hits = readings.flatMap((reading) => reading.routerHits ?? []);
  return [{
    times: added((reading) => reading.times, addTimes),
    counters: added((reading) => reading.counters, plus),
    gauges: added((reading) => reading.gauges, plus),
    routerHits: hits.length === 0
      ? undefined
      : hits.reduce((a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count })),
  }];
}

function addTimes(a: TimesGrowth, b: TimesGrowth): TimesGrowth {
  const buckets = new Map(a.buckets);
  for (const [bound, count] of b.buckets) buckets.set(bound, (buckets.get(bound) ?? 0) + count);
  return { buckets, sum: a.sum + b.sum, count: a.count + b.count };
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function total(values: readonly (number | undefined)[]): number | null {
  const all = known(values);
  return all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0);
}

function mean(values: readonly (number | undefined)[]): number | null {
  const sum = total(values);
  return sum === null ? null : sum / known(values).length;
}
