/**
 * TLS connections: certificates checked, by an authority of the user's own, or not at all.
 *
 * @module
 */
import tls from "node:tls";
import type { Context } from "../cli/context.ts";
import { messageOf, usageError } from "../cli/errors.ts";

/** Which certificates are trusted. */
export interface TlsTrust {
  /** Certificates of authorities (PEM) trusted besides the system's. */
  readonly authorities?: string | undefined;
  /** Takes any certificate: what is sent can be read by whoever sits in between. */
  readonly insecure?: boolean | undefined;
}

/**
 * Reads a file of certificates.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) when it cannot be read, or holds none.
 */
export async function readAuthorities(ctx: Pick<Context, "fs">, path: string): Promise<string> {
  let text: string;
  try {
    text = await ctx.fs.readTextFile(path);
  } catch (error) {
    throw usageError("BENCH_OPTIONS", `Cannot read --ca-file ${path}: ${messageOf(error)}`);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw usageError(
    "BENCH_OPTIONS",
    `--ca-file ${path} holds no certificate`,
    "It is a PEM file with -----BEGIN CERTIFICATE----- in it.",
  );
}

/** Words for an error of the handshake, and what to do; undefined for other errors. */
export function tlsProblem(error: unknown): { reason: string; hint: string } | undefined {
  const message = messageOf(error);
  const certificate = /invalid peer certificate: (.*)/.exec(message)?.[1];
  if (certificate !== undefined) {
    const known = CERTIFICATE_PROBLEMS.find(([pattern]) => pattern.test(certificate));
    return {
      reason: `the server's certificate is refused: ${known?.[1] ?? certificate}`,
      hint: known?.[2] ?? TRUST,
    };
  }
  if (/InvalidContentType|corrupt message/.test(message)) {
    return {
      reason: "the server does not speak TLS on this port",
      hint: "Is it http:// in place of https://?",
    };
  }
  return undefined;
}

const TRUST = "--ca-file FILE names its authority; --insecure takes any certificate.";
const CERTIFICATE_PROBLEMS: readonly (readonly [RegExp, string, string])[] = [
  [/UnknownIssuer/, "it is signed by an authority that this machine does not know", TRUST],
  [
    /CaUsedAsEndEntity/,
    "it is the certificate of an authority, signed by itself",
    "Give the server a certificate signed by it, or use --insecure to take any.",
  ],
  [
    /NotValidForName/,
    "it is for another name than the URL's",
    "Use the name in the certificate, or --insecure to take any.",
  ],
  [/Expired/, "it has expired", "Renew it, or use --insecure to take any."],
  [/NotValidYet/, "it is not valid yet", "Is the clock of this machine right?"],
];

/** A TLS connection whose certificate nobody checks. Deno's own sockets cannot do without. */
export function connectInsecure(
  options: { readonly hostname: string; readonly port: number },
): Promise<InsecureConnection> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: options.hostname,
      port: options.port,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      socket.setNoDelay(true);
      resolve(new InsecureConnection(socket));
    });
  });
}

/** A socket of Node's in the shape of a connection; one read at a time. */
export class InsecureConnection {
  readonly #socket: tls.TLSSocket;
  #parts: Uint8Array[] = [];
  #ended = false;
  #problem: Error | undefined;
  #wake: (() => void) | undefined;

  /** Wraps a connected socket. */
  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    const wake = () => this.#wake?.();
    socket.on("data", (part: Uint8Array) => {
      this.#parts.push(part);
      wake();
    });
    socket.on("error", (error: Error) => this.#problem = error);
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        wake();
      });
    }
  }

  /** As `Deno.Conn`. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#parts.length === 0) {
      if (this.#problem !== undefined) throw this.#problem;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    const first = this.#parts[0]!;
    const length = Math.min(into.length, first.length);
    into.set(first.subarray(0, length));
    if (length === first.length) this.#parts.shift();
    else this.#parts[0] = first.subarray(length);
    return length;
  }

  /** As `Deno.Conn`. */
  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length))
    );
  }

  /** As `Deno.Conn`. */
  close(): void {
    this.#ended = true;
    this.#socket.destroy();
    this.#wake?.();
  }
}
