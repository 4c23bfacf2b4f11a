/**
 * One HTTP call to an OpenAI-compatible endpoint: deadline, interruption, and errors that
 * say which request failed and what the server answered.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, messageOf, TaskError, timeoutError, usageError } from "../cli/errors.ts";
import { errorText } from "./error_text.ts";

/** Where the API is served, and how to reach it. */
export interface Endpoint {
  /** Base URL, for example `http://127.0.0.1:8000`. A trailing `/` or `/v1` is dropped. */
  readonly url: string;
  /** Sent as bearer token. Never printed. */
  readonly apiKey?: string | undefined;
  /** Further headers; their values may be secrets and are never printed. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds for a whole call, body included; {@link DEFAULT_TIMEOUT_MS} unless given. */
  readonly timeoutMs?: number | undefined;
}

/** The parts of a {@link Context} that a call needs. */
export type CallContext = Pick<Context, "net" | "clock" | "signal">;

/** Milliseconds for a call when the endpoint names none. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Longest body that is read as text, in bytes; no answer of a probe comes near it. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** One call. */
export interface Call {
  /** `GET` or `POST`. */
  readonly method: "GET" | "POST";
  /** Path with a leading slash, for example `/v1/models`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: Record<string, unknown> | undefined;
  /** Sent as JSON as it is, in place of `body`: for requests that are malformed on purpose. */
  readonly raw?: string | undefined;
  /** Statuses that are an answer and not an error, besides 200 to 299. */
  readonly accept?: readonly number[];
}

/** The answer of a call, read to its end. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** Content type without parameters, in lower case; empty when there is none. */
  readonly contentType: string;
  /** The body. */
  readonly text: string;
  /** Milliseconds from sending to the end of the body. */
  readonly ms: number;
}

/**
 * The base URL without trailing `/` or `/v1`.
 *
 * @throws {TaskError} URL_INVALID (exit code 2) for anything that is not an http or https URL.
 */
export function baseUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) {
    throw usageError(
      "URL_INVALID",
      `"${url}" is not a URL of an endpoint`,
      "Give scheme, host and port: http://127.0.0.1:8000",
    );
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw usageError(
      "URL_INVALID",
      `The URL of ${parsed.host} carries a user name or password`,
      "Leave them out: a command line is visible to other users.",
    );
  }
  return (parsed.origin + parsed.pathname).replace(/\/+$/, "").replace(/\/v1$/, "");
}

/**
 * Makes a call and reads the whole answer.
 *
 * @throws {TaskError} ENDPOINT_UNREACHABLE, ENDPOINT_TIMEOUT (exit code 4), ENDPOINT_STATUS with
 * status and the start of the body, or INTERRUPTED.
 */
export async function call(ctx: CallContext, endpoint: Endpoint, call: Call): Promise<Answer> {
  const start = ctx.clock.monotonic();
  return await withResponse(ctx, endpoint, call, async (response) => ({
    status: response.status,
    contentType: mediaType(response),
    text: await readText(response),
    ms: ctx.clock.monotonic() - start,
  }));
}

/**
 * Makes a call and hands the response to `read`, under the same deadline. The body is
 * released afterwards, read or not.
 *
 * @throws {TaskError} as {@link call}; errors of `read` that are a TaskError pass unchanged.
 */
export async function withResponse<T>(
  ctx: CallContext,
  endpoint: Endpoint,
  call: Call,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const url = baseUrl(endpoint.url) + call.path;
  const timeoutMs = endpoint.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const body = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
  let response: Response | undefined;
  try {
    response = await ctx.net.fetch(url, {
      method: call.method,
      redirect: "manual",
      headers: {
        ...endpoint.headers,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(endpoint.apiKey === undefined ? {} : { Authorization: `Bearer ${endpoint.apiKey}` }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([ctx.signal, deadline]),
    });
    if (!response.ok && !call.accept?.includes(response.status)) {
      throw statusError(call, url, response.status, await readText(response));
    }
    return await read(response);
  } catch (error) {
    if (error instanceof TaskError) throw error;
    if (ctx.signal.aborted) throw interruptedError();
    if (deadline.aborted) {
      throw timeoutError(
        "ENDPOINT_TIMEOUT",
        `${call.method} ${url} was not answered within ${seconds(timeoutMs)}`,
        { hint: "See the logs of the frontend and its workers.", cause: error },
      );
    }
    throw new TaskError({
      code: "ENDPOINT_UNREACHABLE",
      message: `${call.method} ${url} failed: ${networkReason(error)}`,
      hint: /certificate/.test(networkReason(error))
        ? "For a certificate of your own, name its authority: DENO_CERT=ca.pem"
        : "Is the frontend running, and the port-forward open?",
      cause: error,
    });
  } finally {
    // Releases the connection; a body read to its end has nothing to cancel.
    await response?.body?.cancel().catch(() => {});
  }
}

// fetch says only "fetch failed"; what happened is in its cause, behind the URL.
function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error).replace(/^error sending request for url \(.*?\): /, "");
}

/** The error for a status that is not an answer. */
export function statusError(
  call: Pick<Call, "method">,
  url: string,
  status: number,
  body: string,
): TaskError {
  const said = errorText(body);
  return new TaskError({
    code: "ENDPOINT_STATUS",
    message: `${call.method} ${url} answered ${status}${
      said === "" ? " with no body" : `: ${said}`
    }`,
    hint: statusHint(status),
  });
}

function statusHint(status: number): string | undefined {
  if (status >= 300 && status < 400) return "Give the URL that the redirect leads to.";
  if (status === 401 || status === 403) return "The endpoint wants an API key.";
  if (status === 404) {
    return "Is this the base URL of an OpenAI-compatible API, and the model's name right?";
  }
  if (status === 503 || status === 529) {
    return "Its workers are still starting, gone, or overloaded.";
  }
  return undefined;
}

/** Content type of a response without parameters, in lower case; empty when there is none. */
export function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) {
      throw new TaskError({
        code: "ENDPOINT_BODY",
        message: `${response.url} answers with more than ${MAX_BODY_BYTES / 1024 / 1024} MiB`,
      });
    }
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
