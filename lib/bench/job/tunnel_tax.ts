/**
 * What a port-forward adds to a benchmark's figures: the same load in turn from inside the cluster
 * and through the tunnel, and how much the tunnel carries at most.
 *
 * @module
 */
import { abba } from "../compare/interleave.ts";
import { studentQuantile } from "../compare/student.ts";
import type { Load } from "../schedule.ts";
import { samplesOf } from "../samples.ts";
import type { BenchSummary } from "../summary.ts";
import type { Block } from "./block.ts";
import type { PlainOptions } from "./job_file.ts";
import type { Taxed, TunnelTax } from "./tunnel.ts";

/** Pairs of blocks. */
export const TAX_PAIRS = 4;
/** Length of a block, milliseconds. */
export const TAX_BLOCK_MS = 2_000;
const FEWEST_FOR_P99 = 500;
const MOST_WARMUP = 8;
const MOST_IN_FLIGHT = 64;

/**
 * Options of a block: the run's load for a short time. Stages and traces become a closed loop with
 * as many in flight as the run had on average, as no two short parts of them are alike.
 */
export function blockOptions(options: PlainOptions, run: BenchSummary, seed: number): PlainOptions {
  const { stages: _stages, trace: _trace, traceSpeed: _speed, ...rest } = options;
  const own = options.stages === undefined && options.trace === undefined;
  const concurrency = own
    ? options.concurrency
    : Math.min(MOST_IN_FLIGHT, Math.max(1, Math.round(run.client.in_flight ?? 1)));
  return {
    ...rest,
    ...(own ? {} : { concurrency, arrival: undefined, burstiness: undefined }),
    requests: undefined,
    durationMs: TAX_BLOCK_MS,
    warmup: Math.min(MOST_WARMUP, concurrency ?? MOST_WARMUP),
    calibration: false,
    seed,
  };
}

/** Measures blocks of both sides in turn. */
export async function runBlocks(
  measure: { readonly inCluster: RunBlock; readonly tunnel: RunBlock },
): Promise<{ inCluster: Block[]; tunnel: Block[] }> {
  const blocks = { inCluster: [] as Block[], tunnel: [] as Block[] };
  for (const [at, name] of abba(TAX_PAIRS).entries()) {
    const side = name === "a" ? "inCluster" : "tunnel";
    // The same prompts for both blocks of a pair, other ones for the next: a cache must help neither.
    blocks[side].push(await measure[side](Math.floor(at / 2)));
  }
  return blocks;
}

/** Measures a block of a pair. */
export type RunBlock = (pair: number) => Promise<Block>;

/** Sums the blocks up. */
export function tunnelTax(
  blocks: { readonly inCluster: readonly Block[]; readonly tunnel: readonly Block[] },
  ceiling: TunnelTax["ceiling"],
  load: Pick<Load, "kind"> & { readonly concurrency?: number; readonly rate?: number },
): TunnelTax {
  const paired = (value: (block: Block) => number | undefined) =>
    pairedTax(blocks.inCluster.map(value), blocks.tunnel.map(value));
  return {
    pairs: Math.min(blocks.inCluster.length, blocks.tunnel.length),
    block_s: TAX_BLOCK_MS / 1000,
    concurrency: load.concurrency ?? null,
    rate: load.rate ?? null,
    ttft_p50_ms: paired(({ summary }) => summary.ttft_ms?.p50),
    ttft_p99_ms: pooledTax(blocks.inCluster, blocks.tunnel),
    tpot_p50_ms: paired(({ summary }) => summary.tpot_ms?.p50),
    cpu_ms_per_request: paired(({ summary, cpuMs }) =>
      summary.requests.completed > 0 ? cpuMs / summary.requests.completed : undefined
    ),
    requests_per_second: paired(({ summary }) => summary.requests_per_second),
    ceiling,
  };
}

/** Mean difference of pairs with its t interval; undefined values leave no result. */
export function pairedTax(
  a: readonly (number | undefined)[],
  b: readonly (number | undefined)[],
): Taxed | null {
  const n = Math.min(a.length, b.length);
  if (n < 2 || ![...a, ...b].every((value) => Number.isFinite(value))) return null;
  const differences = Array.from({ length: n }, (_, i) => b[i]! - a[i]!);
  const added = mean(differences);
  const variance = differences.reduce((sum, one) => sum + (one - added) ** 2, 0) / (n - 1);
  const reach = studentQuantile(0.975, n - 1) * Math.sqrt(variance / n);
  return {
    in_cluster: samplesOf(a as number[]).percentile(50)!,
    tunnel: samplesOf(b as number[]).percentile(50)!,
    added,
    interval: [added - reach, added + reach],
  };
}

function pooledTax(a: readonly Block[], b: readonly Block[]): Taxed | null {
  const [x, y] = [a, b].map((blocks) => samplesOf(blocks.flatMap(({ ttftMs }) => [...ttftMs])));
  if (x!.count < FEWEST_FOR_P99 || y!.count < FEWEST_FOR_P99) return null;
  const [inCluster, tunnel] = [x!.percentile(99)!, y!.percentile(99)!];
  return { in_cluster: inCluster, tunnel, added: tunnel - inCluster, interval: null };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
