/**
 * Lines typed at a terminal, with history and editing, one after the other; and what Ctrl-C means
 * between them.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** What was typed: a line, Ctrl-C, or Ctrl-D (also: the terminal is gone). */
export type Typed =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "interrupt" }
  | { readonly kind: "end" };

/** Reads lines. While it is open a Ctrl-C is a key, and no signal. */
export interface LineEditor extends Disposable {
  /** Shows the prompt and gives what is typed next. */
  next(prompt: string): Promise<Typed>;
  /** Does something between two lines; a Ctrl-C aborts the signal. What is typed is kept. */
  during<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T>;
}

/** The terminal of a {@link LineEditor}. */
export interface LineTerminal {
  /** Keys; put into raw mode where it can be. */
  readonly input: NodeJS.ReadableStream;
  /** Shows the line that is edited. */
  readonly write: (text: string) => void;
  /** Columns now. */
  readonly columns: () => number;
}

/** Opens it, over Node's readline. */
export function openLineEditor(terminal: LineTerminal): LineEditor {
  let quiet = true;
  const output = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      if (!quiet) terminal.write(String(text));
      done();
    },
  });
  Object.defineProperty(output, "columns", { get: terminal.columns });
  const editor = createInterface({
    input: terminal.input,
    output,
    terminal: true,
    historySize: 200,
    removeHistoryDuplicates: true,
  });
  const typed: Typed[] = [];
  let waiting: ((typed: Typed) => void) | undefined;
  let stop: AbortController | undefined;
  let closed = false;

  const tell = (one: Typed) => {
    if (waiting === undefined) {
      typed.push(one);
      return;
    }
    const resolve = waiting;
    waiting = undefined;
    quiet = true;
    resolve(one);
  };
  editor.on("line", (text) => tell({ kind: "line", text }));
  editor.on("SIGINT", () => {
    if (stop !== undefined) stop.abort();
    else tell({ kind: "interrupt" });
  });
  editor.on("close", () => {
    closed = true;
    // Nobody is left to wait for.
    stop?.abort();
    tell({ kind: "end" });
  });

  return {
    next(prompt) {
      const before = typed.shift();
      if (before !== undefined || closed) {
        if (before?.kind === "line") terminal.write(`${prompt}${before.text}\n`);
        return Promise.resolve(before ?? { kind: "end" });
      }
      return new Promise((resolve) => {
        waiting = (one) => {
          // The line that was begun is given up.
          if (one.kind === "interrupt") {
            terminal.write("^C\n");
            Object.assign(editor, { line: "", cursor: 0 });
          }
          if (one.kind === "end") terminal.write("\n");
          resolve(one);
        };
        quiet = false;
        editor.setPrompt(prompt);
        editor.prompt(true);
      });
    },
    async during(work) {
      stop = new AbortController();
      try {
        return await work(stop.signal);
      } finally {
        stop = undefined;
      }
    },
    [Symbol.dispose]() {
      quiet = true;
      editor.close();
    },
  };
}
