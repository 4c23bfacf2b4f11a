/**
 * The terminal for logs, pipes and CI: one line an event, no colour, nothing redrawn.
 *
 * @module
 */
import { TaskError } from "./errors.ts";
import {
  fitColumns,
  formatDuration,
  formatProgress,
  makeStyle,
  redactText,
  type Style,
} from "./text.ts";
import type { Board, StepUi, Ui } from "./ui.ts";

/** Where a terminal writes to, and how it looks. */
export interface UiOptions {
  /** Writes to standard error. */
  readonly writeError: (text: string) => void;
  /** Writes to standard output. */
  readonly writeOut: (text: string) => void;
  /** Monotonic milliseconds, for durations. */
  readonly now: () => number;
  /** `--verbose`. */
  readonly verbose: boolean;
  /** Colours on standard error. */
  readonly color: boolean;
  /** Colours on standard output; none unless given. */
  readonly colorData?: boolean;
  /** All of standard input, where it is no terminal; that of a terminal unless given. */
  readonly input?: () => Promise<string | undefined>;
  /** Columns. */
  readonly width: number;
}

// A line at most this often for a step that reports progress.
const PROGRESS_EVERY_MS = 10_000;

/** What both renderings share: marks, data, redaction. */
export function baseUi(
  options: UiOptions,
  line: (text: string) => void,
): {
  ui: Omit<
    Ui,
    | "step"
    | "board"
    | "select"
    | "confirm"
    | "text"
    | "secret"
    | "lineEditor"
    | "close"
    | "interactive"
    | "redraws"
  >;
  clean: (text: string) => string;
  style: Style;
} {
  const secrets = new Set<string>();
  const style = makeStyle(options.color);
  const clean = (text: string) => redactText(text, secrets);
  const ui = {
    verbose: options.verbose,
    colorData: options.colorData,
    width: options.width,
    heading: (text: string) => line(`\n${style.bold(text)}`),
    info: (text: string) => line(text),
    success: (text: string) => line(`${style.green("✓")} ${text}`),
    warn: (text: string) => line(`${style.yellow("!")} ${text}`),
    error: (text: string) => line(`${style.red("✗")} ${text}`),
    debug: (text: string) => {
      if (options.verbose) line(style.dim(`  ${text}`));
    },
    out: (text: string) => options.writeOut(clean(text) + "\n"),
    write: (text: string) => options.writeOut(clean(text)),
    writeTalk: (text: string) => options.writeError(clean(text)),
    input: options.input ?? (() => Promise.resolve(undefined)),
    table: (rows: readonly (readonly string[])[]) =>
      options.writeOut(
        fitColumns(rows.map((row) => row.map(clean)), options.width).join("\n") + "\n",
      ),
    redact: (secret: string) => {
      // Very short values would blot out ordinary words.
      if (secret.length >= 4) secrets.add(secret);
    },
  };
  return { ui, clean, style };
}

/** Makes the plain terminal. */
export function plainUi(options: UiOptions): Ui {
  const line = (text: string) => options.writeError(clean(text) + "\n");
  const { ui, clean, style } = baseUi(options, line);
  const noTerminal = (question: string) =>
    Promise.reject(
      new TaskError({
        code: "NO_TERMINAL",
        message: `Cannot ask "${question}" without a terminal`,
        hint: "Give the answer as a flag (see --help), or --yes to agree.",
        exitCode: 2,
      }),
    );
  return {
    ...ui,
    interactive: false,
    redraws: false,
    step: (title) => plainStep(title, options.now, line, style),
    board: () => plainBoard(line),
    select: noTerminal,
    confirm: noTerminal,
    text: noTerminal,
    secret: noTerminal,
    lineEditor: () => noTerminal("a conversation"),
    close: () => {},
  };
}

/** A line for each text that is new under its key. */
function plainBoard(line: (text: string) => void): Board {
  const written = new Map<string, string>();
  return {
    show(lines) {
      for (const { key, plain } of lines) {
        if (plain === undefined || written.get(key) === plain) continue;
        written.set(key, plain);
        line(`  ${plain}`);
      }
    },
    end: () => {},
  };
}

function plainStep(
  title: string,
  now: () => number,
  line: (text: string) => void,
  style: Style,
): StepUi {
  const start = now();
  let lastLine = start;
  let lastDetail = "";
  const say = (detail: string) => {
    if (detail === lastDetail || now() - lastLine < PROGRESS_EVERY_MS) return;
    lastLine = now();
    lastDetail = detail;
    line(`  ${title}: ${detail}`);
  };
  const took = () => style.dim(`(${formatDuration(now() - start)})`);
  const tail = (detail: string | undefined) => detail ? `: ${detail}` : "";
  line(`• ${title}`);
  return {
    update: say,
    progress: (done, total, unit) => say(formatProgress(done, total, unit)),
    done: (detail) => line(`${style.green("✓")} ${title}${tail(detail)} ${took()}`),
    skip: (reason) => line(`${style.dim("-")} ${title}: ${reason}`),
    fail: (detail) => line(`${style.red("✗")} ${title}${tail(detail)} ${took()}`),
  };
}
