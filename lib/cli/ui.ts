/**
 * What the library says to a person, without knowing how it is drawn.
 * Two renderings exist: `ui_tty.ts` (live) and `ui_plain.ts` (lines).
 *
 * @module
 */

import type { LineEditor } from "./line_editor.ts";

/** One line of progress that ends as done, skipped or failed. */
export interface StepUi {
  /** Replaces the detail shown behind the title. */
  update(detail: string): void;
  /** Shows a bar: `done` of `total` in `unit` ("bytes" is shown in MB). */
  progress(done: number, total: number | undefined, unit: string): void;
  /** Ends the step well. */
  done(detail?: string): void;
  /** Ends the step as not needed. */
  skip(reason: string): void;
  /** Ends the step badly. */
  fail(detail?: string): void;
}

/** One line of a {@link Board}. */
export interface BoardLine {
  /** Tells lines apart, so that one is known again when its text has changed. */
  readonly key: string;
  /** What a terminal shows in this line; cut at its width. */
  readonly live: string;
  /** What is written, once for each new text, where nothing is redrawn; nothing when absent. */
  readonly plain?: string | undefined;
}

/** Several lines that belong together and change. */
export interface Board {
  /** Replaces all lines. */
  show(lines: readonly BoardLine[]): void;
  /** Takes the lines off a terminal; what was written elsewhere stays. */
  end(): void;
}

/** One choice of a menu. */
export interface Choice<T> {
  /** What is returned. */
  readonly value: T;
  /** What is shown. */
  readonly label: string;
  /** A few words behind the label. */
  readonly detail?: string | undefined;
}

/** The terminal. Talk goes to stderr, data to stdout. */
export interface Ui {
  /** Whether a person can be asked: stdin and stderr are terminals. */
  readonly interactive: boolean;
  /** Whether lines are redrawn in place. */
  readonly redraws: boolean;
  /** Whether `--verbose` was given. */
  readonly verbose: boolean;
  /** Whether data may be coloured: stdout is a terminal that has colours. */
  readonly colorData?: boolean | undefined;
  /** Columns of the terminal; 80 when unknown. */
  readonly width: number;
  /** A section's heading. */
  heading(text: string): void;
  /** A line of information. */
  info(text: string): void;
  /** A line marked as done. */
  success(text: string): void;
  /** A line marked as a warning. */
  warn(text: string): void;
  /** A line marked as an error. */
  error(text: string): void;
  /** A line shown with `--verbose` only. */
  debug(text: string): void;
  /** Starts a line of progress. */
  step(title: string): StepUi;
  /** Starts a block of lines below the lines of progress. */
  board(): Board;
  /** Writes data to stdout, with a line end. */
  out(text: string): void;
  /** Writes data to stdout as it comes, without a line end; not while steps are shown. */
  write(text: string): void;
  /** Writes a part of a line to stderr; not while steps are shown. */
  writeTalk(text: string): void;
  /** All of standard input as text; undefined when it is a terminal. */
  input(): Promise<string | undefined>;
  /** Lines of a conversation; only when {@link Ui.interactive}. */
  lineEditor(): Promise<LineEditor>;
  /** Writes a table of data to stdout within the width; the first row is the heading. */
  table(rows: readonly (readonly string[])[]): void;
  /** Asks for one of several; only when {@link Ui.interactive}. */
  select<T>(question: string, choices: readonly Choice<T>[]): Promise<T>;
  /** Asks yes or no; only when {@link Ui.interactive}. */
  confirm(question: string, fallback: boolean): Promise<boolean>;
  /** Asks for a line of text; only when {@link Ui.interactive}. */
  text(question: string): Promise<string>;
  /** Asks for a secret without echo; only when {@link Ui.interactive}. */
  secret(question: string): Promise<string>;
  /** From now on this value is shown as `***` everywhere. */
  redact(secret: string): void;
  /** Takes live lines off the screen; called once at the end. */
  close(): void;
}
