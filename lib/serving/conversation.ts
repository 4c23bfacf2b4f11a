/**
 * A conversation with a model: questions, streamed answers, and what was said before.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, TaskError, timeoutError } from "../cli/errors.ts";
import { formatDuration } from "../cli/text.ts";
import { chat, type Completion, type StreamPart } from "./completions.ts";
import type { Endpoint } from "./endpoint.ts";

/** One answer: the shape of `deno task chat --output json`. */
export interface Answer {
  /** Name of the model. */
  readonly model: string;
  /** What was asked. */
  readonly prompt: string;
  /** What was answered. */
  readonly text: string;
  /** Reasoning, where the server reports it apart; empty otherwise. */
  readonly reasoning: string;
  /** Why it ended: `stop`, `length`, …; null where the server does not say, or it was stopped. */
  readonly finishReason: string | null;
  /** Whether it was stopped from here before its end. */
  readonly stopped: boolean;
  /** Tokens of the conversation so far; null where the server does not count. */
  readonly promptTokens: number | null;
  /** Tokens of the answer; null where the server does not count. */
  readonly completionTokens: number | null;
  /** Milliseconds to the first output; null when there was none. */
  readonly ttftMs: number | null;
  /** Tokens after the first one, a second; null when there are too few to tell. */
  readonly tokensPerSecond: number | null;
  /** Milliseconds to the end of the answer. */
  readonly ms: number;
}

/** Whom to ask, and how. */
export interface ConversationOptions {
  /** Where the requests go. Its URL may change between requests. */
  readonly endpoint: Endpoint;
  /** Name of the model. */
  readonly model: string;
  /** Most tokens of an answer. */
  readonly maxTokens: number;
  /** What the model is told before all questions. */
  readonly system?: string | undefined;
  /** Sampling temperature; the model's own unless given. */
  readonly temperature?: number | undefined;
  /** Milliseconds without a token after which an answer counts as lost; two minutes unless given. */
  readonly silenceMs?: number | undefined;
  /**
   * Asked when an answer failed: whether what answers was replaced, in words, once its successor
   * answers. The question is then asked again, unless a part of the answer was shown already.
   */
  readonly replaced?: (() => Promise<string | undefined>) | undefined;
  /** Resolves when what answers has gone away: an answer is then not waited for any longer. */
  readonly gone?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/** How one question is asked. */
export interface AskOptions {
  /** Called with each part of the answer as it comes. */
  readonly onPart?: ((part: StreamPart) => void) | undefined;
  /** Called before a question is asked again, with the reason. */
  readonly onAgain?: ((reason: string) => void) | undefined;
  /** Stops this answer alone: it is returned as far as it came. */
  readonly stop?: AbortSignal | undefined;
}

/** What models of Dynamo take without being asked for more: half a page. */
export const DEFAULT_MAX_TOKENS = 512;

// A long prompt on a busy graph waits this long for its first token; a stream never does.
const SILENCE_MS = 120_000;
// An answer goes on as long as tokens come; this is the net below it.
const ANSWER_MS = 60 * 60_000;
const MOST_TRIES = 3;

interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What was said until now; each question takes all of it along. */
export class Conversation {
  readonly #messages: Message[] = [];

  /** Nothing is said yet. */
  constructor(readonly ctx: Context, readonly options: ConversationOptions) {}

  /** Forgets what was said; the system's message stays. */
  clear(): void {
    this.#messages.length = 0;
  }

  /**
   * Asks, and remembers question and answer; of a stopped answer what came. A question that failed
   * is forgotten, so that the conversation can go on.
   *
   * @throws {TaskError} as `chat`; CHAT_SILENT (exit code 4) when no token comes; CHAT_GONE.
   */
  async ask(prompt: string, options: AskOptions = {}): Promise<Answer> {
    const { system } = this.options;
    const question: Message = { role: "user", content: prompt };
    const messages = [
      ...(system === undefined ? [] : [{ role: "system", content: system } as const]),
      ...this.#messages,
      question,
    ];
    const completion = await this.#complete(messages, options);
    if (completion.text !== "") {
      this.#messages.push(question, { role: "assistant", content: completion.text });
    }
    const stopped = options.stop?.aborted === true && completion.finishReason === undefined;
    return answerOf(completion, { model: this.options.model, prompt, stopped });
  }

