/**
 * The one error class of the project, and its exit codes.
 *
 * @module
 */

/** Exit codes of every task: done, failed, wrong usage, precondition missing, timed out, interrupted. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  precondition: 3,
  timeout: 4,
  interrupted: 130,
} as const;

/** One of the values of {@link EXIT}. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** What a {@link TaskError} is made of. */
export interface TaskErrorOptions {
  /** Stable, upper-case identifier, for example `EXAMPLE_UNKNOWN`. */
  readonly code: string;
  /** What failed, with which value, from where. One sentence without a full stop is fine. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** Exit code of the process; 1 unless given. */
  readonly exitCode?: ExitCode;
  /** Lines of evidence printed below the message: events, conditions, last log lines. */
  readonly evidence?: readonly string[];
  /** The error underneath, shown with `--verbose`. */
  readonly cause?: unknown;
}

/** An error that a person can act on: code, message, hint and exit code. */
export class TaskError extends Error {
  /** Stable, upper-case identifier. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string | undefined;
  /** Exit code of the process. */
  readonly exitCode: ExitCode;
  /** Lines of evidence printed below the message. */
  readonly evidence: readonly string[];

  /** Builds the error; see {@link TaskErrorOptions} for what each part is. */
  constructor(options: TaskErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TaskError";
    this.code = options.code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.evidence = options.evidence ?? [];
  }
}

/** Wrong usage: an unknown word, flag or value on the command line (exit code 2). */
export function usageError(code: string, message: string, hint?: string): TaskError {
  return new TaskError({ code, message, hint, exitCode: EXIT.usage });
}

/** Something that has to be there is not: a tool, a file's content, a cluster (exit code 3). */
export function preconditionError(
  code: string,
  message: string,
  hint?: string,
  cause?: unknown,
): TaskError {
  return new TaskError({ code, message, hint, exitCode: EXIT.precondition, cause });
}

/** A wait that ended at its deadline, with the evidence found (exit code 4). */
export function timeoutError(
  code: string,
  message: string,
  options: { hint?: string; evidence?: readonly string[]; cause?: unknown } = {},
): TaskError {
  return new TaskError({ code, message, exitCode: EXIT.timeout, ...options });
}

/** The run was interrupted by Ctrl-C or SIGTERM (exit code 130). */
export function interruptedError(hint?: string): TaskError {
  return new TaskError({
    code: "INTERRUPTED",
    message: "Interrupted",
    hint,
    exitCode: EXIT.interrupted,
  });
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
