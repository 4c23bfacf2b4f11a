/**
 * Questions to a person at a terminal. Nothing here is called without one.
 *
 * @module
 */
import { interruptedError } from "./errors.ts";
import type { Style } from "./text.ts";
import type { Choice } from "./ui.ts";

/** Keys of a terminal in raw mode. */
export interface Keyboard {
  /** Runs `body` with the terminal in raw mode; `next` gives what was typed since the last call. */
  raw<T>(body: (next: () => Promise<string>) => Promise<T>): Promise<T>;
}

/** Writes to the terminal. */
export type Write = (text: string) => void;

/** A menu: arrow keys (or j, k) and Enter, or the number of a line. */
export function askChoice<T>(
  keyboard: Keyboard,
  write: Write,
  style: Style,
  question: string,
  choices: readonly Choice<T>[],
): Promise<T> {
  return keyboard.raw(async (next) => {
    let at = 0;
    write(`${style.bold(question)} ${style.dim("(↑ ↓ or number, Enter)")}\n`);
    for (;;) {
      write(choices.map((choice, i) => menuLine(choice, i, i === at, style)).join("\r\n") + "\r\n");
      const key = await next();
      if (key === "\x03" || key === "\x04" || key === "") throw interruptedError();
      write(`\x1b[${choices.length}A\x1b[0J`);
      const number = /^\d+/.exec(key)?.[0];
      if (key === "\x1b[A" || key === "k") at = (at + choices.length - 1) % choices.length;
      else if (key === "\x1b[B" || key === "j") at = (at + 1) % choices.length;
      else if (number !== undefined && choices[Number(number) - 1] !== undefined) {
        at = Number(number) - 1;
      }
      const chosen = choices[at];
      if (/[\r\n]/.test(key) && chosen !== undefined) {
        write(`  ${style.green("✓")} ${chosen.label}\r\n`);
        return chosen.value;
      }
    }
  });
}

function menuLine<T>(choice: Choice<T>, index: number, current: boolean, style: Style): string {
  const label = `${String(index + 1).padStart(2)}. ${choice.label}`;
  const detail = choice.detail ? style.dim(`  ${choice.detail}`) : "";
  return current ? `${style.cyan("❯")} ${style.bold(label)}${detail}` : `  ${label}${detail}`;
}

/** Yes or no; Enter alone means `fallback`. */
export function askYesNo(
  keyboard: Keyboard,
  write: Write,
  style: Style,
  question: string,
  fallback: boolean,
): Promise<boolean> {
  return keyboard.raw(async (next) => {
    write(`${style.bold(question)} ${fallback ? "[Y/n]" : "[y/N]"} `);
    for (;;) {
      const key = (await next()).toLowerCase();
      if (key === "\x03" || key === "\x04" || key === "") throw interruptedError();
      const answer = key.startsWith("y")
        ? true
        : key.startsWith("n")
        ? false
        : /^[\r\n]/.test(key)
        ? fallback
        : undefined;
      if (answer === undefined) continue;
      write(`${answer ? "yes" : "no"}\r\n`);
      return answer;
    }
  });
}

/** A secret, not shown while it is typed. */
export function askSecret(keyboard: Keyboard, write: Write, question: string): Promise<string> {
  return askLine(keyboard, write, { question: `${question} (not shown)`, shown: false });
}

/** A line of text. */
export function askText(keyboard: Keyboard, write: Write, question: string): Promise<string> {
  return askLine(keyboard, write, { question, shown: true });
}

function askLine(
  keyboard: Keyboard,
  write: Write,
  { question, shown }: { readonly question: string; readonly shown: boolean },
): Promise<string> {
  return keyboard.raw(async (next) => {
    write(`${question}: `);
    let typed = "";
    for (;;) {
      for (const key of await next()) {
        if (key === "\x03" || key === "\x04") throw interruptedError();
        if (key === "\r" || key === "\n") {
          write("\r\n");
          return typed.trim();
        }
        const erases = key === "\x7f" || key === "\b";
        if (shown) write(erases ? (typed === "" ? "" : "\b \b") : key);
        typed = erases ? typed.slice(0, -1) : typed + key;
      }
    }
  });
}
