/**
 * A request of HTTP/1.1 that becomes a byte stream (RFC 9110, 7.8), on a socket of its own: the
 * platform's `fetch` cannot give its connection away.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Credentials } from "./credentials.ts";
import { startDeadline } from "./deadline.ts";

/** Bytes both ways, as a `Deno.Conn` has them. */
export type ByteChannel = Pick<Deno.Conn, "read" | "write" | "close">;

/** A request that was upgraded. */
export interface Upgraded {
  /** The connection. */
  readonly channel: ByteChannel;
  /** Bytes that came together with the answer. */
  readonly early: Uint8Array;
}

/** The server answered with something else than an upgrade. */
export class UpgradeRefused extends Error {
  /** HTTP status. */
  readonly status: number;
  /** Body of the answer, or the beginning of a long one. */
  readonly body: string;

  /** Builds the error from the answer. */
  constructor(status: number, body: string) {
    super(`The server answered with HTTP status ${status}`);
    this.name = "UpgradeRefused";
    this.status = status;
    this.body = body;
  }
}

/** Where to, and as whom. */
export interface UpgradeOptions {
  /** URL of the server; its path goes before the request's. */
  readonly server: string;
  /** Authority of the server's certificate (PEM); the system's unless given. */
  readonly authority: string | undefined;
  /** Headers and client certificate. */
  readonly credentials: Credentials;
  /** Path with the query. */
  readonly path: string;
  /** Value of the header `Upgrade`. */
  readonly protocol: string;
  /** Headers besides. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the attempt. */
  readonly signals: readonly AbortSignal[];
}

const HANDSHAKE_MS = 30_000;
const MOST_ANSWER = 64 * 1024;

/**
 * Connects and asks, with POST and without a body.
 *
 * @throws {UpgradeRefused} or an Error of the connection.
 */
export async function upgradeConnection(
  ctx: Pick<Context, "net" | "clock">,
  options: UpgradeOptions,
): Promise<Upgraded> {
  const { clock } = ctx;
  const deadline = startDeadline(clock, HANDSHAKE_MS, options.signals);
  let channel: ByteChannel | undefined;
  const drop = () => {
    try {
      channel?.close();
    } catch {
      // It was closed already.
    }
  };
  try {
    channel = await connect(ctx, options, deadline.signal);
    deadline.signal.throwIfAborted();
    deadline.signal.addEventListener("abort", drop, { once: true });
    await send(channel, requestText(options));
    const { status, head, rest } = await readAnswer(channel);
    if (status === 101 && head.includes(`\r\nupgrade: ${options.protocol.toLowerCase()}\r\n`)) {
      return { channel, early: rest };
    }
    throw new UpgradeRefused(status, await readBody(channel, head, rest));
  } catch (error) {
    drop();
    if (deadline.expired) throw new Error(`no answer within ${HANDSHAKE_MS / 1000} s`);
    throw error;
  } finally {
    deadline.signal.removeEventListener("abort", drop);
    deadline.end();
  }
}

async function connect(
  ctx: Pick<Context, "net">,
  { server, authority, credentials: { cert, key } }: UpgradeOptions,
  signal: AbortSignal,
): Promise<ByteChannel> {
  const { protocol, hostname: name, port: given } = new URL(server);
  const hostname = name.replace(/^\[(.*)\]$/, "$1");
  const secure = protocol === "https:";
  const port = given === "" ? (secure ? 443 : 80) : Number(given);
  const tls = {
    hostname,
    alpnProtocols: ["http/1.1"],
    ...(authority === undefined ? {} : { caCerts: [authority] }),
  };
  // Only this way takes a client certificate, and it cannot switch Nagle's algorithm off.
  if (secure && cert !== undefined && key !== undefined) {
    return await ctx.net.connectTls({ ...tls, port, cert, key });
  }
  const plain = await ctx.net.connect({ hostname, port, signal });
  plain.setNoDelay(true);
  return secure ? await ctx.net.startTls(plain, tls) : plain;
}

function requestText({ server, path, protocol, headers, credentials }: UpgradeOptions): string {
  const { host, pathname } = new URL(server);
  const all: Record<string, string> = {
    "Host": host,
    "User-Agent": "dynamo-eks",
    "Content-Length": "0",
    "Connection": "Upgrade",
    "Upgrade": protocol,
    ...headers,
    ...credentials.headers,
  };
  const lines = Object.entries(all).map(([name, value]) => {
    if (/[\r\n]/.test(value)) throw new Error(`the header ${name} has more than one line`);
    return `${name}: ${value}\r\n`;
  });
  return `POST ${pathname.replace(/\/$/, "")}${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

async function send(channel: ByteChannel, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await channel.write(bytes.subarray(sent));
}

interface Answer {
  readonly status: number;
  /** In lower case; begins with the status line and ends with an empty one. */
  readonly head: string;
  readonly rest: Uint8Array;
}

async function readAnswer(channel: ByteChannel): Promise<Answer> {
  const bytes = new Uint8Array(MOST_ANSWER);
  for (let size = 0; size < bytes.length;) {
    const more = await channel.read(bytes.subarray(size));
    if (more === null) throw new Error("the server closed the connection without an answer");
    size += more;
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, size));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const head = text.slice(0, end + 4).toLowerCase();
    const status = /^http\/1\.[01] (\d{3})/.exec(head)?.[1];
    if (status === undefined) throw new Error("the server does not answer as an HTTP server does");
    return { status: Number(status), head, rest: bytes.slice(end + 4, size) };
  }
  throw new Error("the server's answer has too many headers");
}

async function readBody(channel: ByteChannel, head: string, rest: Uint8Array): Promise<string> {
  const length = Number(/\r\ncontent-length: *(\d+)\r\n/.exec(head)?.[1] ?? 0);
  const bytes = new Uint8Array(Math.max(rest.length, Math.min(length, MOST_ANSWER)));
  bytes.set(rest);
  for (let size = rest.length; size < bytes.length;) {
    const more = await channel.read(bytes.subarray(size));
    if (more === null) break;
    size += more;
  }
  return new TextDecoder().decode(bytes);
}
