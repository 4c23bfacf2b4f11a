/**
 * Server-sent events, read from bytes as they come (the event stream format of the HTML
 * standard, with one deviation: an event that has a type or comment but no data is reported
 * too, because Dynamo puts the text of an error there).
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";

/** One event. The bytes are valid only while the handler runs; the object is used again. */
export interface SseEvent {
  /** Buffer that holds the data. */
  bytes: Uint8Array;
  /** First byte of the data. */
  start: number;
  /** Byte after the data; equal to `start` when there is none. */
  end: number;
  /** Value of the `event` field, or empty. */
  type: string;
  /** Text of the comment lines within the event, or empty. */
  comment: string;
}

/** Called with each event. */
export type SseHandler = (event: SseEvent) => void;

/** Largest event accepted unless told otherwise, in bytes. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const LF = 10, CR = 13, SPACE = 32, COLON = 58;
const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();

/** Incremental parser: bytes in, events out. Nothing is copied unless an event is split. */
export class SseParser {
  readonly #handler: SseHandler;
  readonly #maxBytes: number;
  readonly #event: SseEvent = { bytes: NOTHING, start: 0, end: 0, type: "", comment: "" };
  // Bytes of an event that has not ended, and how far they were looked at.
  #carry = new Uint8Array(0);
  #carried = 0;
  #scanned = 0;
  // Offsets of the current event, relative to its first byte; -1 while it has no data.
  #line = 0;
  #dataStart = -1;
  #dataEnd = -1;
  #joined: number[] | undefined;
  #skipLf = false;
  #first = true;

  /** A parser that calls `handler` for each event; larger events than `maxBytes` are an error. */
  constructor(handler: SseHandler, maxBytes = MAX_EVENT_BYTES) {
    this.#handler = handler;
    this.#maxBytes = maxBytes;
  }

  /** Whether an event has begun and not ended. */
  get pending(): boolean {
    return this.#carried > 0;
  }

  /**
   * Takes the bytes `[start, end)`.
   *
   * @throws {TaskError} STREAM_EVENT_TOO_LARGE; and what the handler throws.
   */
  push(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    if (this.#carried === 0) {
      this.#keep(bytes, this.#scan(bytes, start, end), end);
      return;
    }
    this.#append(bytes, start, end);
    const length = this.#carried;
    this.#carried = 0;
    this.#keep(this.#carry, this.#scan(this.#carry, 0, length), length);
  }

  /** Forgets everything, for the next stream. */
  reset(): void {
    this.#carried = this.#scanned = this.#line = 0;
    this.#skipLf = false;
    this.#first = true;
    this.#clear();
  }

  // Looks at [base + scanned, end); base is the first byte of the unfinished event.
  // Returns the first byte that belongs to an event that has not ended.
  #scan(bytes: Uint8Array, base: number, end: number): number {
    let at = base + this.#scanned;
    let line = base + this.#line;
    if (this.#skipLf && at < end) {
      this.#skipLf = false;
      if (bytes[at] === LF) {
        at++;
        line = at;
        if (this.#empty()) base = at;
      }
    }
    // Twice as fast as a look at each byte. What is found beyond the end is none of this stream.
    let cr = nextOf(bytes, CR, at);
    while (at < end) {
      if (cr < at) cr = nextOf(bytes, CR, at);
      const lineEnd = Math.min(cr, bytes[at] === LF ? at : nextOf(bytes, LF, at));
      if (lineEnd >= end) {
        at = end;
        break;
      }
      at = lineEnd + 1;
      if (lineEnd === cr) {
        if (at === end) this.#skipLf = true;
        else if (bytes[at] === LF) at++;
      }
      if (lineEnd === line) {
        this.#dispatch(bytes, base);
        base = at;
      } else {
        this.#field(bytes, base, line, lineEnd);
      }
      line = at;
    }
    this.#scanned = at - base;
    this.#line = line - base;
    return base;
  }

  #field(bytes: Uint8Array, base: number, start: number, end: number): void {
    if (this.#first) {
      this.#first = false;
      if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
        start += 3;
      }
    }
    let colon = start;
    while (colon < end && bytes[colon] !== COLON) colon++;
    let value = Math.min(colon + 1, end);
    if (bytes[value] === SPACE && value < end) value++;
    const length = colon - start;
    if (isData(bytes, start, length)) {
      this.#data(bytes, base, value, end);
    } else if (length === 0) {
      const text = decoder.decode(bytes.subarray(value, end));
      this.#event.comment = this.#event.comment === "" ? text : `${this.#event.comment}\n${text}`;
    } else if (length === 5 && decoder.decode(bytes.subarray(start, colon)) === "event") {
      this.#event.type = decoder.decode(bytes.subarray(value, end));
    }
  }

  #data(bytes: Uint8Array, base: number, start: number, end: number): void {
    if (this.#dataStart < 0) {
      this.#dataStart = start - base;
      this.#dataEnd = end - base;
      return;
    }
    this.#joined ??= [...bytes.subarray(base + this.#dataStart, base + this.#dataEnd)];
    this.#joined.push(LF);
    for (let i = start; i < end; i++) this.#joined.push(bytes[i]!);
  }

  #dispatch(bytes: Uint8Array, base: number): void {
    const event = this.#event;
    if (this.#joined !== undefined) {
      event.bytes = Uint8Array.from(this.#joined);
      event.start = 0;
      event.end = event.bytes.length;
    } else if (this.#dataStart >= 0) {
      event.bytes = bytes;
      event.start = base + this.#dataStart;
      event.end = base + this.#dataEnd;
    } else if (event.type !== "") {
      event.bytes = NOTHING;
      event.start = event.end = 0;
    } else {
      this.#clear();
      return;
    }
    try {
      this.#handler(event);
    } finally {
      this.#clear();
    }
  }

  #empty(): boolean {
    return this.#dataStart < 0 && this.#event.type === "" && this.#event.comment === "";
  }

  #clear(): void {
    this.#dataStart = this.#dataEnd = -1;
    this.#joined = undefined;
    this.#event.type = "";
    this.#event.comment = "";
    this.#event.bytes = NOTHING;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    if (bytes === this.#carry) {
      bytes.copyWithin(0, start, end);
      this.#carried = end - start;
    } else this.#append(bytes, start, end);
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#carried + end - start;
    if (length > this.#maxBytes) {
      throw new TaskError({
        code: "STREAM_EVENT_TOO_LARGE",
        message: `An event of the stream is larger than ${this.#maxBytes} bytes`,
        hint: "Is this an OpenAI-compatible endpoint?",
      });
    }
    if (length > this.#carry.length) {
      const grown = new Uint8Array(Math.max(1024, 2 * length));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(bytes.subarray(start, end), this.#carried);
    this.#carried = length;
  }
}

function isData(bytes: Uint8Array, start: number, length: number): boolean {
  return length === 4 && bytes[start] === 100 && bytes[start + 1] === 97 &&
    bytes[start + 2] === 116 && bytes[start + 3] === 97;
}

/** The data of an event as text. */
export function sseData(event: SseEvent): string {
  return decoder.decode(event.bytes.subarray(event.start, event.end));
}

function nextOf(bytes: Uint8Array, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? Infinity : at;
}
