/**
 * The two directions of a connection to a pod as byte streams.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { type Attempted, connectionFailure } from "./api_error.ts";
import type { PodConnection } from "./types.ts";
import type { ChannelSocket } from "./web_socket.ts";

/** What the streams belong to. */
export interface PodStreamsOptions {
  /** For messages. */
  readonly tried: Attempted;
  /** URL of the API server, for messages. */
  readonly server: string;
  /** Each drops the connection when aborted. */
  readonly signals: readonly AbortSignal[];
}

// Channels of the port-forward protocol for the first (here: the only) port.
const DATA = 0;
const ERROR = 1;

const MOST_BUFFERED = 256 * 1024;
const MOST_SENT = 64 * 1024;
// Often enough for load balancers that drop idle connections.
const PING_MS = 30_000;
const MEANT_TO_CLOSE = [1000, 1005];

/** A connection to a pod; see {@link PodConnection}. */
export class PodStreams implements PodConnection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #ctx: Context;
  readonly #options: PodStreamsOptions;
  readonly #ended = new AbortController();
  // The first two bytes of each channel repeat the port.
  readonly #toSkip = [2, 2];
  #socket: ChannelSocket | undefined;
  #socketError: Error | undefined;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;

  /** The streams of a socket that {@link PodStreams.attach} will give. */
  constructor(ctx: Context, options: PodStreamsOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#reader = controller),
      pull: () => this.#socket?.resume(),
      cancel: () => this.close(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: MOST_BUFFERED }));
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => void (this.#writer = controller),
      write: (data) => this.#send(data),
      abort: () => this.close(),
    });
  }

  /** Starts with a socket that is open. */
  attach(socket: ChannelSocket): void {
    this.#socket = socket;
    socket.on("error", (error) => this.#socketError = error);
    socket.on("close", (code) => this.#end(MEANT_TO_CLOSE.includes(code) ? undefined : code));
    for (const signal of this.#options.signals) {
      signal.addEventListener("abort", this.#drop);
      if (signal.aborted) this.#drop();
    }
    this.#keepAlive();
  }

  /** Takes a message of the socket. */
  readonly receive = (channel: number, data: Uint8Array): void => {
    if (channel !== DATA && channel !== ERROR) return;
    const skip = Math.min(this.#toSkip[channel]!, data.length);
    this.#toSkip[channel]! -= skip;
    const rest = data.subarray(skip);
    if (rest.length === 0 || this.#ended.signal.aborted) return;
    if (channel === ERROR) return this.#fail(this.#reported(new TextDecoder().decode(rest)));
    this.#reader.enqueue(rest);
    if ((this.#reader.desiredSize ?? 0) <= 0) this.#socket?.pause();
  };

  /** Closes both directions; never throws. */
  close(): void {
    this.#end();
    this.#socket?.close();
  }

  readonly #drop = (): void => {
    this.#end();
    this.#socket?.terminate();
  };

  async #send(data: Uint8Array): Promise<void> {
    for (let start = 0; start < data.length; start += MOST_SENT) {
      const part = data.subarray(start, start + MOST_SENT);
      const message = new Uint8Array(part.length + 1);
      message[0] = DATA;
      message.set(part, 1);
      await new Promise<void>((resolve, reject) => {
        this.#socket?.send(message, (error) => error ? reject(error) : resolve());
      });
    }
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await this.#ctx.clock.sleep(PING_MS, signal).catch(() => {});
      if (!signal.aborted) this.#socket?.ping();
    }
  }

  #fail(error: TaskError): void {
    if (!this.#stop()) return;
    this.#reader.error(error);
    this.#writer.error(error);
    this.#socket?.close();
  }

  /** Ends without an error, or with the code of a close that nobody meant. */
  #end(code?: number): void {
    if (code !== undefined) {
      const cause = this.#socketError ?? new Error(`WebSocket code ${code}`);
      return this.#fail(connectionFailure(this.#options.tried, this.#options.server, cause).error);
    }
    if (!this.#stop()) return;
    try {
      this.#reader.close();
    } catch {
      // A reader that cancelled has closed it.
    }
    this.#writer.error(new Error("The connection was closed"));
  }

  /** False when it had ended before. */
  #stop(): boolean {
    if (this.#ended.signal.aborted) return false;
    this.#ended.abort();
    for (const signal of this.#options.signals) signal.removeEventListener("abort", this.#drop);
    return true;
  }

  #reported(text: string): TaskError {
    const { verb, about } = this.#options.tried;
    return new TaskError({
      code: "KUBE_PORT_FORWARD",
      message: `Cannot ${verb} ${about}: ${text.trim()}`,
      hint: "Does the pod listen on that port, and is it running?",
    });
  }
}
