/**
 * The bytes of requests.
 *
 * @module
 */
import type { RequestHeaders } from "./headers.ts";
import type { Plan, Workload } from "./workload.ts";

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

const encoder = new TextEncoder();

/** Requests of this shape, as the workload plans them. */
export function requestSource(
  target: RequestTarget,
  shape: RequestShape,
  workload: Workload,
): RequestSource {
  const url = new URL(target.url);
  const path = url.pathname.replace(/\/$/, "") +
    (shape.api === "chat" ? "/v1/chat/completions" : "/v1/completions");
  const head = [
    `POST ${path} HTTP/1.1`,
    ...headerLines(target),
    "Content-Type: application/json",
    `Accept: ${shape.stream ? "text/event-stream" : "application/json"}`,
    "Content-Length: ",
  ].join("\r\n");
  const fields = new Map<number, { readonly text: string; readonly bytes: number }>();
  const fieldsFor = (outputTokens: number) => {
    let known = fields.get(outputTokens);
    if (known === undefined) {
      // Everything but the prompt may hold characters of more than one byte.
      const text = fieldsOf(shape, outputTokens);
      known = { text, bytes: encoder.encode(text).length };
      if (fields.size >= MOST_FIELDS) fields.clear();
      fields.set(outputTokens, known);
    }
    return known;
  };
  return (index) => {
    const plan = workload(index);
    const { text, bytes } = fieldsFor(plan.outputTokens);
    const prompt = shape.api === "chat" ? messagesOf(plan) : promptOf(plan);
    return encoder.encode(`${head}${bytes + prompt.length}\r\n\r\n${text}${prompt}`);
  };
}

/** Different lengths of answers whose fields are kept. */
const MOST_FIELDS = 4096;

// Texts of a plan are ASCII and escaped: as many bytes as characters.
function messagesOf({ messages }: Plan): string {
  let text = ',"messages":[';
  for (let i = 0; i < messages.length; i++) {
    const { role, text: content } = messages[i]!;
    text += `${i === 0 ? "" : ","}{"role":"${role}","content":"${content}"}`;
  }
  return `${text}]}`;
}

function promptOf({ messages }: Plan): string {
  return `,"prompt":"${messages.map((message) => message.text).join("\\n\\n")}"}`;
}

// The body up to the prompt.
function fieldsOf(shape: RequestShape, outputTokens: number): string {
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
  return JSON.stringify(fields).slice(0, -1);
}
