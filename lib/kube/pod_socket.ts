/**
 * One connection to a pod over a WebSocket of its own: the older protocol (`v4.channel.k8s.io`),
 * for clusters and proxies that do not let SPDY through.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { type Attempted, connectionFailure } from "./api_error.ts";
import { portForwardError } from "./pod_error.ts";
import { PodStream } from "./pod_stream.ts";
import type { SocketConfig } from "./transport_types.ts";
import type { PodConnection } from "./types.ts";
import { type ChannelSocket, openChannels } from "./web_socket.ts";

/** What the connection belongs to. */
export interface PodSocketOptions {
  /** For messages. */
  readonly tried: Attempted;
  /** URL of the API server, for messages. */
  readonly server: string;
  /** For the WebSocket. */
  readonly sockets: SocketConfig;
  /** Path with the port. */
  readonly path: string;
  /** Each drops the connection when aborted. */
  readonly signals: readonly AbortSignal[];
}

// Channels of the port-forward protocol for the first (here: the only) port.
const DATA = 0;
const ERROR = 1;

const MOST_SENT = 64 * 1024;
// Often enough for load balancers that drop idle connections.
const PING_MS = 30_000;
const MEANT_TO_CLOSE = [1000, 1005];

/**
 * Opens it.
 *
 * @throws {SocketRefused} or an Error of the connection.
 */
export async function openPodSocket(
  ctx: Pick<Context, "clock">,
  options: PodSocketOptions,
): Promise<PodConnection> {
  const { tried, server, signals } = options;
  const ended = new AbortController();
  // The first two bytes of each channel repeat the port.
  const toSkip = [2, 2];
  let heard = false;
  let failure: Error | undefined;
  // Messages may come before it is known here.
  const opened: { socket?: ChannelSocket } = {};

  const stream = new PodStream({
    async send(bytes) {
      for (let start = 0; start < bytes.length; start += MOST_SENT) {
        const part = bytes.subarray(start, start + MOST_SENT);
        const message = new Uint8Array(part.length + 1);
        message[0] = DATA;
        message.set(part, 1);
        await new Promise<void>((resolve, reject) => {
          opened.socket?.send(message, (error) => error ? reject(error) : resolve());
        });
      }
    },
    pause: () => opened.socket?.pause(),
    resume: () => opened.socket?.resume(),
    close: () => end(undefined),
  });

  function receive(channel: number, data: Uint8Array): void {
    if (channel !== DATA && channel !== ERROR) return;
    const skip = Math.min(toSkip[channel]!, data.length);
    toSkip[channel]! -= skip;
    const rest = data.subarray(skip);
    if (rest.length === 0) return;
    if (channel === ERROR) {
      return end(portForwardError(tried, new TextDecoder().decode(rest), heard));
    }
    heard = true;
    stream.push(rest);
  }

  function end(error: Error | undefined): void {
    if (ended.signal.aborted) return;
    ended.abort();
    for (const signal of signals) signal.removeEventListener("abort", drop);
    if (error === undefined) stream.end();
    else stream.fail(error);
    opened.socket?.close();
  }

  function drop(): void {
    end(undefined);
    opened.socket?.terminate();
  }

  async function keepAlive(): Promise<void> {
    while (!ended.signal.aborted) {
      await ctx.clock.sleep(PING_MS, ended.signal).catch(() => {});
      if (!ended.signal.aborted) opened.socket?.ping();
    }
  }

  const socket = await openChannels(options.sockets, options.path, receive);
  opened.socket = socket;
  socket.on("error", (error) => failure = error);
  socket.on("close", (code) => {
    const cause = failure ?? new Error(`WebSocket code ${code}`);
    end(MEANT_TO_CLOSE.includes(code) ? undefined : connectionFailure(tried, server, cause).error);
  });
  for (const signal of signals) {
    signal.addEventListener("abort", drop);
    if (signal.aborted) drop();
  }
  keepAlive();
  return stream;
}
