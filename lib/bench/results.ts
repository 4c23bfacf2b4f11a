/**
 * A run's folder: `config.json`, `requests.jsonl` (written while the run goes on, so that an
 * interrupted run keeps what it measured), `environment.json`, `server_metrics.jsonl` and
 * `summary.json`. See `schema.md`.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { writeFileAtomic } from "../cli/files.ts";
import type { BenchEnvironment } from "./environment.ts";
import type { RequestRecord } from "./record.ts";
import type { ServerPoint } from "./server/types.ts";
import type { BenchSummary } from "./summary.ts";

/** Paths of a run's files. */
export interface ResultFiles {
  /** The folder. */
  readonly folder: string;
  /** What was asked: plain data, no secrets. */
  readonly config: string;
  /** One line a request. */
  readonly requests: string;
  /** The summary. */
  readonly summary: string;
}

/** What is kept besides, where it is known. */
export interface ResultExtras {
  /** Content of `environment.json`. */
  readonly environment?: BenchEnvironment | undefined;
  /** Lines of `server_metrics.jsonl`. */
  readonly serverPoints?: readonly ServerPoint[] | undefined;
}

/** Takes a run's results. */
export interface ResultsWriter {
  /** For {@link BenchOptions.onRequests}. */
  readonly onRequests: (records: readonly RequestRecord[]) => void;
  /**
   * Writes configuration and summary, and ends the list of requests.
   *
   * @throws {TaskError} BENCH_RESULTS when something could not be written.
   */
  finish(summary: BenchSummary, extras?: ResultExtras): Promise<ResultFiles>;
  /** Ends the list of requests of a run that has no summary; nothing after {@link finish}. */
  close(): Promise<void>;
}

/**
 * Makes the folder and opens the list of requests.
 *
 * @throws {TaskError} BENCH_RESULTS when the folder cannot be written.
 */
export async function openResults(
  ctx: Pick<Context, "fs" | "processes">,
  folder: string,
): Promise<ResultsWriter> {
  const files: ResultFiles = {
    folder,
    config: `${folder}/config.json`,
    requests: `${folder}/requests.jsonl`,
    summary: `${folder}/summary.json`,
  };
  const file = await attempt(files.requests, async () => {
    await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
    return await ctx.fs.open(files.requests, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
  });
  const encoder = new TextEncoder();
  let writing: Promise<void> = Promise.resolve();
  let problem: unknown;
  let open = true;
  const close = async () => {
    await writing;
    if (open) file.close();
    open = false;
  };
  const write = async (bytes: Uint8Array) => {
    if (problem !== undefined) return;
    try {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    } catch (error) {
      problem = error;
    }
  };
  return {
    onRequests(records) {
      const bytes = encoder.encode(
        records.map((record) => `${JSON.stringify(recordJson(record))}\n`).join(""),
      );
      writing = writing.then(() => write(bytes));
    },
    close,
    async finish(summary, { environment, serverPoints } = {}) {
      await close();
      if (problem !== undefined) throw resultsError(files.requests, problem);
      const save = (path: string, value: unknown) =>
        attempt(path, () => writeFileAtomic(ctx, path, `${JSON.stringify(value, null, 2)}\n`));
      await save(files.config, summary.config);
      if (environment !== undefined) await save(`${folder}/environment.json`, environment);
      if (serverPoints !== undefined) {
        const path = `${folder}/server_metrics.jsonl`;
        const lines = serverPoints.map((point) => `${JSON.stringify(point)}\n`).join("");
        await attempt(path, () => writeFileAtomic(ctx, path, lines));
      }
      await save(files.summary, summary);
      return files;
    },
  };
}

async function attempt<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw resultsError(path, error);
  }
}

function resultsError(path: string, cause: unknown): TaskError {
  return new TaskError({
    code: "BENCH_RESULTS",
    message: `Cannot write ${path}: ${messageOf(cause)}`,
    hint: "Is the disk full, or the folder not yours?",
    cause,
  });
}

/** One line of `requests.jsonl`. Times in milliseconds from the start of the run; null: not reached. */
export function recordJson(record: RequestRecord): Record<string, unknown> {
  return {
    index: record.index,
    lane: record.lane,
    scheduled_ms: time(record.scheduled),
    sent_ms: time(record.sent),
    first_ms: time(record.first),
    last_ms: time(record.last),
    ended_ms: time(record.ended),
    events: record.events,
    longest_gap_ms: time(record.longestGap),
    first_tokens: record.firstTokens,
    input_tokens: known(record.inputTokens),
    output_tokens: known(record.outputTokens),
    cached_tokens: known(record.cachedTokens),
    status: record.status === 0 ? null : record.status,
    ...(record.resent ? { resent: true } : {}),
    ...(record.failure === undefined ? {} : { failure: record.failure, message: record.message }),
  };
}

// Microseconds are as precise as the clock is.
function time(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
