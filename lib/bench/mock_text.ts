/**
 * What the mock says: events, their end, and whole answers.
 *
 * @module
 */
import { bytesOf, httpChunk } from "./mock_http.ts";
import type { MockOptions } from "./mock_options.ts";

/** Body of a request, the fields that are read. */
export interface MockBody {
  /** Model asked for. */
  readonly model?: string;
  /** Messages of a chat. */
  readonly messages?: readonly { readonly content: string }[];
  /** Prompt of a plain completion. */
  readonly prompt?: string;
  /** Most tokens of the answer. */
  readonly max_tokens?: number;
  /** The same, under its newer name. */
  readonly max_completion_tokens?: number;
  /** Whether the answer is streamed. */
  readonly stream?: boolean;
  /** Which usage is asked for. */
  readonly stream_options?: {
    readonly include_usage?: boolean;
    readonly continuous_usage_stats?: boolean;
  };
}

/** A request that is answered. */
export interface Answered {
  /** Its body. */
  readonly body: MockBody;
  /** Whether it is a chat. */
  readonly chat: boolean;
  /** Tokens of the answer. */
  readonly tokens: number;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens of the prompt that were cached; undefined without a cache. */
  readonly cachedTokens?: number | undefined;
  /** When usage is reported. */
  readonly usage: NonNullable<MockOptions["usage"]>;
}

const WORDS = [" alpha", " beta", " gamma", " delta", " omega", " sigma", " theta", " kappa"];

/** The event without output that vLLM begins a chat with. */
export function roleText(job: Answered): string {
  return event(job, { role: "assistant", content: "" }, 0);
}

/** The event with the tokens from number `from` to before `to`. */
export function eventText(job: Answered, from: number, to: number): string {
  let content = "";
  for (let i = from; i < to; i++) content += WORDS[i % WORDS.length];
  return event(job, { content }, to);
}

/** Events of one token each that are the same for many requests, so that they are made once. */
export class EventTexts {
  readonly #known = new Map<string, readonly SharedEvent[]>();

  /** Those of a request, one after the other for ever; undefined where each event differs. */
  of(job: Answered): readonly SharedEvent[] | undefined {
    if (reportsEach(job)) return undefined;
    const key = `${job.chat} ${job.body.model}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = WORDS.map((_, i) => {
        const text = eventText(job, i, i + 1);
        return { text, bytes: bytesOf(text) };
      });
      this.#known.set(key, known);
    }
    return known;
  }
}

/** An event in both forms. */
export interface SharedEvent {
  /** As text. */
  readonly text: string;
  /** The same. */
  readonly bytes: Uint8Array;
}

function reportsEach(job: Answered): boolean {
  return job.usage !== "never" &&
    (job.usage === "always" || job.body.stream_options?.continuous_usage_stats === true);
}

function event(job: Answered, delta: { content: string; role?: string }, tokens: number): string {
  const choice = job.chat
    ? { index: 0, delta, logprobs: null, finish_reason: null }
    : { index: 0, text: delta.content, logprobs: null, finish_reason: null };
  return httpChunk(`data: ${
    JSON.stringify({
      id: job.chat ? "chatcmpl-mock" : "cmpl-mock",
      object: job.chat ? "chat.completion.chunk" : "text_completion",
      created: 1,
      model: job.body.model,
      choices: [choice],
      ...(reportsEach(job) ? { usage: usageOf(job, tokens) } : {}),
    })
  }\n\n`);
}

/** The end of a stream: finish reason, usage where asked, end mark, last chunk. */
export function endText(job: Answered): string {
  const asked = job.body.stream_options?.include_usage && job.usage !== "never";
  const last = { choices: [{ index: 0, delta: {}, text: "", finish_reason: "length" }] };
  const usage = { choices: [], usage: usageOf(job, job.tokens) };
  return httpChunk(`data: ${JSON.stringify(last)}\n\n`) +
    (asked ? httpChunk(`data: ${JSON.stringify(usage)}\n\n`) : "") +
    `${httpChunk("data: [DONE]\n\n")}0\r\n\r\n`;
}

/** An answer that is not streamed. */
export function wholeText(job: Answered): string {
  const content = WORDS[0]!.repeat(job.tokens);
  const choice = job.chat
    ? { index: 0, message: { role: "assistant", content }, finish_reason: "length" }
    : { index: 0, text: content, finish_reason: "length" };
  return JSON.stringify({
    object: "completion",
    choices: [choice],
    ...(job.usage === "never" ? {} : { usage: usageOf(job, job.tokens) }),
  });
}

function usageOf(job: Answered, tokens: number): Record<string, unknown> {
  return {
    prompt_tokens: job.promptTokens,
    completion_tokens: tokens,
    total_tokens: job.promptTokens + tokens,
    ...(job.cachedTokens === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: job.cachedTokens } }),
  };
}
