/**
 * Many connections to one pod over one SPDY session, as `kubectl port-forward` has them: a new
 * connection costs one frame and no round trip.
 *
 * SPDY as nodes speak it has no windows, so a session waits for its slowest stream when that is
 * full; that is why {@link podTunnels} spreads connections over several.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { type Attempted, connectionFailure } from "./api_error.ts";
import { portForwardError } from "./pod_error.ts";
import { PodStream } from "./pod_stream.ts";
import {
  dataHead,
  finFrame,
  FRAME,
  FRAME_HEAD,
  frameReader,
  numberIn,
  pingFrame,
  resetFrame,
  streamOpener,
} from "./spdy_frames.ts";
import type { PodConnection } from "./types.ts";
import type { ByteChannel, Upgraded } from "./upgrade.ts";

/** What a session belongs to. */
export interface PodTunnelOptions {
  /** The connection to the API server. */
  readonly upgraded: Upgraded;
  /** For messages about a connection to a port. */
  readonly tried: (port: number) => Attempted;
  /** URL of the API server, for messages. */
  readonly server: string;
  /** Each drops the session when aborted. */
  readonly signals: readonly AbortSignal[];
}

/** One connection: a stream for bytes, and one in which the node reports an error. */
interface Pair {
  readonly data: number;
  readonly error: number;
  readonly stream: PodStream;
  readonly tried: Attempted;
  /** Whether the pod said anything. */
  heard: boolean;
  /** Whether the last bytes were ours: the node may still hold them. */
  due: boolean;
  report: string;
  dataEnded: boolean;
  errorEnded: boolean;
}

const MOST_SENT = 64 * 1024;
const RECEIVE = 64 * 1024;
const LEAST_ROOM = 16 * 1024;
// What one connection may leave unread before the others of the session wait for it.
const MOST_UNREAD = 8 * 1024 * 1024;
const MOST_STREAM = 2 ** 30;
// The node reports an error right after the end of the bytes.
const REPORT_MS = 1_000;
// Often enough for load balancers that drop idle connections.
const PING_MS = 30_000;
const SILENCE_MS = 75_000;
const IDLE_MS = 300_000;

/** One session. */
export class PodTunnel {
  readonly #ctx: Pick<Context, "clock">;
  readonly #options: PodTunnelOptions;
  readonly #channel: ByteChannel;
  readonly #ended = new AbortController();
  readonly #pairs = new Map<number, Pair>();
  readonly #full = new Set<Pair>();
  readonly #opener = streamOpener();
  readonly #frame = new Uint8Array(FRAME_HEAD + MOST_SENT);
  #released: (() => void) | undefined;
  #sending: Promise<unknown> = Promise.resolve();
  #nextStream = 1;
  #retired = false;
  #heardAt: number;
  #usedAt: number;

  /** A session over a connection that was upgraded. */
  constructor(ctx: Pick<Context, "clock">, options: PodTunnelOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#channel = options.upgraded.channel;
    this.#heardAt = this.#usedAt = ctx.clock.monotonic();
    for (const signal of options.signals) {
      signal.addEventListener("abort", this.#drop);
      if (signal.aborted) this.#drop();
    }
    this.#receive();
    this.#keepAlive();
  }

  /** Connections that are open. */
  get load(): number {
    return this.#pairs.size / 2;
  }

  /** Whether it takes another connection. */
  get usable(): boolean {
    return !this.#retired && !this.#ended.signal.aborted && this.#full.size === 0;
  }

  /** Opens a connection. What the node says of it comes later, as an error of its reading side. */
  connect(port: number): PodConnection {
    const error = this.#nextStream;
    const data = error + 2;
    this.#nextStream += 4;
    if (this.#nextStream > MOST_STREAM) this.#retired = true;
    const pair: Pair = {
      data,
      error,
      stream: new PodStream({
        send: (bytes) => this.#sendData(pair, bytes),
        pause: () => {},
        resume: () => this.#release(pair),
        close: () => this.#leave(pair),
      }),
      tried: this.#options.tried(port),
      heard: false,
      due: false,
      report: "",
      dataEnded: false,
      errorEnded: false,
    };
    this.#pairs.set(error, pair).set(data, pair);
    const headers = { port: String(port), requestid: String(error) };
    this.#send(joined(
      this.#opener(error, { ...headers, streamtype: "error" }),
      finFrame(error),
      this.#opener(data, { ...headers, streamtype: "data" }),
    ));
    return pair.stream;
  }

  /** Takes no more connections, and closes when the last one has ended. */
  retire(): void {
    this.#retired = true;
    if (this.load === 0) this.close();
  }

  /** Ends all connections. */
  close(): void {
    this.#finish(undefined);
  }

  readonly #drop = (): void => this.close();

