/**
 * One answer as its bytes come: HTTP, then server-sent events or JSON, into a record.
 *
 * @module
 */
import { messageOf, TaskError } from "../cli/errors.ts";
import { readChunk } from "../serving/chunk.ts";
import { errorText } from "../serving/error_text.ts";
import { type SseEvent, SseParser } from "../serving/sse.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { type ResponseHandler, type ResponseHead, ResponseParser } from "./http1.ts";
import { fail, type RequestRecord } from "./record.ts";
import { UsualEvent } from "./usual_event.ts";

/** Called with the stamp of an event with output, and the gap since the one before (NaN for the first). */
export type OutputHandler = (stamp: number, gap: number) => void;

/** Most bytes kept of a body that is not an event stream. */
const MAX_BODY = 16 * 1024 * 1024;

// No event of the chunk was seen; it has more than one, or one that is not usual.
const NOT_SEEN = -1, NOT_USUAL = -2;

/** Reads one answer after the other. */
export class AnswerReader implements ResponseHandler {
  readonly #stream: boolean;
  readonly #onOutput: OutputHandler;
  readonly #http = new ResponseParser(this);
  readonly #chunks = new ChunkReader();
  readonly #sse = new SseParser((event) => this.#onEvent(event));
  readonly #usual = new UsualEvent();
  #record!: RequestRecord;
  #head: ResponseHead | undefined;
  #body: Uint8Array[] = [];
  #bodyLength = 0;
  #stamp = 0;
  // Bytes of a chunk, and where the text of its only event is.
  #chunk: Uint8Array | undefined;
  #usualStart = NOT_SEEN;
  #usualEnd = 0;

  /** A reader of event streams, or of whole answers. */
  constructor(stream: boolean, onOutput: OutputHandler) {
    this.#stream = stream;
    this.#onOutput = onOutput;
  }

  /** Starts an answer that goes into the record. */
  start(record: RequestRecord): void {
    this.#record = record;
    this.#http.reset();
    this.#sse.reset();
    this.#chunks.reset();
    this.#usual.reset();
    this.#head = undefined;
    this.#body = [];
    this.#bodyLength = 0;
  }

  /** Whether the HTTP response is complete. */
  get done(): boolean {
    return this.#http.done;
  }

  /** Whether no byte has come yet. */
  get untouched(): boolean {
    return this.#http.untouched;
  }

  /** Whether the connection can carry another request. */
  get keepAlive(): boolean {
    return this.#head?.keepAlive === true;
  }

