/**
 * Small requests besides the load, over one kept connection of the same kind as the load's.
 *
 * @module
 */
import { ResponseParser } from "./http1.ts";
import { headerLines, type RequestTarget } from "./request.ts";
import { type ByteConnection, close, type Dial, writeAll } from "./transport.ts";

/** An answer, read to its end. */
export interface HttpAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Where a redirect leads to. */
  readonly location: string | undefined;
  /** The body as text. */
  readonly body: string;
  /** Milliseconds from writing the request to the end of the answer, without dialing. */
  readonly ms: number;
  /** Whether the connection was open before. */
  readonly kept: boolean;
}

/** One request. */
export interface HttpGet {
  /** Path below the target's, with a leading slash. */
  readonly path: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Content types that are wanted. */
  readonly accept: string;
  /** Most bytes of the body. */
  readonly maxBytes: number;
}

/** Asks one server, one request after the other. */
export interface HttpClient {
  /** Sends a GET; dials first where no connection is open. */
  get(request: HttpGet): Promise<HttpAnswer>;
  /** Closes the connection. */
  close(): void;
}

/** Makes a client; it opens nothing yet. `now` is a monotonic clock in milliseconds. */
export function httpClient(
  options: { readonly dial: Dial; readonly target: RequestTarget; readonly now: () => number },
): HttpClient {
  const { dial, target, now } = options;
  let kept: ByteConnection | undefined;
  const encoder = new TextEncoder();
  const base = new URL(target.url).pathname.replace(/\/$/, "");

  async function exchange(
    connection: ByteConnection,
    request: HttpGet,
  ): Promise<Omit<HttpAnswer, "kept"> & { readonly keepAlive: boolean }> {
    const head = [
      `GET ${base}${request.path} HTTP/1.1`,
      ...headerLines(target),
      `Accept: ${request.accept}`,
    ];
    const start = now();
    await writeAll(connection, encoder.encode(`${head.join("\r\n")}\r\n\r\n`));
    let status = 0, location: string | undefined, keepAlive = false, body = "", length = 0;
    const decoder = new TextDecoder();
    const parser = new ResponseParser({
      onHead(response) {
        status = response.status;
        location = response.headers.get("location");
        keepAlive = response.keepAlive;
      },
      onBody(bytes, from, to) {
        length += to - from;
        if (length > request.maxBytes) {
          throw new Error(`the answer is larger than ${request.maxBytes} bytes`);
        }
        body += decoder.decode(bytes.subarray(from, to), { stream: true });
      },
    });
    const buffer = new Uint8Array(16 * 1024);
    while (!parser.done) {
      const count = await connection.read(buffer);
      if (count !== null) parser.push(buffer, 0, count);
      else if (parser.end()) keepAlive = false;
      else throw new Error("the connection ended before the answer was complete");
    }
    return { status, location, body, keepAlive, ms: now() - start };
  }

  async function getOver(
    connection: ByteConnection,
    request: HttpGet,
    wasKept: boolean,
  ): Promise<HttpAnswer> {
    kept = undefined;
    const stop = () => close(connection);
    request.signal.addEventListener("abort", stop, { once: true });
    try {
      const { keepAlive, ...answer } = await exchange(connection, request);
      if (keepAlive && !request.signal.aborted) kept = connection;
      else stop();
      return { ...answer, kept: wasKept };
    } catch (error) {
      stop();
      throw error;
    } finally {
      request.signal.removeEventListener("abort", stop);
    }
  }

  return {
    async get(request) {
      if (kept !== undefined) {
        try {
          return await getOver(kept, request, true);
        } catch (error) {
          // The server may have closed it meanwhile; a new one is worth a try.
          if (request.signal.aborted) throw error;
        }
      }
      return await getOver(await dial(request.signal), request, false);
    },
    close() {
      if (kept !== undefined) close(kept);
      kept = undefined;
    },
  };
}
