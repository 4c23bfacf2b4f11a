/**
 * Byte connections to the server under test: TCP, TLS, or a stream somebody else opened
 * (a port-forward).
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { connectInsecure, tlsProblem, type TlsTrust } from "./transport_tls.ts";

/** A connection, in the shape of `Deno.Conn`. */
export interface ByteConnection {
  /** Reads into the buffer; the number of bytes, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; the number written. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes both directions; a pending read or write ends. */
  close(): void;
}

/** A connection as a pair of streams, for example a port-forward to a pod. */
export interface StreamConnection {
  /** Bytes from the server. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes to the server. */
  readonly writable: WritableStream<Uint8Array>;
  /** Closes both directions; never throws. */
  close(): void;
}

/** Opens a connection; rejects when the signal is aborted first. */
export type Dial = (signal: AbortSignal) => Promise<ByteConnection>;

/**
 * Dials the host and port of a URL: TLS for https, with HTTP/1.1 only, and certificates checked
 * unless `trust` says otherwise.
 */
export function dialUrl(ctx: Pick<Context, "net">, url: string, trust: TlsTrust = {}): Dial {
  const { protocol, hostname: name, port: given } = new URL(url);
  // URL keeps the brackets of an IPv6 address; sockets do not want them.
  const hostname = name.replace(/^\[(.*)\]$/, "$1");
  const port = given === "" ? (protocol === "https:" ? 443 : 80) : Number(given);
  if (protocol !== "https:") {
    return async (signal) => {
      const connection = await ctx.net.connect({ hostname, port, signal });
      connection.setNoDelay(true);
      return connection;
    };
  }
  if (trust.insecure === true) {
    const ready = (connection: ByteConnection) => Promise.resolve(connection);
    return (signal) => abandonable(signal, connectInsecure({ hostname, port }), ready);
  }
  const options = {
    hostname,
    port,
    alpnProtocols: ["http/1.1"],
    ...(trust.authorities === undefined ? {} : { caCerts: [trust.authorities] }),
  };
  return (signal) => abandonable(signal, ctx.net.connectTls(options), handshake);
}

/** What an error of dialing means, and what to do about it where that is known. */
export function dialProblem(error: unknown): { reason: string; hint: string | undefined } {
  return tlsProblem(error) ?? { reason: messageOf(error), hint: undefined };
}

async function handshake(connection: Deno.TlsConn): Promise<Deno.TlsConn> {
  try {
    await connection.handshake();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** Dials with a function that opens streams. */
export function dialStreams(open: (signal: AbortSignal) => Promise<StreamConnection>): Dial {
  return (signal) =>
    abandonable(signal, open(signal), (streams) => Promise.resolve(fromStreams(streams)));
}

// For openers that know no signal: when it is aborted first, the late connection is closed.
async function abandonable<T extends { close(): void }, C extends ByteConnection>(
  signal: AbortSignal,
  opening: Promise<T>,
  finish: (opened: T) => Promise<C>,
): Promise<C> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  const connecting = opening.then(finish);
  try {
    return await Promise.race([connecting, aborted]);
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    opening.then((late) => close(late), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Closes; closing twice is no error. */
export function close(connection: { close(): void }): void {
  try {
    connection.close();
  } catch {
    // Already closed.
  }
}

/** A pair of streams in the shape of a connection. */
export function fromStreams(streams: StreamConnection): ByteConnection {
  const reader = streams.readable.getReader();
  const writer = streams.writable.getWriter();
  let rest = new Uint8Array(0);
  return {
    async read(into) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        rest = value as Uint8Array<ArrayBuffer>;
      }
      const length = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, length));
      rest = rest.subarray(length);
      return length;
    },
    async write(bytes) {
      await writer.write(bytes);
      return bytes.length;
    },
    close() {
      streams.close();
      reader.cancel().catch(() => {});
      writer.abort().catch(() => {});
    },
  };
}

/** Writes all the bytes. */
export async function writeAll(connection: ByteConnection, bytes: Uint8Array): Promise<void> {
  let written = await connection.write(bytes);
  while (written < bytes.length) written += await connection.write(bytes.subarray(written));
}
