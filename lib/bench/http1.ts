/**
 * HTTP/1.1 responses, parsed from bytes as they come, without copying bodies.
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";
import { excerpt } from "../serving/error_text.ts";

/** Status line and headers of a response. */
export interface ResponseHead {
  /** HTTP status. */
  readonly status: number;
  /** Headers by lower-case name; of repeated ones the last, except that lists are joined. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the connection can be used again afterwards. */
  readonly keepAlive: boolean;
}

/** Gets the parts of a response as they come. */
export interface ResponseHandler {
  /** Status and headers are there. */
  onHead(head: ResponseHead): void;
  /** Bytes `[start, end)` of the body; valid during the call only. */
  onBody(bytes: Uint8Array, start: number, end: number): void;
}

/** Largest status line and headers, in bytes. */
const MAX_HEAD = 64 * 1024;
const MAX_TRAILER = 16 * 1024;
const CR = 13, LF = 10;
const ascii = new TextDecoder("latin1");

const enum State {
  Head,
  ChunkSize,
  ChunkExtension,
  ChunkSizeEnd,
  ChunkData,
  ChunkDataCr,
  ChunkDataLf,
  Trailer,
  Length,
  UntilClose,
  Done,
}

/** Incremental parser of one response after the other. */
export class ResponseParser {
  readonly #handler: ResponseHandler;
  #state: State = State.Head;
  #head = new Uint8Array(512);
  #headLength = 0;
  // Bytes left of the chunk or the body.
  #left = 0;
  #digits = 0;
  #trailer = 0;
  #trailerLine = 0;

  /** A parser that reports to `handler`. */
  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  /** Whether the response is complete. */
  get done(): boolean {
    return this.#state === State.Done;
  }

  /** Whether no byte of a response was seen since the last reset. */
  get untouched(): boolean {
    return this.#state === State.Head && this.#headLength === 0;
  }

  /** Whether the next byte is the first of a chunk. */
  get betweenChunks(): boolean {
    return this.#state === State.ChunkSize && this.#digits === 0;
  }

  /** Starts the next response. */
  reset(): void {
    this.#state = State.Head;
    this.#headLength = 0;
  }

