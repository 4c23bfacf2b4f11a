/**
 * One keep-alive connection and the requests that go over it, one after the other.
 *
 * @module
 */
import { messageOf, TaskError } from "../cli/errors.ts";
import { AnswerReader, type OutputHandler } from "./answer.ts";
import { fail, type FailureKind, type RequestRecord } from "./record.ts";
import { type ByteConnection, close, type Dial, writeAll } from "./transport.ts";

/** Limits on a request, in milliseconds. */
export interface LaneLimits {
  /** To open a connection. */
  readonly connectTimeoutMs: number;
  /** For a request as a whole. */
  readonly requestTimeoutMs: number;
  /** Without a byte from the server. */
  readonly idleTimeoutMs: number;
}

/** What a lane works with. */
export interface LaneOptions extends LaneLimits {
  /** Number of the lane. */
  readonly id: number;
  /** Opens its connection. */
  readonly dial: Dial;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
  /** Whether answers are event streams. */
  readonly stream: boolean;
  /** Called for each event with output. */
  readonly onOutput: OutputHandler;
}

// Of each lane, and there may be thousands.
const READ_BUFFER = 8 * 1024;
const ENDED = new Error("the connection ended");

/** A connection with at most one request on it. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #answer: AnswerReader;
  readonly #buffer = new Uint8Array(READ_BUFFER);
  #connection: ByteConnection | undefined;
  #connecting: Promise<void> | undefined;
  #dialing: AbortController | undefined;
  // A read that was started before the request was written: also sees an idle connection end.
  #pending: Promise<number | null> | undefined;
  #record: RequestRecord | undefined;
  #sentAt = NaN;
  #heardAt = NaN;
  #closed = false;
  // Why this side closed the connection.
  #cause: { readonly kind: FailureKind; readonly message: string } | undefined;
  /** Connections opened so far. */
  dials: number = 0;

  /** A lane without a connection yet. */
  constructor(options: LaneOptions) {
    this.#options = options;
    this.#answer = new AnswerReader(options.stream, options.onOutput);
  }

  /** Number of the lane. */
  get id(): number {
    return this.#options.id;
  }

  /** Whether a connection is open. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Opens the connection unless it is open; rejects with what the system says. */
  connect(): Promise<void> {
    if (this.#connection !== undefined) return Promise.resolve();
    return this.#connecting ??= this.#dial().finally(() => this.#connecting = undefined);
  }

  async #dial(): Promise<void> {
    const { connectTimeoutMs, dial } = this.#options;
    if (this.#closed) throw new Error("stopped");
    this.#dialing = new AbortController();
    const late = AbortSignal.timeout(connectTimeoutMs);
    try {
      const connection = await dial(AbortSignal.any([this.#dialing.signal, late]));
      if (this.#closed) return close(connection);
      this.dials++;
      this.#connection = connection;
      this.#listen(connection);
    } catch (error) {
      throw late.aborted ? new Error(`not connected after ${connectTimeoutMs} ms`) : error;
    }
  }

  // Reads ahead while idle; a connection that ends then is dropped before a request meets it.
  #listen(connection: ByteConnection): void {
    const pending = this.#pending = connection.read(this.#buffer);
    const lost = () => {
      if (this.#pending === pending && this.#record === undefined) this.#drop();
    };
    pending.then(lost, lost);
  }

  #drop(): void {
    if (this.#connection !== undefined) close(this.#connection);
    this.#connection = undefined;
    // Nobody waits for this read any more; its rejection is of no interest.
    this.#pending?.catch(() => {});
    this.#pending = undefined;
  }

  /** Closes the connection for good; a request on it fails as `unfinished`. */
  close(): void {
    this.#closed = true;
    this.abort("unfinished", "stopped before the answer was complete");
    this.#dialing?.abort(new Error("stopped"));
    if (this.#record === undefined) this.#drop();
  }

  /** Ends the request on this lane, if there is one, with this failure. */
  abort(kind: FailureKind, message: string): void {
    if (this.#record === undefined) return;
    this.#cause ??= { kind, message };
    this.#dialing?.abort(new Error(message));
    if (this.#connection !== undefined) close(this.#connection);
  }

  /** Ends the request when it takes too long; to be called now and then. */
  checkTime(now: number): void {
    const { requestTimeoutMs, idleTimeoutMs } = this.#options;
    if (now - this.#sentAt > requestTimeoutMs) {
      this.abort("timeout", `not complete after ${requestTimeoutMs} ms`);
    } else if (now - this.#heardAt > idleTimeoutMs) {
      this.abort("idle_timeout", `no byte from the server for ${idleTimeoutMs} ms`);
    }
  }

  /** Sends a request and receives its answer; how it went is in the record. Never rejects. */
  async exchange(request: Uint8Array, record: RequestRecord): Promise<void> {
    this.#record = record;
    this.#cause = undefined;
    record.lane = this.id;
    const kept = this.connected;
    await this.#attempt(request, record);
    if (kept && this.#mayResend(record)) {
      record.resent = true;
      record.failure = undefined;
      record.message = "";
      await this.#attempt(request, record);
    }
    if (Number.isNaN(record.ended)) record.ended = this.#options.now();
    this.#record = undefined;
    this.#sentAt = this.#heardAt = NaN;
  }

  // A kept connection that the server closed while the request was on its way: no answer was
  // begun, and HTTP allows to send it again (RFC 9112, 9.3.1).
  #mayResend(record: RequestRecord): boolean {
    return record.failure === "reset" && this.#cause === undefined && this.#answer.untouched;
  }

  async #attempt(request: Uint8Array, record: RequestRecord): Promise<void> {
    this.#answer.start(record);
    try {
      if (this.#connection === undefined) await this.connect();
    } catch (error) {
      return this.#fail(record, "connect", messageOf(error));
    }
    const connection = this.#connection;
    if (connection === undefined) return this.#fail(record, "unfinished", "stopped");
    record.sent = this.#sentAt = this.#heardAt = this.#options.now();
    try {
      await writeAll(connection, request);
      await this.#receive(connection);
      this.#answer.finish();
    } catch (error) {
      this.#drop();
      if (error instanceof TaskError) this.#fail(record, "protocol", error.message);
      else if (error === ENDED) {
        this.#fail(record, "reset", `the connection ended ${this.#answer.whereItEnded}`);
      } else this.#fail(record, "reset", messageOf(error));
    }
  }

  #fail(record: RequestRecord, kind: FailureKind, message: string): void {
    if (this.#cause === undefined) fail(record, kind, message);
    else fail(record, this.#cause.kind, this.#cause.message);
  }

  async #receive(connection: ByteConnection): Promise<void> {
    const answer = this.#answer, buffer = this.#buffer, now = this.#options.now;
    for (;;) {
      const length = await (this.#pending ?? connection.read(buffer));
      const stamp = now();
      this.#pending = undefined;
      this.#heardAt = stamp;
      if (length === null) {
        if (!answer.end()) throw ENDED;
        return this.#drop();
      }
      const taken = answer.push(buffer, length, stamp);
      if (!answer.done) continue;
      // Bytes after the answer belong to nothing that was asked.
      if (taken < length || !answer.keepAlive) this.#drop();
      else this.#listen(connection);
      return;
    }
  }
}
