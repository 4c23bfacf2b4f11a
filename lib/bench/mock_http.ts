/**
 * Just enough of an HTTP/1.1 server for the mock: requests in, raw bytes out. The mock writes
 * its own responses, as some of them are broken on purpose.
 *
 * @module
 */
import { close, writeAll } from "./transport.ts";

/** A request, read completely. */
export interface MockRequest {
  /** When its last byte was read, on the monotonic clock. */
  readonly received: number;
  /** Method. */
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Body as text. */
  readonly body: string;
}

/** A connection of a client. */
export class MockConnection {
  readonly #connection: Deno.Conn;
  readonly #now: () => number;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #waiting: Uint8Array[] = [];
  /** Requests read so far. */
  requests: number = 0;

  /** Wraps an accepted connection; `now` is the monotonic clock. */
  constructor(connection: Deno.Conn, now: () => number) {
    this.#connection = connection;
    this.#now = now;
  }

  /** Reads requests and hands them on, one after the other, until the client is gone. */
  async serve(handle: (request: MockRequest) => Promise<void>): Promise<void> {
    let rest = new Uint8Array(0);
    let received = this.#now();
    const buffer = new Uint8Array(READ_BUFFER);
    try {
      for (;;) {
        let request: { request: MockRequest; end: number } | undefined;
        while ((request = parseRequest(rest, received)) === undefined) {
          const length = await this.#connection.read(buffer);
          received = this.#now();
          if (length === null) return;
          const joined = new Uint8Array(rest.length + length);
          joined.set(rest);
          joined.set(buffer.subarray(0, length), rest.length);
          rest = joined;
        }
        rest = rest.slice(request.end);
        this.requests++;
        await handle(request.request);
      }
    } catch {
      // The client went away, which is its right.
    } finally {
      this.close();
    }
  }

  /**
   * Writes, at once when nothing else is being written; what comes meanwhile is written together.
   * Resolves when all is written. Errors of a client that is gone are of no interest.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#busy) this.#waiting.push(bytes);
    else this.#writing = this.#send(bytes);
    return this.#writing;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    this.#busy = true;
    try {
      await writeAll(this.#connection, bytes);
      while (this.#waiting.length > 0) {
        const waiting = this.#waiting;
        this.#waiting = [];
        await writeAll(this.#connection, waiting.length === 1 ? waiting[0]! : joined(waiting));
      }
    } catch {
      this.#waiting = [];
    } finally {
      this.#busy = false;
    }
  }

  /** Ends this side's direction, after what was written before. */
  closeWrite(): Promise<void> {
    return this.#writing = this.#writing.then(() => this.#connection.closeWrite()).catch(() => {});
  }

  /** Closes the connection. */
  close(): void {
    close(this.#connection);
  }
}

const READ_BUFFER = 16 * 1024;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const decoder = new TextDecoder();

function parseRequest(
  bytes: Uint8Array,
  received: number,
): { request: MockRequest; end: number } | undefined {
  let head = -1;
  for (let i = 3; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13) {
      head = i + 1;
      break;
    }
  }
  if (head < 0) return undefined;
  const text = decoder.decode(bytes.subarray(0, head));
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  if (bytes.length < head + length) return undefined;
  const [method, path] = text.split(" ", 2);
  return {
    request: {
      received,
      method: method!,
      path: path!,
      body: decoder.decode(bytes.subarray(head, head + length)),
    },
    end: head + length,
  };
}

const encoder = new TextEncoder();

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One chunk of the chunked encoding. */
export function httpChunk(text: string): string {
  return `${bytesOf(text).length.toString(16)}\r\n${text}\r\n`;
}

/** A whole response. */
export function httpResponse(status: number, type: string, body: string): string {
  return `HTTP/1.1 ${status} ${status === 200 ? "OK" : "Error"}\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${bytesOf(body).length}\r\n\r\n${body}`;
}

/** Headers of a chunked response. */
export function chunkedHead(type: string, extra = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n${extra}\r\n`;
}
