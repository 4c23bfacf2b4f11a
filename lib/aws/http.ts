/**
 * HTTP for the AWS SDK, over the context's `fetch`: unlike the SDK's own handler it goes through
 * HTTPS_PROXY and trusts what Deno trusts.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";

/** A request as the SDK hands it over; path and headers are signed already. */
export interface SdkRequest {
  /** `https:` or `http:`. */
  readonly protocol: string;
  /** Host without the port. */
  readonly hostname: string;
  /** Absent for the protocol's own. */
  readonly port?: number | undefined;
  /** HTTP method. */
  readonly method: string;
  /** Escaped path. */
  readonly path: string;
  /** Query, not escaped yet. */
  readonly query?: Readonly<Record<string, string | readonly string[] | null>> | undefined;
  /** Headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body. */
  // deno-lint-ignore no-explicit-any -- whatever the SDK's serializers make
  readonly body?: any;
}

/** A response as the SDK reads it. */
export interface SdkResponse {
  /** HTTP status. */
  readonly statusCode: number;
  /** Text of the status. */
  readonly reason: string;
  /** Headers, names in lower case. */
  readonly headers: Record<string, string>;
  /** Body. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
}

/** Options of {@link SdkHandler.handle}. */
export interface SdkHandlerOptions {
  /** Ends the request. */
  readonly abortSignal?: unknown;
}

/** What the SDK calls a request handler. */
export interface SdkHandler {
  /** Sends one attempt of a request. */
  handle(request: SdkRequest, options?: SdkHandlerOptions): Promise<{ response: SdkResponse }>;
  /** Part of the SDK's interface; there is nothing to change. */
  updateHttpClientConfig(key: never, value: never): void;
  /** Part of the SDK's interface. */
  httpHandlerConfigs(): Record<string, never>;
  /** Part of the SDK's interface; connections belong to `fetch`. */
  destroy(): void;
}

/** Makes the handler. An attempt that takes longer than `attemptMs` milliseconds counts as failed. */
export function fetchHandler(ctx: Pick<Context, "net">, attemptMs: number): SdkHandler {
  return {
    handle: async (request, options) => ({ response: await send(request, options?.abortSignal) }),
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    destroy: () => {},
  };

  async function send(request: SdkRequest, signal: unknown): Promise<SdkResponse> {
    const limit = AbortSignal.timeout(attemptMs);
    const headers = new Headers(request.headers);
    headers.delete("host");
    const bodyless = request.method === "GET" || request.method === "HEAD";
    const answer = await ctx.net.fetch(urlOf(request), {
      method: request.method,
      headers,
      redirect: "manual",
      body: bodyless ? null : request.body ?? null,
      signal: signal instanceof AbortSignal ? AbortSignal.any([signal, limit]) : limit,
    });
    return {
      statusCode: answer.status,
      reason: answer.statusText,
      headers: Object.fromEntries(answer.headers),
      body: answer.body ?? new Uint8Array(),
    };
  }
}

/** URL of a request, escaped as its signature was made (RFC 3986, not what URLSearchParams does). */
export function urlOf(request: SdkRequest): string {
  const pairs: string[] = [];
  for (const [key, value] of Object.entries(request.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      pairs.push(one === null ? escape(key) : `${escape(key)}=${escape(one)}`);
    }
  }
  const port = request.port === undefined ? "" : `:${request.port}`;
  const query = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `${request.protocol}//${request.hostname}${port}${request.path}${query}`;
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
