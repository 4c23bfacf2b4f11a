/**
 * One benchmark run as a process of its own, with all that a user gets (requests.jsonl, progress),
 * and what it cost. Takes a {@link ClientTask} as JSON, prints a {@link ClientResult}.
 *
 * @module
 */
import process from "node:process";
import { runBench } from "../../lib/bench/bench.ts";
import type { BenchOptions } from "../../lib/bench/options.ts";
import { openResults } from "../../lib/bench/results.ts";
import type { BenchSummary } from "../../lib/bench/summary.ts";
import { processContext } from "./process_context.ts";

/** What to measure. */
export interface ClientTask {
  /** Options of the run; functions are added here. */
  readonly options: BenchOptions;
  /** Folder for results. */
  readonly folder: string;
}

/** What came out. */
export interface ClientResult {
  /** The run's summary. */
  readonly summary: BenchSummary;
  /** Processor time of the measured run in milliseconds, user and system. */
  readonly cpuMs: number;
  /** Most memory in use, MiB (resident). */
  readonly peakMib: number;
  /** Memory in use after each tenth of the requests, MiB (resident). */
  readonly tenthsMib: readonly number[];
}

const MIB = 1024 * 1024;

async function measure({ options, folder }: ClientTask): Promise<ClientResult> {
  const results = await openResults(processContext(), folder);
  const tenthsMib: number[] = [];
  let before: number | undefined;
  let peak = 0;
  const summary = await runBench(processContext(), {
    calibration: true,
    ...options,
    onRequests: results.onRequests,
    onProgress: ({ phase, done, total }) => {
      const { rss } = Deno.memoryUsage();
      peak = Math.max(peak, rss);
      if (phase !== "run") return;
      before ??= cpuMs();
      if (total !== undefined && done >= total / 10 * (tenthsMib.length + 1)) {
        tenthsMib.push(Math.round(rss / MIB));
      }
    },
  });
  const used = cpuMs() - (before ?? 0);
  await results.finish(summary);
  return { summary, cpuMs: used, peakMib: peak / MIB, tenthsMib };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await measure(JSON.parse(Deno.args[0]!) as ClientTask)));
}
