/**
 * The bytes of requests.
 *
 * @module
 */
import type { RequestHeaders } from "./headers.ts";
import type { PromptSource } from "./prompts.ts";

/** What requests look like: the API, and the fields that this server accepts. */
export interface RequestShape {
  /** Chat completions or plain completions. */
  readonly api: "chat" | "completions";
  /** Name of the model. */
  readonly model: string;
  /** Whether the answer is streamed. */
  readonly stream: boolean;
  /** Field that limits the answer. */
  readonly limitField: "max_tokens" | "max_completion_tokens";
  /** Whether `min_tokens` is sent. */
  readonly minTokens: boolean;
  /** Whether `ignore_eos` is sent. */
  readonly ignoreEos: boolean;
  /** How usage is asked for in a stream: at its end, in every chunk, or not at all. */
  readonly usage: "end" | "every-chunk" | "none";
  /** Further fields, as the user gave them. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Where requests go. */
export interface RequestTarget {
  /** Base URL without trailing slash. */
  readonly url: string;
  /** Sent as bearer token. */
  readonly apiKey?: string | undefined;
  /** Further headers. */
  readonly headers?: RequestHeaders | undefined;
}

/** Lines of the head that every request has, its first line and what describes its body apart. */
export function headerLines(target: RequestTarget): string[] {
  const { url, apiKey, headers } = target;
  return [
    `Host: ${new URL(url).host}`,
    ...(apiKey === undefined ? [] : [`Authorization: Bearer ${apiKey}`]),
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
}

/** A text without the secrets that requests carry: servers like to quote the key they refuse. */
export function hideSecrets(text: string, target: RequestTarget): string {
  return [target.apiKey, ...Object.values(target.headers ?? {})]
    .filter((secret) => secret !== undefined && secret.length >= 4)
    .reduce<string>((hidden, secret) => hidden.replaceAll(secret!, "***"), text);
}

/** Makes the bytes of request number `index`. */
export type RequestSource = (index: number) => Uint8Array;

/** Lengths of a request. */
export interface Lengths {
  /** Words of the prompt. */
  readonly words: number;
  /** Tokens of the answer. */
  readonly outputTokens: number;
}

const encoder = new TextEncoder();

/** Requests of this shape, all of the same lengths, with prompts from the source. */
export function requestSource(
  target: RequestTarget,
  shape: RequestShape,
  prompts: PromptSource,
  lengths: Lengths,
): RequestSource {
  const url = new URL(target.url);
  const path = url.pathname.replace(/\/$/, "") +
    (shape.api === "chat" ? "/v1/chat/completions" : "/v1/completions");
  const [before, after] = bodyAround(shape, lengths.outputTokens);
  const head = [
    `POST ${path} HTTP/1.1`,
    ...headerLines(target),
    "Content-Type: application/json",
    `Accept: ${shape.stream ? "text/event-stream" : "application/json"}`,
    "Content-Length: ",
  ].join("\r\n");
  // Everything but the prompt may hold characters of more than one byte.
  const fixedLength = encoder.encode(before + after).length;
  return (index) => {
    // The words are ASCII and need no escape: as many bytes as characters.
    const prompt = prompts(index, lengths.words);
    return encoder.encode(
      `${head}${fixedLength + prompt.length}\r\n\r\n${before}${prompt}${after}`,
    );
  };
}

// The body up to the prompt, and after it.
function bodyAround(shape: RequestShape, outputTokens: number): [string, string] {
  const fields = {
    model: shape.model,
    [shape.limitField]: outputTokens,
    stream: shape.stream,
    ...(shape.stream && shape.usage !== "none"
      ? {
        stream_options: {
          include_usage: true,
          ...(shape.usage === "every-chunk" ? { continuous_usage_stats: true } : {}),
        },
      }
      : {}),
    ...(shape.minTokens ? { min_tokens: outputTokens } : {}),
    ...(shape.ignoreEos ? { ignore_eos: true } : {}),
    ...shape.extra,
  };
  const begin = JSON.stringify(fields).slice(0, -1);
  return shape.api === "chat"
    ? [`${begin},"messages":[{"role":"user","content":"`, `"}]}`]
    : [`${begin},"prompt":"`, `"}`];
}
