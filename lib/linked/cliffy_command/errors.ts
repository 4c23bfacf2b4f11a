/**
 * Errors of wrong usage.
 *
 * @module
 */

/** Options of {@link ValidationError}. */
export interface ValidationErrorOptions extends ErrorOptions {
  /** Exit code of the process; 2 unless given. */
  exitCode?: number;
}

/** The command line is wrong; without `throwErrors()` it is printed below the help. */
export class ValidationError extends Error {
  /** Exit code of the process. */
  readonly exitCode: number;

  /** Builds the error from a message for the person at the terminal. */
  constructor(
    message: string,
    { exitCode, cause }: ValidationErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode ?? 2;
  }
}
