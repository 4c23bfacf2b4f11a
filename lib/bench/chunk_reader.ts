/**
 * Reads the events of a streamed answer, at a fraction of the cost of parsing each as JSON.
 *
 * Within one answer, events that carry a piece of text differ in that text only. After one
 * such event has been parsed as JSON, the bytes before and after its text are remembered;
 * an event with the same bytes around another string says the same about everything else.
 * All other events are parsed as JSON.
 *
 * @module
 */
import { hasOutput, readStreamEvent } from "../serving/chunk.ts";
import type { SseEvent } from "../serving/sse.ts";

const QUOTE = 34, BACKSLASH = 92;
// `"content":"` and `"text":"`: within a JSON string every quote follows a backslash, so
// these bytes are always a key of that name and the begin of its value.
const KEYS = ['"content":"', '"text":"'].map((key) => new TextEncoder().encode(key));
const MAX_FRAME = 2048;
const NOTHING = new Uint8Array(0);

/** State of one answer, updated by each event. */
export class ChunkReader {
  /** Whether the last event had output. */
  output: boolean = false;
  /** Whether the end mark `[DONE]` was seen. */
  done: boolean = false;
  /** Whether a finish reason was seen. */
  finished: boolean = false;
  /** What the server said, when it reported an error. */
  error: string | undefined;
  /** Tokens of the answer so far, from the last usage seen; NaN before. */
  outputTokens: number = NaN;
  /** Tokens of the prompt; NaN while unknown. */
  inputTokens: number = NaN;
  /** Prompt tokens from a cache; NaN while unknown. */
  cachedTokens: number = NaN;
  /** Whether the last event differed from one before in its text only. */
  usual: boolean = false;

  #before: Uint8Array = NOTHING;
  #after: Uint8Array = NOTHING;
  #beforeLength = 0;
  #afterLength = 0;

  /** Bytes of a usual event before its text. */
  get beforeText(): number {
    return this.#beforeLength;
  }

  /** Bytes of a usual event after its text. */
  get afterText(): number {
    return this.#afterLength;
  }

  /** Starts the next answer. */
  reset(): void {
    this.output = this.done = this.finished = false;
    this.usual = false;
    this.error = undefined;
    this.outputTokens = this.inputTokens = this.cachedTokens = NaN;
    this.#beforeLength = 0;
  }

  /** Takes one event. */
  read(event: SseEvent): void {
    this.usual = this.#beforeLength > 0 && event.type === "" && this.#sameFrame(event);
    if (this.usual) this.output = true;
    else this.#parse(event);
  }

  #parse(event: SseEvent): void {
    this.output = false;
    const item = readStreamEvent(event);
    if (item.kind === "done") {
      this.done = true;
      return;
    }
    if (item.kind === "error") {
      this.error ??= item.message;
      return;
    }
    const { chunk } = item;
    this.output = hasOutput(chunk);
    if (chunk.finishReason !== undefined) this.finished = true;
    if (chunk.usage !== undefined) {
      this.outputTokens = chunk.usage.completionTokens;
      this.inputTokens = chunk.usage.promptTokens;
      this.cachedTokens = chunk.usage.cachedTokens ?? NaN;
    } else if (chunk.text !== "" && event.type === "" && chunk.finishReason === undefined) {
      this.#remember(event);
    }
  }

  #remember({ bytes, start, end }: SseEvent): void {
    for (const key of KEYS) {
      const value = indexAfter(bytes, start, end, key);
      if (value < 0 || bytes[value] === QUOTE) continue;
      // With two of them the text could be in either.
      if (indexAfter(bytes, value, end, key) >= 0) return;
      const close = stringEnd(bytes, value, end);
      if (close < 0 || value - start > MAX_FRAME || end - close > MAX_FRAME) return;
      this.#before = copied(this.#before, bytes.subarray(start, value));
      this.#after = copied(this.#after, bytes.subarray(close, end));
      this.#beforeLength = value - start;
      this.#afterLength = end - close;
      return;
    }
  }

  #sameFrame({ bytes, start, end }: SseEvent): boolean {
    const value = start + this.#beforeLength;
    const close = end - this.#afterLength;
    // An empty string is no output.
    if (close <= value) return false;
    return bytesAt(bytes, start, this.#before, this.#beforeLength) &&
      bytesAt(bytes, close, this.#after, this.#afterLength) &&
      stringEnd(bytes, value, end) === close;
  }
}

/** Whether the first `length` of the expected bytes are those at `at`. */
export function bytesAt(
  bytes: Uint8Array,
  at: number,
  expected: Uint8Array,
  length: number = expected.length,
): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

// Into the same memory where it is large enough.
function copied(into: Uint8Array, bytes: Uint8Array): Uint8Array {
  const target = into.length < bytes.length ? new Uint8Array(bytes.length) : into;
  target.set(bytes);
  return target;
}

// First byte after the needle, or -1.
function indexAfter(bytes: Uint8Array, start: number, end: number, needle: Uint8Array): number {
  const last = end - needle.length;
  for (let at = start; at <= last; at++) {
    if (bytesAt(bytes, at, needle)) return at + needle.length;
  }
  return -1;
}

/** The quote that ends the JSON string whose content begins at `at`; -1 when it is not one. */
export function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte < 32) return -1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  return -1;
}
