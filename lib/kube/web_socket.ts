/**
 * WebSockets of the API server, through the handler of `@kubernetes/client-node` (and the
 * `ws` package below it, which can hold back a fast sender; the platform's WebSocket cannot,
 * and takes 46 ms for a connection where this takes 4, for want of TCP_NODELAY).
 *
 * @module
 */
import type { KubeConfig } from "@kubernetes/client-node";
import type { StreamInterface } from "@kubernetes/client-node/dist/web-socket-handler.js";
import { messageOf } from "../cli/errors.ts";
import type { SocketConfig } from "./transport_types.ts";

/** The part of the `ws` package's WebSocket that is used. */
export interface ChannelSocket {
  /** Calls `done` when the data has left. */
  send(data: Uint8Array, done: (error?: Error) => void): void;
  /** Stops reading. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Keeps the connection alive. */
  ping(): void;
  /** Says goodbye; the connection is gone within half a second. */
  close(): void;
  /** Drops the connection. */
  terminate(): void;
  /** The connection is gone; 1000 when the server meant it. */
  on(event: "close", listener: (code: number) => void): unknown;
  /** Something went wrong; `close` follows. */
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The server answered with an HTTP status instead of a WebSocket. */
export class SocketRefused extends Error {
  /** HTTP status. */
  readonly status: number;

  /** Builds the error from the status. */
  constructor(status: number) {
    super(`The server answered with HTTP status ${status}`);
    this.name = "SocketRefused";
    this.status = status;
  }
}

const HANDSHAKE_MS = 30_000;
const CLOSE_MS = 500;

/**
 * Opens a WebSocket whose binary messages start with the number of a channel.
 *
 * @throws {SocketRefused} or an Error of the connection.
 */
export async function openChannels(
  sockets: SocketConfig,
  path: string,
  receive: (channel: number, data: Uint8Array) => void,
): Promise<ChannelSocket> {
  const { WebSocketHandler } = await import(
    "@kubernetes/client-node/dist/web-socket-handler.js"
  );
  let configured: unknown;
  const config: SocketConfig = {
    getCurrentCluster: () => sockets.getCurrentCluster(),
    async applyToHTTPSOptions(options) {
      try {
        await sockets.applyToHTTPSOptions(options);
      } catch (error) {
        configured = error;
        throw error;
      }
      options["handshakeTimeout"] = HANDSHAKE_MS;
      options["closeTimeout"] = CLOSE_MS;
      options["perMessageDeflate"] = false;
    },
  };
  const handler = new WebSocketHandler(config as unknown as KubeConfig, undefined, NO_STREAMS);
  try {
    const socket = await handler.connect(path, null, (channel, data) => {
      receive(channel, data);
      return true;
    });
    return socket as unknown as ChannelSocket;
  } catch (event) {
    if (event === configured) throw event;
    // What the handler throws is the socket's error event.
    const { error } = event as { readonly error?: unknown };
    const status = /Unexpected server response: (\d+)/.exec(messageOf(error ?? event))?.[1];
    throw status === undefined ? error ?? event : new SocketRefused(Number(status));
  }
}

// The handler would take the process's own streams; it uses them for a message (channel 255)
// that port-forwards do not have.
const NO_STREAMS = {
  stdin: { pause() {} },
  stdout: { end() {} },
  stderr: { end() {} },
} as unknown as StreamInterface;
