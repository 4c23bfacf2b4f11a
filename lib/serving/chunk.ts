/**
 * What one answer or one streamed chunk of the OpenAI API says.
 *
 * @module
 */
import { errorMessage, excerpt } from "./error_text.ts";
import { sseData, type SseEvent } from "./sse.ts";

/** Token counts as the server reports them. */
export interface Usage {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens of the answer. */
  readonly completionTokens: number;
  /** Their sum, as reported. */
  readonly totalTokens: number | undefined;
  /** Prompt tokens that came from a cache, where the server says so. */
  readonly cachedTokens: number | undefined;
}

/** One chunk, or one whole answer, in our words. */
export interface Chunk {
  /** Text of the answer; for a chunk, the new part. Empty when there is none. */
  readonly text: string;
  /** Text of the model's reasoning, where it is reported apart. */
  readonly reasoning: string;
  /** Whether a tool call (or its next part) is in it. */
  readonly toolCall: boolean;
  /** Why the answer ended: `stop`, `length`, …; undefined while it goes on. */
  readonly finishReason: string | undefined;
  /** Token counts, where reported. */
  readonly usage: Usage | undefined;
  /** The server's words, when it reports an error in place of an answer. */
  readonly error: string | undefined;
  /** Model that answered, where named. */
  readonly model: string | undefined;
}

type Json = Record<string, unknown>;

const EMPTY: Chunk = {
  text: "",
  reasoning: "",
  toolCall: false,
  finishReason: undefined,
  usage: undefined,
  error: undefined,
  model: undefined,
};

/**
 * Reads a chunk or an answer of chat completions or completions. Lenient: a field that is
 * not what it should be counts as absent.
 */
export function readChunk(value: unknown): Chunk {
  const json = object(value);
  if (json === undefined) {
    return { ...EMPTY, error: `not a JSON object: ${excerpt(String(value))}` };
  }
  const choices = Array.isArray(json.choices) ? json.choices : undefined;
  const usage = readUsage(json.usage);
  const model = text(json.model) || undefined;
  if (choices === undefined && usage === undefined) {
    return { ...EMPTY, error: excerpt(errorMessage(json) ?? JSON.stringify(json)) };
  }
  const error = json.error === undefined || json.error === null ? undefined : errorMessage(json);
  let all: Chunk = { ...EMPTY, usage, model, error };
  for (const choice of choices ?? []) {
    const one = object(choice);
    if (one === undefined) continue;
    const part = object(one.delta) ?? object(one.message) ?? {};
    all = {
      ...all,
      text: all.text + text(part.content) + text(one.text),
      reasoning: all.reasoning + (text(part.reasoning_content) || text(part.reasoning)),
      toolCall: all.toolCall || (Array.isArray(part.tool_calls) && part.tool_calls.length > 0),
      finishReason: all.finishReason ?? (text(one.finish_reason) || undefined),
    };
  }
  return all;
}

/** Whether something the model produced is in the chunk. */
export function hasOutput(chunk: Chunk): boolean {
  return chunk.text !== "" || chunk.reasoning !== "" || chunk.toolCall;
}

/** What one event of a stream is. */
export type StreamItem =
  | { readonly kind: "chunk"; readonly chunk: Chunk }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly message: string };

/** Reads one event of a stream: a chunk, the end mark, or an error. */
export function readStreamEvent(event: SseEvent): StreamItem {
  const data = sseData(event);
  if (event.type === "error") {
    return { kind: "error", message: eventError(data, event.comment) };
  }
  if (data.trim() === "[DONE]") return { kind: "done" };
  // Typed events other than errors are the server's own remarks (Dynamo sends annotations so).
  if (data === "") return { kind: "chunk", chunk: EMPTY };
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return { kind: "error", message: `not JSON: ${excerpt(data)}` };
  }
  if (event.type !== "" && object(json)?.choices === undefined) {
    return { kind: "chunk", chunk: EMPTY };
  }
  const chunk = readChunk(json);
  return chunk.error === undefined
    ? { kind: "chunk", chunk }
    : { kind: "error", message: chunk.error };
}

function eventError(data: string, comment: string): string {
  const words = data === "" ? comment : data;
  try {
    const parsed: unknown = JSON.parse(words);
    return excerpt(typeof parsed === "string" ? parsed : errorMessage(parsed) ?? words);
  } catch {
    return excerpt(words) || "the server reported an error without words";
  }
}

/** Token counts, or undefined when the value holds none. */
export function readUsage(value: unknown): Usage | undefined {
  const json = object(value);
  const promptTokens = count(json?.prompt_tokens);
  const completionTokens = count(json?.completion_tokens);
  if (json === undefined || (promptTokens === undefined && completionTokens === undefined)) {
    return undefined;
  }
  return {
    promptTokens: promptTokens ?? 0,
    completionTokens: completionTokens ?? 0,
    totalTokens: count(json.total_tokens),
    cachedTokens: count(object(json.prompt_tokens_details)?.cached_tokens),
  };
}

function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
