/**
 * Runs two sides in turn, ABBA: whatever drifts slowly (the machine, the network, a cache that
 * fills) hits both alike.
 *
 * @module
 */
import type { BenchSummary } from "../summary.ts";

/** A block that is over. */
export interface Block {
  /** Which side. */
  readonly side: "a" | "b";
  /** Number of its pair, from 0. */
  readonly pair: number;
  /** What it measured. */
  readonly summary: BenchSummary;
}

/** Blocks of both sides; the i-th of each ran next to each other. */
export interface Blocks {
  /** A's. */
  readonly a: readonly BenchSummary[];
  /** B's. */
  readonly b: readonly BenchSummary[];
}

/** Sides in the order in which they run: AB, BA, AB, … */
export function abba(pairs: number): ("a" | "b")[] {
  return Array.from(
    { length: pairs },
    (_, i): ("a" | "b")[] => i % 2 === 0 ? ["a", "b"] : ["b", "a"],
  )
    .flat();
}

/** Runs the blocks one after the other. */
export async function runInterleaved(
  pairs: number,
  run: (side: "a" | "b", pair: number) => Promise<BenchSummary>,
): Promise<Blocks> {
  const blocks = { a: [] as BenchSummary[], b: [] as BenchSummary[] };
  for (const [at, side] of abba(pairs).entries()) {
    blocks[side].push(await run(side, Math.floor(at / 2)));
  }
  return blocks;
}

/** Why blocks do not count: each reason with how many blocks gave it. */
export function blockReasons(name: string, summaries: readonly BenchSummary[]): string[] {
  const counts = new Map<string, { count: number; first: string }>();
  for (const reason of summaries.flatMap((summary) => summary.invalid_reasons)) {
    const code = reason.split(":")[0]!;
    const seen = counts.get(code);
    counts.set(code, { count: (seen?.count ?? 0) + 1, first: seen?.first ?? reason });
  }
  return [...counts.values()].map(({ count, first }) =>
    `${name}: ${first} (${count} of ${summaries.length} blocks)`
  );
}
