/**
 * The terminal for people: running steps are redrawn in place, finished ones scroll up.
 *
 * @module
 */
import type { LineEditor } from "./line_editor.ts";
import { askChoice, askSecret, askText, askYesNo, type Keyboard } from "./prompts.ts";
import { bar, formatDuration, formatProgress, truncate } from "./text.ts";
import type { Board, BoardLine, StepUi, Ui } from "./ui.ts";
import { baseUi, type UiOptions } from "./ui_plain.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const REDRAW_MS = 100;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

interface LiveStep {
  readonly title: string;
  readonly start: number;
  detail: string;
}

/** Options of {@link ttyUi}. */
export interface TtyOptions extends UiOptions {
  /** Keys typed by the person; absent when stdin is not a terminal. */
  readonly keyboard?: Keyboard | undefined;
  /** Opens an editor of lines; absent when stdin is not a terminal. */
  readonly lineEditor?: (() => Promise<LineEditor>) | undefined;
  /** Columns now, for windows that change. */
  readonly columns: () => number;
  /** Rows now; 24 unless given. */
  readonly rows?: () => number;
}

/** Makes the live terminal. */
export function ttyUi(options: TtyOptions): Ui {
  const live: LiveStep[] = [];
  let board: readonly BoardLine[] = [];
  let drawn = 0;
  let frame = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  // In one write, so that nobody sees the moment between.
  const redraw = (between = "") => {
    const width = options.columns();
    const lines = [
      ...live.map((step) => liveLine(step, width)),
      ...boardLines().map(({ live: text }) => truncate(clean(text), width - 1)),
    ];
    const above = drawn > 0 ? `\x1b[${drawn}A\x1b[0J` : "";
    drawn = lines.length;
    const text = above + between + lines.map((one) => `${one}\n`).join("");
    if (text !== "") options.writeError(text);
  };
  const erase = () => {
    if (drawn > 0) options.writeError(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  // What has scrolled off the screen cannot be redrawn.
  const boardLines = (): readonly BoardLine[] => {
    const room = Math.max(1, (options.rows?.() ?? 24) - live.length - 2);
    if (board.length <= room) return board;
    const hidden = board.length - room + 1;
    return [...board.slice(0, room - 1), { key: "more", live: `  … and ${hidden} more` }];
  };
  const liveLine = (step: LiveStep, width: number) => {
    const spent = formatDuration(options.now() - step.start);
    const text = step.detail === "" ? step.title : `${step.title}: ${step.detail}`;
    const room = width - 3 - spent.length - 1;
    return `${style.cyan(FRAMES[frame % FRAMES.length] ?? "")} ${truncate(clean(text), room)} ${
      style.dim(spent)
    }`;
  };
  const line = (text: string) => redraw(clean(text) + "\n");
  const { ui, clean, style } = baseUi(options, line);
  const animate = () => {
    if (live.length > 0 && timer === undefined) {
      options.writeError(HIDE_CURSOR);
      timer = setInterval(() => {
        frame++;
        redraw();
      }, REDRAW_MS);
      Deno.unrefTimer(timer);
    } else if (live.length === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
      options.writeError(SHOW_CURSOR);
    }
  };
  const asking = async <T>(ask: (keyboard: Keyboard) => Promise<T>): Promise<T> => {
    erase();
    if (options.keyboard === undefined) throw new Error("asked without a keyboard");
    return await ask(options.keyboard);
  };

  return {
    ...ui,
    // Data must not land between live lines.
    out: (text) => {
      erase();
      ui.out(text);
      redraw();
    },
    table: (rows) => {
      erase();
      ui.table(rows);
      redraw();
    },
    interactive: options.keyboard !== undefined,
    redraws: true,
    step(title): StepUi {
      const step: LiveStep = { title, start: options.now(), detail: "" };
      live.push(step);
      redraw();
      animate();
      const end = (text: string) => {
        const at = live.indexOf(step);
        if (at < 0) return;
        live.splice(at, 1);
        line(text);
        animate();
      };
      const took = () => style.dim(formatDuration(options.now() - step.start));
      const tail = (detail: string | undefined) => detail ? `: ${detail}` : "";
      return {
        update: (detail) => step.detail = detail,
        progress: (done, total, unit) => {
          const numbers = formatProgress(done, total, unit);
          step.detail = total ? `${bar(done / total, 20)} ${numbers}` : numbers;
        },
        done: (detail) => end(`${style.green("✓")} ${title}${tail(detail)} ${took()}`),
        skip: (reason) => end(style.dim(`- ${title}: ${reason}`)),
        fail: (detail) => end(`${style.red("✗")} ${title}${tail(detail)} ${took()}`),
      };
    },
    board(): Board {
      return {
        show: (lines) => {
          board = lines;
          redraw();
        },
        end: () => {
          board = [];
          redraw();
        },
      };
    },
    select: (question, choices) =>
      asking((keyboard) => askChoice(keyboard, options.writeError, style, question, choices)),
    confirm: (question, fallback) =>
      asking((keyboard) => askYesNo(keyboard, options.writeError, style, question, fallback)),
    text: (question) => asking((keyboard) => askText(keyboard, options.writeError, question)),
    secret: (question) => asking((keyboard) => askSecret(keyboard, options.writeError, question)),
    lineEditor: async () => {
      erase();
      if (options.lineEditor === undefined) throw new Error("asked without a keyboard");
      return await options.lineEditor();
    },
    close() {
      erase();
      live.length = 0;
      board = [];
      animate();
    },
  };
}
