/**
 * Chooses the rendering for this process's terminal.
 *
 * @module
 */
import type { Environment } from "./context.ts";
import { usageError } from "./errors.ts";
import type { LineEditor } from "./line_editor.ts";
import type { Keyboard } from "./prompts.ts";
import type { Ui } from "./ui.ts";
import { plainUi, type UiOptions } from "./ui_plain.ts";
import { ttyUi } from "./ui_tty.ts";

/**
 * The terminal of this process: live when standard error is a terminal that can
 * move its cursor, plain otherwise (`CI`, `TERM=dumb`). `NO_COLOR` takes colours away
 * (https://no-color.org).
 */
export function terminalUi(env: Environment, verbose: boolean): Ui {
  const ci = env.get("CI") !== undefined;
  const terminal = Deno.stderr.isTerminal() && env.get("TERM") !== "dumb";
  const colors = env.get("TERM") !== "dumb" && !ci && env.get("NO_COLOR") === undefined;
  const options: UiOptions = {
    writeError: (text) => writeAll(Deno.stderr, text),
    writeOut: (text) => writeAll(Deno.stdout, text),
    now: () => performance.now(),
    verbose,
    color: terminal && colors,
    colorData: Deno.stdout.isTerminal() && colors,
    width: columns(),
    input: standardInput,
  };
  if (!terminal || ci) return plainUi(options);
  return ttyUi({
    ...options,
    columns,
    rows,
    keyboard: Deno.stdin.isTerminal() ? stdinKeyboard() : undefined,
    lineEditor: Deno.stdin.isTerminal() ? stdinEditor : undefined,
  });
}

function columns(): number {
  try {
    return Math.max(40, Deno.consoleSize().columns);
  } catch {
    return 80;
  }
}

function rows(): number {
  try {
    return Math.max(6, Deno.consoleSize().rows);
  } catch {
    return 24;
  }
}

function writeAll(stream: { writeSync(data: Uint8Array): number }, text: string): void {
  const data = new TextEncoder().encode(text);
  let at = 0;
  while (at < data.length) {
    try {
      at += stream.writeSync(data.subarray(at));
    } catch (error) {
      // The reader went away (`| head`): nobody is left to tell.
      if (error instanceof Deno.errors.BrokenPipe) return;
      if (error instanceof Deno.errors.WouldBlock) continue;
      throw error;
    }
  }
}

function stdinKeyboard(): Keyboard {
  return {
    async raw(body) {
      const buffer = new Uint8Array(256);
      const decoder = new TextDecoder();
      Deno.stdin.setRaw(true);
      try {
        return await body(async () => {
          const size = await Deno.stdin.read(buffer);
          return size === null ? "" : decoder.decode(buffer.subarray(0, size), { stream: true });
        });
      } finally {
        Deno.stdin.setRaw(false);
      }
    },
  };
}

// Loaded when asked for: one task holds a conversation.
async function stdinEditor(): Promise<LineEditor> {
  const [{ openLineEditor }, { stdin }] = await Promise.all([
    import("./line_editor.ts"),
    import("node:process"),
  ]);
  return openLineEditor({
    input: stdin,
    write: (text) => writeAll(Deno.stderr, text),
    columns,
  });
}

// More than any model reads at once.
const MOST_INPUT_BYTES = 16 * 1024 * 1024;

async function standardInput(): Promise<string | undefined> {
  if (Deno.stdin.isTerminal()) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const part of Deno.stdin.readable) {
    bytes += part.length;
    if (bytes > MOST_INPUT_BYTES) {
      throw usageError(
        "INPUT_LARGE",
        `Standard input has more than ${MOST_INPUT_BYTES / 1024 / 1024} MiB`,
      );
    }
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}
