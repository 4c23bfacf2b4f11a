/**
 * One completion from an OpenAI-compatible endpoint, streamed or not.
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";
import { type Chunk, hasOutput, readChunk, readStreamEvent, type Usage } from "./chunk.ts";
import {
  baseUrl,
  type Call,
  type CallContext,
  type Endpoint,
  mediaType,
  withResponse,
} from "./endpoint.ts";
import { excerpt } from "./error_text.ts";
import { SseParser } from "./sse.ts";

/** A part of a streamed answer; one of the texts may be empty. */
export type StreamPart = Pick<Chunk, "text" | "reasoning">;

/** What both kinds of completion take. */
export interface CompletionOptions {
  /** Name of the model. */
  readonly model: string;
  /** Most tokens to produce. Always sent: Dynamo's mocker refuses requests without it. */
  readonly maxTokens: number;
  /** Ask for server-sent events. */
  readonly stream?: boolean;
  /** Further fields of the request, as they are. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Called with each part of a streamed answer as it comes. */
  readonly onPart?: (part: StreamPart) => void;
  /** Stops this answer alone: it is returned as far as it came, without a finish reason. */
  readonly signal?: AbortSignal;
}
/** A chat request: one user message, or all messages. */
export interface ChatOptions extends CompletionOptions {
  /** The conversation; a text is one message of the user. */
  readonly messages: string | readonly Readonly<Record<string, unknown>>[];
}

/** A plain completion request. */
export interface TextOptions extends CompletionOptions {
  /** Text to go on from. */
  readonly prompt: string;
}

/** An answer of the model. */
export interface Completion {
  /** The answer's text. */
  readonly text: string;
  /** Reasoning, where the server reports it apart. */
  readonly reasoning: string;
  /** Whether the answer calls a tool. */
  readonly toolCall: boolean;
  /** Why it ended, as the server says. */
  readonly finishReason: string | undefined;
  /** Token counts; a stream carries them only when asked, and not from every server. */
  readonly usage: Usage | undefined;
  /** Events with output; 1 when not streamed. */
  readonly events: number;
  /** Milliseconds to the first output; undefined when not streamed. */
  readonly firstMs: number | undefined;
  /** Milliseconds to the end of the answer. */
  readonly ms: number;
}

/**
 * A chat completion.
 *
 * @throws {TaskError} as `call` of `endpoint.ts`; ENDPOINT_BODY, or STREAM_ERROR and
 * STREAM_TRUNCATED for a stream that reports an error or ends too early.
 */
export function chat(
  ctx: CallContext,
  endpoint: Endpoint,
  options: ChatOptions,
): Promise<Completion> {
  return complete(ctx, endpoint, chatCall(options), options);
}

/** A completion of a text; errors as {@link chat}. */
export function completions(
  ctx: CallContext,
  endpoint: Endpoint,
  options: TextOptions,
): Promise<Completion> {
  return complete(ctx, endpoint, textCall(options), options);
}

/** The HTTP call of a chat completion. */
export function chatCall(options: ChatOptions): Call {
  const { messages } = options;
  return {
    method: "POST",
    path: "/v1/chat/completions",
    body: {
      model: options.model,
      messages: typeof messages === "string" ? [{ role: "user", content: messages }] : messages,
      ...commonFields(options),
    },
  };
}

/** The HTTP call of a plain completion. */
export function textCall(options: TextOptions): Call {
  return {
    method: "POST",
    path: "/v1/completions",
    body: { model: options.model, prompt: options.prompt, ...commonFields(options) },
  };
}

function commonFields(options: CompletionOptions): Record<string, unknown> {
  return {
    max_tokens: options.maxTokens,
    stream: options.stream ?? false,
    ...(options.stream ? { stream_options: { include_usage: true } } : {}),
    ...options.extra,
  };
}

/** An answer that is still coming. */
type Coming = { -readonly [K in keyof Completion]: Completion[K] };

async function complete(
  ctx: CallContext,
  endpoint: Endpoint,
  call: Call,
  options: CompletionOptions,
): Promise<Completion> {
  const start = ctx.clock.monotonic();
  const now = () => ctx.clock.monotonic() - start;
  const url = baseUrl(endpoint.url) + call.path;
  const { signal } = options;
  const own = signal === undefined
    ? ctx
    : { ...ctx, signal: AbortSignal.any([ctx.signal, signal]) };
  const partial: Coming = {
    text: "",
    reasoning: "",
    toolCall: false,
    finishReason: undefined,
    usage: undefined,
    events: 0,
    firstMs: undefined,
    ms: 0,
  };
  try {
    return await withResponse(
      own,
      endpoint,
      call,
      (response) =>
        options.stream
          ? readStream(response, partial, { url, now, onPart: options.onPart })
          : readAnswer(response, url, now),
    );
  } catch (error) {
    if (signal?.aborted !== true || ctx.signal.aborted) throw error;
    return { ...partial, ms: now() };
  }
}

async function readAnswer(response: Response, url: string, now: () => number): Promise<Completion> {
  const body = await response.text();
  let chunk: Chunk;
  try {
    chunk = readChunk(JSON.parse(body));
  } catch {
    throw bodyError(url, `with something else than JSON: ${excerpt(body)}`);
  }
  if (chunk.error !== undefined) throw bodyError(url, `without a completion: ${chunk.error}`);
  return {
    text: chunk.text,
    reasoning: chunk.reasoning,
    toolCall: chunk.toolCall,
    finishReason: chunk.finishReason,
    usage: chunk.usage,
    events: 1,
    firstMs: undefined,
    ms: now(),
  };
}

interface Reading {
  readonly url: string;
  readonly now: () => number;
  readonly onPart: CompletionOptions["onPart"];
}

async function readStream(
  response: Response,
  result: Coming,
  { url, now, onPart }: Reading,
): Promise<Completion> {
  const type = mediaType(response);
  if (type !== "text/event-stream") {
    throw bodyError(
      url,
      `a streamed request with ${type || "no content type"}, not text/event-stream`,
    );
  }
  let done = false;
  const parser = new SseParser((event) => {
    const item = readStreamEvent(event);
    if (item.kind === "done") done = true;
    else if (item.kind === "error") throw streamError(url, item.message, result.events);
    else {
      const { chunk } = item;
      if (hasOutput(chunk)) {
        result.firstMs ??= now();
        result.events++;
      }
      result.text += chunk.text;
      result.reasoning += chunk.reasoning;
      result.toolCall ||= chunk.toolCall;
      result.finishReason = chunk.finishReason ?? result.finishReason;
      result.usage = chunk.usage ?? result.usage;
      if (chunk.text !== "" || chunk.reasoning !== "") {
        onPart?.({ text: chunk.text, reasoning: chunk.reasoning });
      }
    }
  });
  for await (const part of response.body ?? []) parser.push(part);
  if (!done && result.finishReason === undefined) {
    throw new TaskError({
      code: "STREAM_TRUNCATED",
      message: `The stream of ${url} ended after ${result.events} events, before its end mark`,
      hint: "A worker may have died: see deno task logs.",
    });
  }
  return { ...result, ms: now() };
}

function bodyError(url: string, what: string): TaskError {
  return new TaskError({
    code: "ENDPOINT_BODY",
    message: `POST ${url} answers ${what}`,
    hint: "Is this the base URL of an OpenAI-compatible API?",
  });
}

function streamError(url: string, message: string, events: number): TaskError {
  return new TaskError({
    code: "STREAM_ERROR",
    message: `The stream of ${url} reported an error after ${events} events: ${message}`,
    hint: "See the logs of the frontend and its workers.",
  });
}