  #sendData(pair: Pair, bytes: Uint8Array): Promise<void> {
    pair.due = true;
    const rest = bytes.length > MOST_SENT ? bytes.subarray(MOST_SENT) : undefined;
    const part = rest === undefined ? bytes : bytes.subarray(0, MOST_SENT);
    const sent = this.#inTurn(() => {
      if (pair.stream.over) throw new Error("The connection was closed");
      dataHead(this.#frame, pair.data, part.length);
      this.#frame.set(part, FRAME_HEAD);
      return this.#write(this.#frame.subarray(0, FRAME_HEAD + part.length));
    });
    return rest === undefined ? sent : sent.then(() => this.#sendData(pair, rest));
  }

  /** Sends a frame in its turn; when that fails all connections do. */
  #send(frame: Uint8Array): void {
    this.#inTurn(() => this.#write(frame)).catch(() => {});
  }

  #inTurn(send: () => Promise<void>): Promise<void> {
    const sent = this.#sending.then(send);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      let sent = await this.#channel.write(bytes);
      while (sent < bytes.length) sent += await this.#channel.write(bytes.subarray(sent));
    } catch (error) {
      this.#finish(error);
      throw error;
    }
  }

  async #receive(): Promise<void> {
    const take = frameReader({
      data: (stream, bytes) => this.#take(stream, bytes),
      end: (stream) => this.#endOf(stream),
      control: (kind, flags, body) => this.#control(kind, flags, body),
    });
    try {
      take(this.#options.upgraded.early);
      let buffer = new Uint8Array(RECEIVE);
      let used = 0;
      while (!this.#ended.signal.aborted) {
        if (buffer.length - used < LEAST_ROOM) {
          // What was read is in use: connections hold views of it.
          buffer = new Uint8Array(RECEIVE);
          used = 0;
        }
        const size = await this.#channel.read(buffer.subarray(used));
        if (size === null) throw new Error("it ended");
        this.#heardAt = this.#ctx.clock.monotonic();
        take(buffer.subarray(used, used + size));
        used += size;
        while (this.#full.size > 0) {
          await new Promise<void>((resolve) => this.#released = resolve);
        }
      }
    } catch (error) {
      this.#finish(error);
    }
  }

  #take(stream: number, bytes: Uint8Array): void {
    const pair = this.#pairs.get(stream);
    if (pair === undefined) return;
    if (stream === pair.error) {
      pair.report += new TextDecoder().decode(bytes);
      return;
    }
    pair.heard = true;
    pair.due = false;
    pair.stream.push(bytes);
    const alone = this.#pairs.size === 2;
    if (pair.stream.paused && (alone || pair.stream.unread > MOST_UNREAD)) this.#full.add(pair);
  }

  #endOf(stream: number): void {
    const pair = this.#pairs.get(stream);
    if (pair === undefined) return;
    if (stream === pair.error) pair.errorEnded = true;
    else pair.dataEnded = true;
    if (pair.errorEnded && (pair.dataEnded || pair.report !== "")) return this.#over(pair);
    if (stream !== pair.data) return;
    this.#ctx.clock.sleep(REPORT_MS, this.#ended.signal).then(() => this.#over(pair), () => {});
  }

  #control(kind: number, flags: number, body: Uint8Array): void {
    const number = numberIn(body);
    if (kind === FRAME.rstStream) this.#endOf(number);
    else if (kind === FRAME.synReply) {
      if ((flags & 1) !== 0) this.#endOf(number);
    } else if (kind === FRAME.goAway) this.retire();
    else if (kind === FRAME.ping && number % 2 === 0) this.#send(pingFrame(number));
  }

  /** The node has ended a connection. */
  #over(pair: Pair): void {
    if (this.#pairs.get(pair.data) !== pair) return;
    if (pair.report === "") pair.stream.end();
    else {
      // The pod may be gone: the next connection asks the API server anew.
      this.#retired = true;
      pair.stream.fail(portForwardError(pair.tried, pair.report, pair.heard));
    }
    this.#forget(pair);
  }

  /** We have. */
  #leave(pair: Pair): void {
    if (this.#pairs.get(pair.data) !== pair) return;
    // The node waits for the pod to take what it holds, and the session with it.
    if (pair.due) this.#retired = true;
    this.#forget(pair);
  }

  #forget(pair: Pair): void {
    this.#pairs.delete(pair.data);
    this.#pairs.delete(pair.error);
    this.#release(pair);
    this.#usedAt = this.#ctx.clock.monotonic();
    if (this.#retired && this.load === 0) this.close();
    else this.#send(resetFrame(pair.data));
  }

  #release(pair: Pair): void {
    if (!this.#full.delete(pair) || this.#full.size > 0) return;
    this.#released?.();
    this.#released = undefined;
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#ended;
    for (let id = 1; !signal.aborted; id += 2) {
      await this.#ctx.clock.sleep(PING_MS, signal).catch(() => {});
      if (signal.aborted) return;
      const now = this.#ctx.clock.monotonic();
      if (this.load === 0 && now - this.#usedAt > IDLE_MS) return this.close();
      if (this.#full.size > 0) this.#heardAt = now;
      if (now - this.#heardAt > SILENCE_MS) {
        return this.#finish(
          new Error(`no answer for ${Math.round((now - this.#heardAt) / 1000)} s`),
        );
      }
      this.#send(pingFrame(id));
    }
  }

  /** Ends all; with a cause that nobody meant it is an error of each connection. */
  #finish(cause: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    for (const signal of this.#options.signals) signal.removeEventListener("abort", this.#drop);
    try {
      this.#channel.close();
    } catch {
      // It was closed already.
    }
    for (const pair of new Set(this.#pairs.values())) {
      if (cause === undefined) pair.stream.end();
      else pair.stream.fail(connectionFailure(pair.tried, this.#options.server, cause).error);
    }
    this.#pairs.clear();
    this.#full.clear();
    this.#released?.();
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
