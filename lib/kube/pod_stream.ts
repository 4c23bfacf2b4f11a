/**
 * One connection to a pod, whatever carries it: what the pod sends is kept until it is read, and
 * the carrier is held back when that is much.
 *
 * @module
 */
import type { PodConnection } from "./types.ts";

/** What carries a connection. */
export interface PodCarrier {
  /** Sends bytes to the pod; they may be changed when it resolves. */
  send(bytes: Uint8Array): Promise<void>;
  /** Stops taking bytes from the pod. */
  pause(): void;
  /** Goes on. */
  resume(): void;
  /** The connection is not needed any more. Called once, and not after it has ended by itself. */
  close(): void;
}

const MOST_KEPT = 256 * 1024;

/** See {@link PodConnection}; `push`, `end` and `fail` are for the carrier. */
export class PodStream implements PodConnection {
  readonly #carrier: PodCarrier;
  readonly #kept: Uint8Array[] = [];
  #size = 0;
  #paused = false;
  #over = false;
  #error: Error | undefined;
  #waiting: PromiseWithResolvers<Uint8Array | null> | undefined;
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** A connection that is open. */
  constructor(carrier: PodCarrier) {
    this.#carrier = carrier;
  }

  /** Bytes that wait to be read. */
  get unread(): number {
    return this.#size;
  }

  /** Whether the carrier was asked to hold back. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Whether it has ended, for whatever reason. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes bytes that the pod sent; they must not change any more. */
  push(bytes: Uint8Array): void {
    if (this.#over || bytes.length === 0) return;
    if (this.#waiting !== undefined) return this.#answer(bytes);
    this.#kept.push(bytes);
    this.#size += bytes.length;
    if (this.#paused || this.#size <= MOST_KEPT) return;
    this.#paused = true;
    this.#carrier.pause();
  }

  /** The pod sends nothing more. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#answer(null);
  }

  /** Something went wrong; what the pod sent before can still be read. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }

  /** See {@link PodConnection.read}. */
  read(): Promise<Uint8Array | null> {
    const bytes = this.#kept.shift();
    if (bytes !== undefined) {
      this.#size -= bytes.length;
      if (this.#paused && this.#size <= MOST_KEPT / 2) this.#goOn();
      return Promise.resolve(bytes);
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#over) return Promise.resolve(null);
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** See {@link PodConnection.write}. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#over) throw this.#error ?? new Error("The connection was closed");
    await this.#carrier.send(bytes);
  }

  /** See {@link PodConnection.readable}. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const bytes = await this.read();
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => this.close(),
    }, { highWaterMark: 0 });
  }

  /** See {@link PodConnection.writable}. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= new WritableStream<Uint8Array>({
      write: (bytes) => this.write(bytes),
      abort: () => this.close(),
    });
  }

  /** See {@link PodConnection.close}. */
  close(): void {
    if (!this.#over) {
      this.end();
      this.#carrier.close();
    }
    this.#kept.length = this.#size = 0;
    if (this.#paused) this.#goOn();
  }

  #goOn(): void {
    this.#paused = false;
    this.#carrier.resume();
  }

  #answer(bytes: Uint8Array | null): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(bytes);
  }
}
