/**
 * What two sides are compared by, taken from the summary of a run or from the lines of a part of it.
 *
 * @module
 */
import { samplesOf } from "../samples.ts";
import type { BenchSummary } from "../summary.ts";

/** Name of a compared measure. */
export type MetricId =
  | "ttft_p50"
  | "ttft_p90"
  | "ttft_p99"
  | "tpot_p50"
  | "e2e_p50"
  | "output_tokens_per_second"
  | "requests_per_second";

/** A compared measure. */
export interface Metric {
  /** Name in data. */
  readonly id: MetricId;
  /** For people. */
  readonly title: string;
  /** Unit: milliseconds or per second. */
  readonly unit: "ms" | "/s";
  /** Which direction is good. */
  readonly better: "lower" | "higher";
  /** Whether a regression of it fails the comparison. */
  readonly gate: boolean;
}

/** All measures, in the order in which they are shown. */
export const METRICS: readonly Metric[] = [
  { id: "ttft_p50", title: "TTFT p50", unit: "ms", better: "lower", gate: true },
  { id: "ttft_p90", title: "TTFT p90", unit: "ms", better: "lower", gate: false },
  { id: "ttft_p99", title: "TTFT p99", unit: "ms", better: "lower", gate: false },
  { id: "tpot_p50", title: "TPOT p50", unit: "ms", better: "lower", gate: true },
  { id: "e2e_p50", title: "end to end p50", unit: "ms", better: "lower", gate: false },
  {
    id: "output_tokens_per_second",
    title: "output tokens",
    unit: "/s",
    better: "higher",
    gate: true,
  },
  { id: "requests_per_second", title: "requests", unit: "/s", better: "higher", gate: false },
];

/** The measure of this name. */
export function metricOf(id: MetricId): Metric {
  return METRICS.find((one) => one.id === id)!;
}

/** Values of one block. */
export type BlockValues = Readonly<Partial<Record<MetricId, number>>>;

/** A p99 of fewer values is hardly more than their largest. */
const FEWEST_FOR_P99 = 500;

/** Values of a block that was a run of its own. */
export function blockOfSummary(summary: BenchSummary): BlockValues {
  const { ttft_ms: ttft, tpot_ms: tpot, e2e_ms: e2e } = summary;
  return defined({
    ttft_p50: ttft?.p50,
    ttft_p90: ttft?.p90,
    ttft_p99: ttft !== null && ttft.count >= FEWEST_FOR_P99 ? ttft.p99 : undefined,
    tpot_p50: tpot?.p50,
    e2e_p50: e2e?.p50,
    output_tokens_per_second: summary.output_tokens_per_second ??
      summary.output_tokens_per_second_wall,
    requests_per_second: summary.requests_per_second,
  });
}

/** A line of `requests.jsonl`, as far as it is compared. */
export interface RequestLine {
  /** When it was due, milliseconds from the start. */
  readonly scheduled_ms: number;
  /** First output. */
  readonly first_ms: number | null;
  /** Last output. */
  readonly last_ms: number | null;
  /** End of the response. */
  readonly ended_ms: number | null;
  /** Events with output. */
  readonly events: number;
  /** Tokens of the first event. */
  readonly first_tokens: number;
  /** Tokens of the answer; null where nobody counted. */
  readonly output_tokens: number | null;
  /** Kind of failure. */
  readonly failure?: string;
}

/** Values of a block that is a part of a run: requests that ended between two moments. */
export function blockOfRequests(lines: readonly RequestLine[], spanMs: number): BlockValues {
  const good = lines.filter((line) => line.failure === undefined && line.first_ms !== null);
  const ttft = samplesOf(good.map((line) => line.first_ms! - line.scheduled_ms));
  const tpot = samplesOf(good.flatMap((line) => {
    const tokens = (line.output_tokens ?? line.events) - line.first_tokens;
    return line.events > 1 && tokens > 0 ? [(line.last_ms! - line.first_ms!) / tokens] : [];
  }));
  const e2e = samplesOf(good.map((line) => line.last_ms! - line.scheduled_ms));
  const tokens = good.reduce((sum, line) => sum + (line.output_tokens ?? line.events), 0);
  const perSecond = (n: number) => spanMs > 0 ? n / (spanMs / 1000) : undefined;
  return defined({
    ttft_p50: ttft.percentile(50),
    ttft_p90: ttft.percentile(90),
    ttft_p99: ttft.count >= FEWEST_FOR_P99 ? ttft.percentile(99) : undefined,
    tpot_p50: tpot.percentile(50),
    e2e_p50: e2e.percentile(50),
    output_tokens_per_second: perSecond(tokens),
    requests_per_second: perSecond(good.length),
  });
}

function defined(values: Record<MetricId, number | undefined>): BlockValues {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as BlockValues;
}
