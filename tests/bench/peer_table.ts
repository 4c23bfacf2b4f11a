/**
 * Runs of several load generators as one table, and whether ours is the most accurate.
 *
 * @module
 */
import type { PeerFigures, PeerRun } from "./peer_run.ts";

/** A load generator under a load: medians over the rounds, times in milliseconds. */
export interface PeerRow {
  /** Id of the load. */
  readonly load: string;
  /** Id of the load generator. */
  readonly client: string;
  /** Rounds that are in it. */
  readonly rounds: number;
  /** Requests that ended well, per second. */
  readonly requests_per_second: number;
  /** Median time to the first token, as reported. */
  readonly ttft_p50: number;
  /** The same by the server's clock. */
  readonly ttft_p50_true: number;
  /** Median over the rounds of |reported − true|. */
  readonly ttft_p50_error: number;
  /** 90th percentile as reported. */
  readonly ttft_p90: number;
  /** 99th percentile as reported. */
  readonly ttft_p99: number;
  /** The same by the server's clock. */
  readonly ttft_p99_true: number;
  /** Time per output token as reported. */
  readonly itl: number;
  /** The same by the server's clock. */
  readonly itl_true: number;
  /** Processor time a request, the load generator's start-up included. */
  readonly cpu_ms_per_request: number;
  /** The same beyond its cheapest closed loop, so without start-up; null for that one. */
  readonly cpu_ms_per_further_request: number | null;
  /** Coefficient of variation of the p99 over the rounds, in percent; null below three. */
  readonly ttft_p99_cv_percent: number | null;
}

/** What there is to say about a comparison. */
export interface PeerVerdict {
  /** Whether ours has the least error of TTFT p50 at every number in flight. */
  readonly holds: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
}

/** One row for each load and load generator with figures, in the order of the runs. */
export function peerRows(runs: readonly PeerRun[]): PeerRow[] {
  const groups = new Map<string, { run: PeerRun; figures: PeerFigures[] }>();
  for (const run of runs) {
    if (run.figures === undefined) continue;
    const key = `${run.load} ${run.client}`;
    const group = groups.get(key) ?? { run, figures: [] };
    group.figures.push(run.figures);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ run, figures }) => rowOf(run, figures, startUp(runs, run)));
}

function rowOf(
  { load, client }: PeerRun,
  figures: readonly PeerFigures[],
  least: PeerFigures | undefined,
): PeerRow {
  const of = (value: (each: PeerFigures) => number) => median(figures.map(value));
  const p99 = figures.map(({ reported }) => reported.ttft.p99);
  const further = (each: PeerFigures, from: PeerFigures) =>
    (each.cpuMs - from.cpuMs) / (each.reported.requests - from.reported.requests);
  return {
    load,
    client,
    rounds: figures.length,
    requests_per_second: of(({ reported }) => reported.requestsPerSecond),
    ttft_p50: of(({ reported }) => reported.ttft.p50),
    ttft_p50_true: of(({ truth }) => truth.ttftP50),
    ttft_p50_error: of(({ reported, truth }) => Math.abs(reported.ttft.p50 - truth.ttftP50)),
    ttft_p90: of(({ reported }) => reported.ttft.p90),
    ttft_p99: median(p99),
    ttft_p99_true: of(({ truth }) => truth.ttftP99),
    itl: of(({ reported }) => reported.itl),
    itl_true: of(({ truth }) => truth.itl),
    cpu_ms_per_request: of(({ cpuMs, reported }) => cpuMs / reported.requests),
    cpu_ms_per_further_request: least === undefined ? null : of((each) => further(each, least)),
    ttft_p99_cv_percent: p99.length < 3 ? null : variation(p99),
  };
}

// With fewer, how a start-up varies outweighs the requests.
const TIMES_AS_MANY = 50;

// A client's run with the fewest requests, where this one has many times as many.
function startUp(runs: readonly PeerRun[], { load, client }: PeerRun): PeerFigures | undefined {
  const own = runs.filter((run) => run.client === client && run.figures !== undefined);
  const sorted = own.map(({ figures }) => figures!)
    .sort((a, b) => a.reported.requests - b.reported.requests);
  const least = sorted[0]!;
  const here = own.find((run) => run.load === load)!.figures!;
  return here.reported.requests >= TIMES_AS_MANY * least.reported.requests ? least : undefined;
}

/** Judges the closed loops; every load generator asked for must have its figures. */
export function judge(
  rows: readonly PeerRow[],
  { loads, clients }: { readonly loads: readonly string[]; readonly clients: readonly string[] },
): PeerVerdict {
  const peers = clients.filter((client) => client !== "ours");
  const reasons: string[] = peers.length === 0 ? ["there is nobody to compare with"] : [];
  for (const load of loads) {
    const of = (client: string) =>
      rows.find((row) => row.load === load && row.client === client)?.ttft_p50_error;
    const ours = of("ours");
    if (ours === undefined) reasons.push(`ours has no figures at ${load} in flight`);
    for (const peer of peers) {
      const theirs = of(peer);
      if (theirs === undefined) reasons.push(`${peer} has no figures at ${load} in flight`);
      else if (ours !== undefined && ours >= theirs) {
        reasons.push(
          `at ${load} in flight ${peer} is as accurate: TTFT p50 off by ${theirs.toFixed(2)} ms, ` +
            `ours by ${ours.toFixed(2)} ms`,
        );
      }
    }
  }
  return { holds: reasons.length === 0, reasons };
}

const HEADS = [
  "load",
  "client",
  "rounds",
  "req/s",
  "TTFT p50",
  "true",
  "error",
  "p90",
  "p99",
  "true",
  "p99 CV %",
  "ITL",
  "true",
  "CPU ms/req",
  "without start-up",
];

/** The table as Markdown, which reads well in a terminal too. */
export function peerTable(rows: readonly PeerRow[]): string {
  const cells = [
    HEADS,
    ...rows.map((row) => [
      row.load,
      row.client,
      `${row.rounds}`,
      ...[
        row.requests_per_second,
        row.ttft_p50,
        row.ttft_p50_true,
        row.ttft_p50_error,
        row.ttft_p90,
        row.ttft_p99,
        row.ttft_p99_true,
        row.ttft_p99_cv_percent,
        row.itl,
        row.itl_true,
        row.cpu_ms_per_request,
        row.cpu_ms_per_further_request,
      ].map((value) => value === null ? "" : value.toFixed(value < 100 ? 2 : 0)),
    ]),
  ];
  const widths = HEADS.map((_, i) => Math.max(3, ...cells.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number) =>
    i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  const rule = widths.map((width, i) => i < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  const lines = cells.map((row) => row.map(pad));
  return [lines[0]!, rule, ...lines.slice(1)].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return 100 * Math.sqrt(squares / (values.length - 1)) / mean;
}
