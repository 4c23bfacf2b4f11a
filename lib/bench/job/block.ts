/**
 * One block of a paired comparison of two paths to a server, with what both sides need of it.
 *
 * @module
 */
import process from "node:process";
import type { Context } from "../../cli/context.ts";
import { runBench } from "../bench.ts";
import type { BenchOptions } from "../options.ts";
import type { BenchSummary } from "../summary.ts";

/** What a block measured. Plain data. */
export interface Block {
  /** Its summary. */
  readonly summary: BenchSummary;
  /** Time to first token of each request that ended well, from the moment it was due; milliseconds. */
  readonly ttftMs: readonly number[];
  /** Processor time that the client's process used while it measured, milliseconds. */
  readonly cpuMs: number;
}

/** Measures a block; callbacks among the options are not called. */
export async function measureBlock(ctx: Context, options: BenchOptions): Promise<Block> {
  const ttftMs: number[] = [];
  let before: ReturnType<typeof process.cpuUsage> | undefined;
  const summary = await runBench(ctx, {
    ...options,
    onProgress: ({ phase }) => {
      if (phase === "run") before ??= process.cpuUsage();
    },
    onRequests: (records) => {
      for (const { failure, first, scheduled } of records) {
        if (failure === undefined && first >= 0) ttftMs.push(first - scheduled);
      }
    },
  });
  const { user, system } = process.cpuUsage(before);
  return { summary, ttftMs, cpuMs: (user + system) / 1000 };
}
