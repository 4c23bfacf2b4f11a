/**
 * A conversation on this terminal: answers as they come, questions line by line.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, type ExitCode, interruptedError, TaskError } from "../cli/errors.ts";
import { interrupted } from "../cli/interrupted.ts";
import type { LineEditor, Typed } from "../cli/line_editor.ts";
import { reportError } from "../cli/main.ts";
import type { StreamPart } from "../serving/completions.ts";
import { type Answer, answerWords, type Conversation } from "../serving/conversation.ts";

/** Options of {@link answerOnce}. */
export interface AnswerOptions {
  /** What is asked. */
  readonly prompt: string;
  /** Writes one line of JSON in place of the text. */
  readonly json: boolean;
  /** Stops this answer alone. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Asks once: the text goes to stdout as it comes, how long it took to stderr.
 *
 * @throws {TaskError} as `Conversation.ask`.
 */
export async function answerOnce(
  ctx: Context,
  conversation: Conversation,
  { prompt, json, stop }: AnswerOptions,
): Promise<Answer> {
  const page = json ? undefined : openPage(ctx);
  let answer: Answer;
  try {
    answer = await conversation.ask(prompt, {
      stop,
      onPart: page?.add,
      onAgain: (reason) => ctx.ui.info(`  ${reason}`),
    });
  } finally {
    page?.end();
  }
  if (json) ctx.ui.out(JSON.stringify(answer));
  else if (answer.text === "" && !answer.stopped) ctx.ui.warn("The answer is empty");
  const { maxTokens } = conversation.options;
  const cut = answer.finishReason === "length" ? `; cut at --max-tokens ${maxTokens}` : "";
  ctx.ui.info(`  ${answerWords(answer)}${cut}`);
  return answer;
}

const LEAVE = ["/bye", "/exit", "/quit"];
const HELP = [
  '  """      begins a question of several lines, and ends it',
  "  /clear   forgets what was said",
  "  /bye     leaves, as Ctrl-D does",
  "  Ctrl-C   stops an answer; again, it leaves",
];

/**
 * Asks what is typed until Ctrl-D, or a second Ctrl-C (exit code 130). What goes wrong with one
 * answer is said, and does not end the conversation.
 */
export async function converse(
  ctx: Context,
  conversation: Conversation,
  json: boolean,
): Promise<ExitCode> {
  using editor = await ctx.ui.lineEditor();
  const stopped = interrupted(ctx.signal).then((): never => {
    throw interruptedError();
  });
  const read = (prompt: string) => Promise.race([editor.next(prompt), stopped]);
  let leaving = false;
  for (;;) {
    const typed = await read("> ");
    if (typed.kind === "end") return EXIT.ok;
    if (typed.kind === "interrupt") {
      if (leaving) return EXIT.interrupted;
      leaving = true;
      ctx.ui.info("  Ctrl-C again leaves, as Ctrl-D does");
      continue;
    }
    leaving = false;
    const prompt = await wholePrompt(typed.text, read);
    if (prompt === "") continue;
    if (LEAVE.includes(prompt)) return EXIT.ok;
    if (prompt === "/clear") {
      conversation.clear();
      ctx.ui.info("  Forgotten");
    } else if (/^\/\w+$/.test(prompt)) {
      for (const line of HELP) ctx.ui.info(line);
    } else leaving = await answerTyped(ctx, editor, conversation, { prompt, json });
  }
}

/** Whether the answer was stopped: then another Ctrl-C leaves. */
async function answerTyped(
  ctx: Context,
  editor: LineEditor,
  conversation: Conversation,
  options: AnswerOptions,
): Promise<boolean> {
  try {
    return await editor.during(async (stop) =>
      (await answerOnce(ctx, conversation, { ...options, stop })).stopped
    );
  } catch (error) {
    if (ctx.signal.aborted || !(error instanceof TaskError)) throw error;
    reportError(ctx.ui, error);
    return false;
  }
}

const QUOTES = '"""';

/** A line, or all lines between quotes; empty when they are given up. */
async function wholePrompt(
  first: string,
  read: (prompt: string) => Promise<Typed>,
): Promise<string> {
  const line = first.trim();
  if (!line.startsWith(QUOTES)) return line;
  let text = line.slice(QUOTES.length);
  while (!text.endsWith(QUOTES)) {
    const typed = await read("… ");
    if (typed.kind !== "line") return "";
    text += `\n${typed.text.trimEnd()}`;
  }
  return text.slice(0, -QUOTES.length).trim();
}

interface Page {
  readonly add: (part: StreamPart) => void;
  readonly end: () => void;
}

/** The answer on stdout, reasoning before it on stderr; both end with a line end. */
function openPage(ctx: Context): Page {
  const last = { text: "\n", reasoning: "\n" };
  const endReasoning = () => {
    if (!last.reasoning.endsWith("\n")) ctx.ui.writeTalk("\n");
    last.reasoning = "\n";
  };
  return {
    add(part) {
      const [text, reasoning] = [printable(part.text), printable(part.reasoning)];
      if (reasoning !== "") {
        ctx.ui.writeTalk(reasoning);
        last.reasoning = reasoning;
      }
      if (text === "") return;
      endReasoning();
      ctx.ui.write(text);
      last.text = text;
    },
    end() {
      endReasoning();
      if (!last.text.endsWith("\n")) ctx.ui.write("\n");
    },
  };
}

// What a model says must not move the cursor, or worse.
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "");
}
