/**
 * What the pod of a benchmark says in its log.
 *
 * @module
 */
import { type ExitCode, messageOf, TaskError } from "../../cli/errors.ts";
import type { BenchProgress } from "../options.ts";
import type { BenchSummary } from "../summary.ts";
import type { RecordRow } from "./record_rows.ts";

/** Messages that must arrive. */
export type JobMessage =
  /** Requests that ended. */
  | { readonly kind: "requests"; readonly rows: readonly RecordRow[] }
  /** The run is about to begin, or over, where the server is watched from elsewhere. */
  | WatchMessage
  /** The run is over. */
  | { readonly kind: "summary"; readonly summary: BenchSummary }
  /** It failed. */
  | { readonly kind: "error"; readonly error: JobError };

/** Where the run is, for the watch over the server; the pod waits for word at its control port. */
export type WatchMessage =
  | {
    readonly kind: "watch";
    /** After the warm-up, before the first request of the run. */
    readonly at: "begin";
    /** Model that is asked. */
    readonly model: string;
  }
  | {
    readonly kind: "watch";
    /** After the last answer. */
    readonly at: "end";
    /** Milliseconds from the word that the run may begin to its beginning. */
    readonly delayMs: number;
  };

/** A message that may be lost: progress, or a sign of life. */
export type PassingMessage = { readonly progress: BenchProgress } | { readonly alive: true };

/** An error as data. */
export interface JobError {
  /** See `TaskError`. */
  readonly code: string;
  /** What failed. */
  readonly message: string;
  /** What to do. */
  readonly hint?: string;
  /** Exit code. */
  readonly exitCode: ExitCode;
  /** Lines of evidence. */
  readonly evidence: readonly string[];
}

/** An error as data; what is no `TaskError` is BENCH_JOB. */
export function errorData(error: unknown): JobError {
  if (!(error instanceof TaskError)) {
    return { code: "BENCH_JOB", message: messageOf(error), exitCode: 1, evidence: [] };
  }
  const { code, message, hint, exitCode, evidence } = error;
  return { code, message, exitCode, evidence, ...(hint === undefined ? {} : { hint }) };
}