  /**
   * Takes the bytes `[start, end)`; stops at the end of the response.
   *
   * @returns the first byte that was not taken.
   * @throws {TaskError} HTTP_MALFORMED, or HTTP_UNSUPPORTED for encodings that were not asked for.
   */
  push(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state !== State.Done) {
      switch (this.#state) {
        case State.Head:
          at = this.#pushHead(bytes, at, end);
          break;
        case State.ChunkData: {
          const length = Math.min(this.#left, end - at);
          this.#left -= length;
          if (this.#left === 0) this.#state = State.ChunkDataCr;
          this.#handler.onBody(bytes, at, at + length);
          at += length;
          break;
        }
        case State.Length: {
          const length = Math.min(this.#left, end - at);
          this.#left -= length;
          if (this.#left === 0) this.#state = State.Done;
          this.#handler.onBody(bytes, at, at + length);
          at += length;
          break;
        }
        case State.UntilClose:
          this.#handler.onBody(bytes, at, end);
          at = end;
          break;
        default:
          this.#frame(bytes[at++]!);
      }
    }
    return at;
  }

  /** The connection ended. @returns whether that completes the response. */
  end(): boolean {
    if (this.#state === State.UntilClose) this.#state = State.Done;
    return this.#state === State.Done;
  }

  // One byte between the chunks.
  #frame(byte: number): void {
    switch (this.#state) {
      case State.ChunkSize: {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          if (++this.#digits > 12) throw malformed("a chunk's size has more than 12 digits");
          this.#left = this.#left * 16 + digit;
        } else if (this.#digits === 0) {
          throw malformed(`a chunk's size starts with byte ${byte}`);
        } else if (byte === CR) this.#state = State.ChunkSizeEnd;
        else if (byte === 59 || byte === 32 || byte === 9) this.#state = State.ChunkExtension;
        else throw malformed(`byte ${byte} in a chunk's size`);
        return;
      }
      case State.ChunkExtension:
        if (byte === CR) this.#state = State.ChunkSizeEnd;
        return;
      case State.ChunkSizeEnd:
        if (byte !== LF) throw malformed("a chunk's size does not end with CR LF");
        this.#trailer = this.#trailerLine = 0;
        this.#state = this.#left === 0 ? State.Trailer : State.ChunkData;
        return;
      case State.ChunkDataCr:
        if (byte !== CR) throw malformed("a chunk is longer than its size says");
        this.#state = State.ChunkDataLf;
        return;
      case State.ChunkDataLf:
        if (byte !== LF) throw malformed("a chunk does not end with CR LF");
        this.#startChunk();
        return;
      default: // Trailer
        if (++this.#trailer > MAX_TRAILER) throw malformed("the trailer is too long");
        if (byte === LF) {
          if (this.#trailerLine === 0) this.#state = State.Done;
          this.#trailerLine = 0;
        } else if (byte !== CR) this.#trailerLine++;
    }
  }

  #startChunk(): void {
    this.#state = State.ChunkSize;
    this.#left = 0;
    this.#digits = 0;
  }

  // Collects up to the empty line; the head is small and comes once a response.
  #pushHead(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at++]!;
      if (this.#headLength === this.#head.length) this.#growHead();
      this.#head[this.#headLength++] = byte;
      if (this.#headLength === 5 && ascii.decode(this.#head.subarray(0, 5)) !== "HTTP/") {
        const seen = ascii.decode(this.#head.subarray(0, 5)) +
          ascii.decode(bytes.subarray(at, end));
        throw malformed(`the answer is not HTTP: ${excerpt(seen)}`);
      }
      if (byte === LF && endsEmpty(this.#head, this.#headLength)) {
        this.#startBody(parseHead(ascii.decode(this.#head.subarray(0, this.#headLength))));
        return at;
      }
    }
    return at;
  }

  #growHead(): void {
    if (this.#head.length >= MAX_HEAD) throw malformed("the headers are longer than 64 KiB");
    const grown = new Uint8Array(2 * this.#head.length);
    grown.set(this.#head);
    this.#head = grown;
  }

  #startBody(head: ResponseHead): void {
    this.#headLength = 0;
    // 1xx are announcements; the response comes after them.
    if (head.status >= 100 && head.status < 200) return;
    const encoding = head.headers.get("content-encoding") ?? "identity";
    if (encoding !== "identity") {
      throw unsupported(`the answer is encoded as ${encoding}, which was not asked for`);
    }
    const transfer = head.headers.get("transfer-encoding");
    const length = head.headers.get("content-length");
    let body = true;
    if (head.status === 204 || head.status === 304) body = false;
    else if (transfer !== undefined) {
      if (transfer.toLowerCase() !== "chunked") throw unsupported(`transfer encoding ${transfer}`);
      this.#startChunk();
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw malformed(`content length "${length}"`);
      this.#left = Number(length);
      this.#state = State.Length;
      body = this.#left > 0;
    } else this.#state = State.UntilClose;
    if (!body) this.#state = State.Done;
    this.#handler.onHead(
      this.#state === State.UntilClose ? { ...head, keepAlive: false } : head,
    );
  }
}

function endsEmpty(bytes: Uint8Array, length: number): boolean {
  return length >= 2 &&
    (bytes[length - 2] === LF || (bytes[length - 2] === CR && bytes[length - 3] === LF));
}

function parseHead(text: string): ResponseHead {
  const lines = text.split(/\r?\n/);
  const status = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0]!);
  if (status === null) throw malformed(`status line "${excerpt(lines[0]!)}"`);
  const headers = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0 || /\s$/.test(line.slice(0, colon))) {
      throw malformed(`header "${excerpt(line)}"`);
    }
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    if (name === "content-length" && before !== undefined && before !== value) {
      throw malformed("two different content lengths");
    }
    headers.set(
      name,
      before === undefined || name === "content-length" ? value : `${before}, ${value}`,
    );
  }
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  return {
    status: Number(status[2]),
    headers,
    keepAlive: status[1] === "1" ? connection !== "close" : connection === "keep-alive",
  };
}

/** Value of a hexadecimal digit, given as its byte; -1 when it is none. */
export function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function malformed(what: string): TaskError {
  return new TaskError({ code: "HTTP_MALFORMED", message: `Broken HTTP: ${what}` });
}

function unsupported(what: string): TaskError {
  return new TaskError({ code: "HTTP_UNSUPPORTED", message: `Not supported: ${what}` });
}
