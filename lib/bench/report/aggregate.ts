/**
 * What the charts of a report show, gathered from `requests.jsonl` line by line, so that memory
 * does not grow with the run.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { Samples } from "../samples.ts";
import type { RequestLine } from "../compare/metrics.ts";

/** One slice of time. */
export interface TimeBin {
  /** Start, seconds from the start of the run. */
  readonly start: number;
  /** Requests that ended well in it. */
  readonly completed: number;
  /** Requests that failed in it. */
  readonly failed: number;
  /** Output tokens a second, of the requests that ended in it. */
  readonly tokensPerSecond: number;
  /** Mean of the requests in flight. */
  readonly inFlight: number;
  /** Median time to first token in milliseconds, of requests due in it; undefined without any. */
  readonly ttftP50: number | undefined;
  /** 99th percentile of the same. */
  readonly ttftP99: number | undefined;
}

/** One bar of a histogram. */
export interface HistogramBar {
  /** From, milliseconds. */
  readonly from: number;
  /** To. */
  readonly to: number;
  /** Values in it. */
  readonly count: number;
}

/** All that the charts need. */
export interface Aggregate {
  /** Slices of time. */
  readonly bins: readonly TimeBin[];
  /** Length of a slice in seconds. */
  readonly binSeconds: number;
  /** Time to first token, from the moment a request was due. */
  readonly ttft: readonly HistogramBar[];
  /** Time per output token. */
  readonly tpot: readonly HistogramBar[];
  /** End to end. */
  readonly e2e: readonly HistogramBar[];
}

const BINS = 100;
const BARS = 40;
// Few requests in many slices would be dots and spikes.
const LEAST_BINS = 12;
const REQUESTS_PER_BIN = 10;

/** Number of slices that so many requests are enough for. */
export function binsFor(requests: number): number {
  return Math.min(BINS, Math.max(LEAST_BINS, Math.round(requests / REQUESTS_PER_BIN)));
}

interface Slice {
  completed: number;
  failed: number;
  tokens: number;
  busyMs: number;
  readonly ttft: Samples;
}

/** Reads the list of a run of `wallSeconds`, in so many slices of time. */
export async function aggregateRequests(
  ctx: Pick<Context, "fs">,
  path: string,
  wallSeconds: number,
  bins = BINS,
): Promise<Aggregate> {
  const binMs = Math.max(wallSeconds * 1000, 1) / bins;
  const slices = Array.from({ length: bins }, (): Slice => ({
    completed: 0,
    failed: 0,
    tokens: 0,
    busyMs: 0,
    ttft: new Samples(),
  }));
  const all = { ttft: new Samples(), tpot: new Samples(), e2e: new Samples() };
  for await (const line of linesOf(ctx, path)) {
    add(JSON.parse(line) as RequestLine & { sent_ms: number | null }, slices, binMs, all);
  }
  return {
    bins: slices.map((slice, i) => ({
      start: i * binMs / 1000,
      completed: slice.completed,
      failed: slice.failed,
      tokensPerSecond: slice.tokens / (binMs / 1000),
      inFlight: slice.busyMs / binMs,
      ttftP50: slice.ttft.percentile(50),
      ttftP99: slice.ttft.percentile(99),
    })),
    binSeconds: binMs / 1000,
    ttft: histogram(all.ttft),
    tpot: histogram(all.tpot),
    e2e: histogram(all.e2e),
  };
}

function add(
  line: RequestLine & { readonly sent_ms: number | null },
  slices: readonly Slice[],
  binMs: number,
  all: { readonly ttft: Samples; readonly tpot: Samples; readonly e2e: Samples },
): void {
  const at = (ms: number) =>
    slices[Math.min(slices.length - 1, Math.max(0, Math.floor(ms / binMs)))]!;
  if (line.ended_ms === null) return;
  if (line.sent_ms !== null) spread(slices, binMs, line.sent_ms, line.ended_ms);
  if (line.failure !== undefined) {
    at(line.ended_ms).failed++;
    return;
  }
  const slice = at(line.ended_ms);
  slice.completed++;
  const tokens = line.output_tokens ?? line.events;
  slice.tokens += tokens;
  if (line.first_ms === null || line.last_ms === null) return;
  const ttft = line.first_ms - line.scheduled_ms;
  at(line.scheduled_ms).ttft.add(ttft);
  all.ttft.add(ttft);
  all.e2e.add(line.last_ms - line.scheduled_ms);
  const more = tokens - line.first_tokens;
  if (line.events > 1 && more > 0) all.tpot.add((line.last_ms - line.first_ms) / more);
}

function spread(slices: readonly Slice[], binMs: number, from: number, to: number): void {
  for (let i = Math.max(0, Math.floor(from / binMs)); i < slices.length && i * binMs < to; i++) {
    slices[i]!.busyMs += Math.max(0, Math.min(to, (i + 1) * binMs) - Math.max(from, i * binMs));
  }
}

/** Bars of equal width up to the 99.5th percentile; the last one holds what is beyond. */
export function histogram(samples: Samples): HistogramBar[] {
  const low = samples.percentile(0);
  const high = samples.percentile(99.5);
  if (low === undefined || high === undefined) return [];
  const width = Math.max(high - low, 1e-3) / BARS;
  // Shares below each edge, by bisection over percentiles: the values themselves may be gone.
  const below = (value: number) => {
    let [a, b] = [0, 100];
    for (let i = 0; i < 40; i++) {
      const middle = (a + b) / 2;
      if (samples.percentile(middle)! < value) a = middle;
      else b = middle;
    }
    return a / 100;
  };
  const edges = Array.from({ length: BARS + 1 }, (_, i) => low + i * width);
  const counts = edges.map((edge, i) =>
    i === 0 ? 0 : i === BARS ? samples.count : Math.round(below(edge) * samples.count)
  );
  return edges.slice(0, -1).map((from, i) => ({
    from,
    to: edges[i + 1]!,
    count: counts[i + 1]! - counts[i]!,
  }));
}

async function* linesOf(ctx: Pick<Context, "fs">, path: string): AsyncGenerator<string> {
  const file = await ctx.fs.open(path, { read: true });
  let rest = "";
  for await (const chunk of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
  // A last line without its end was cut off by an interruption.
}