  /**
   * Takes the bytes `[0, length)` that came at `stamp`; stops at the end of the answer.
   *
   * @returns the number of bytes taken.
   * @throws {TaskError} when they are not HTTP, or more than fits.
   */
  push(bytes: Uint8Array, length: number, stamp: number): number {
    this.#stamp = stamp;
    let at = 0;
    if (this.#usual.known && this.#http.betweenChunks && !this.#sse.pending) {
      for (let next; at < length && (next = this.#usual.take(bytes, at, length)) > 0; at = next) {
        this.#onText();
      }
    }
    return this.#http.push(bytes, at, length);
  }

  /** The connection ended. @returns whether that completes the response. */
  end(): boolean {
    return this.#http.end();
  }

  /** What to say of a connection that ended here. */
  get whereItEnded(): string {
    if (this.#head === undefined) return "before an answer";
    return this.#record.events === 0 ? "within the answer" : `after ${this.#record.events} events`;
  }

  /** A complete response is there: is it an answer? Fills in counts and, if not, the failure. */
  finish(): void {
    const record = this.#record, chunks = this.#chunks;
    record.ended = this.#stamp;
    this.#copyUsage();
    if (record.failure !== undefined) return;
    if (record.status !== 200) {
      const location = this.#head?.headers.get("location");
      const text = location === undefined ? errorText(this.#bodyText()) : `redirect to ${location}`;
      fail(record, `http_${record.status}`, text || "no body");
    } else if (!this.#stream) this.#finishWhole();
    else if (chunks.error !== undefined) fail(record, "stream_error", chunks.error);
    else if (!chunks.done && !chunks.finished) {
      fail(
        record,
        "truncated",
        `the stream ended after ${record.events} events without its end mark`,
      );
    } else if (record.events === 0) fail(record, "empty", "the stream had no output");
  }

  #copyUsage(): void {
    this.#record.outputTokens = this.#chunks.outputTokens;
    this.#record.inputTokens = this.#chunks.inputTokens;
    this.#record.cachedTokens = this.#chunks.cachedTokens;
  }

  #finishWhole(): void {
    const record = this.#record;
    let value: unknown;
    try {
      value = JSON.parse(this.#bodyText());
    } catch (error) {
      return fail(record, "protocol", messageOf(error));
    }
    const { usage, error } = readChunk(value);
    if (error !== undefined) return fail(record, "stream_error", error);
    record.outputTokens = usage?.completionTokens ?? NaN;
    record.inputTokens = usage?.promptTokens ?? NaN;
    record.cachedTokens = usage?.cachedTokens ?? NaN;
    record.events = 1;
    record.last = record.ended;
    this.#onOutput(record.ended, NaN);
  }

  #bodyText(): string {
    const decoder = new TextDecoder();
    return this.#body.map((part) => decoder.decode(part, { stream: true })).join("") +
      decoder.decode();
  }

  /** Part of {@link ResponseHandler}. */
  onHead(head: ResponseHead): void {
    this.#head = head;
    this.#record.status = head.status;
    if (head.status !== 200 || !this.#stream) return;
    const type = mediaType(head);
    if (type !== "text/event-stream") {
      fail(
        this.#record,
        "not_sse",
        `a streamed request was answered with ${type || "no content type"}`,
      );
    }
  }

  /** Part of {@link ResponseHandler}. */
  onBody(bytes: Uint8Array, start: number, end: number): void {
    if (this.#record.status === 200 && this.#stream) {
      if (this.#record.failure === undefined) this.#pushStream(bytes, start, end);
      return;
    }
    this.#bodyLength += end - start;
    if (this.#bodyLength > MAX_BODY) {
      throw new TaskError({
        code: "HTTP_TOO_LARGE",
        message: `The answer is larger than ${MAX_BODY} bytes`,
      });
    }
    this.#body.push(bytes.slice(start, end));
  }

  #pushStream(bytes: Uint8Array, start: number, end: number): void {
    const alone = !this.#sse.pending;
    this.#chunk = bytes;
    this.#usualStart = NOT_SEEN;
    this.#sse.push(bytes, start, end);
    // One event, all of it in this chunk.
    if (alone && this.#usualStart >= start && !this.#sse.pending) {
      this.#usual.learn(bytes, start, this.#usualStart, this.#usualEnd, end);
    }
  }

  #onEvent(event: SseEvent): void {
    const chunks = this.#chunks;
    chunks.read(event);
    const usual = chunks.usual && this.#usualStart === NOT_SEEN && event.bytes === this.#chunk;
    this.#usualStart = usual ? event.start + chunks.beforeText : NOT_USUAL;
    this.#usualEnd = event.end - chunks.afterText;
    if (chunks.output) this.#onText();
  }

  // An event with output came.
  #onText(): void {
    const chunks = this.#chunks, record = this.#record, stamp = this.#stamp;
    if (record.events++ === 0) {
      record.first = record.last = stamp;
      // With usage in every chunk the first one tells how many tokens came at once.
      if (chunks.outputTokens >= 1) record.firstTokens = chunks.outputTokens;
      this.#onOutput(stamp, NaN);
      return;
    }
    const gap = stamp - record.last;
    record.last = stamp;
    if (gap > record.longestGap) record.longestGap = gap;
    this.#onOutput(stamp, gap);
  }
}

function mediaType(head: ResponseHead): string {
  return (head.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
}