  async #complete(messages: readonly Message[], options: AskOptions): Promise<Completion> {
    for (let tries = 1;; tries++) {
      let shown = false;
      try {
        return await this.#attempt(messages, {
          ...options,
          onPart(part) {
            shown = true;
            options.onPart?.(part);
          },
        });
      } catch (error) {
        if (!mayBeAsked(error) || tries === MOST_TRIES) throw error;
        const reason = await this.options.replaced?.();
        if (reason === undefined || shown) throw error;
        options.onAgain?.(reason);
      }
    }
  }

  async #attempt(messages: readonly Message[], options: AskOptions): Promise<Completion> {
    const { endpoint, model, maxTokens, temperature, gone } = this.options;
    const { silenceMs = SILENCE_MS } = this.options;
    const lost = new AbortController();
    const over = new AbortController();
    const silent = () => lost.abort(silence(endpoint, silenceMs));
    let timer = setTimeout(silent, silenceMs);
    // Where it cannot be watched, silence tells as well.
    gone?.(over.signal).then(() => lost.abort(goneAway(endpoint)), () => {});
    const { stop } = options;
    try {
      const completion = await chat(this.ctx, { ...endpoint, timeoutMs: ANSWER_MS }, {
        model,
        maxTokens,
        messages: messages.map((one) => ({ ...one })),
        stream: true,
        ...(temperature === undefined ? {} : { extra: { temperature } }),
        signal: stop === undefined ? lost.signal : AbortSignal.any([stop, lost.signal]),
        onPart(part) {
          clearTimeout(timer);
          timer = setTimeout(silent, silenceMs);
          options.onPart?.(part);
        },
      });
      const ended = completion.finishReason !== undefined || stop?.aborted === true;
      if (lost.signal.aborted && !ended) throw lost.signal.reason;
      return completion;
    } finally {
      over.abort();
      clearTimeout(timer);
    }
  }
}

/**
 * What an answer took, in a few words: `24 tokens in 1.2 s, first after 45 ms, 20.3 tokens/s`, or
 * `stopped after 1.2 s, …`.
 */
export function answerWords(answer: Answer): string {
  const { completionTokens: tokens, stopped, ttftMs, tokensPerSecond, ms } = answer;
  const counted = tokens === null ? [] : [`${tokens} token${tokens === 1 ? "" : "s"}`];
  const time = formatDuration(ms);
  return [
    ...(stopped ? [`stopped after ${time}`, ...counted] : [[...counted, time].join(" in ")]),
    ...(ttftMs === null ? [] : [`first after ${formatDuration(ttftMs)}`]),
    ...(tokensPerSecond === null ? [] : [`${tokensPerSecond.toFixed(1)} tokens/s`]),
  ].join(", ");
}

function answerOf(
  completion: Completion,
  about: Pick<Answer, "model" | "prompt" | "stopped">,
): Answer {
  const { text, reasoning, finishReason, usage, firstMs, ms } = completion;
  const tokens = usage?.completionTokens;
  const streaming = firstMs === undefined ? 0 : ms - firstMs;
  return {
    ...about,
    text,
    reasoning,
    finishReason: finishReason ?? null,
    promptTokens: usage?.promptTokens ?? null,
    completionTokens: tokens ?? null,
    ttftMs: firstMs === undefined ? null : tenth(firstMs),
    tokensPerSecond: tokens === undefined || tokens < 2 || streaming <= 0
      ? null
      : tenth((tokens - 1) / streaming * 1000),
    ms: tenth(ms),
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

// What the server refuses, it refuses again.
function mayBeAsked(error: unknown): boolean {
  return !(error instanceof TaskError) ||
    (error.exitCode !== EXIT.interrupted && error.exitCode !== EXIT.usage &&
      !/ answered 4\d\d\b/.test(error.message));
}

function silence({ url }: Endpoint, ms: number): TaskError {
  return timeoutError("CHAT_SILENT", `${url} sent nothing for ${formatDuration(ms)}`, {
    hint: "See the logs of the frontend and its workers: deno task logs.",
  });
}

function goneAway({ url }: Endpoint): TaskError {
  return new TaskError({
    code: "CHAT_GONE",
    message: `The frontend behind ${url} went away during the answer`,
    hint: "Ask again.",
  });
}
