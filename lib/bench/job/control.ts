/**
 * How the pod of a benchmark is asked for blocks: over a port on its loopback, which only a
 * port-forward reaches. One request a line, one answer a line, both JSON.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { messageOf } from "../../cli/errors.ts";
import { linesOf } from "../../kube/lines.ts";
import { type ByteConnection, writeAll } from "../transport.ts";
import type { Block } from "./block.ts";
import type { ServerRecord } from "../server/watch.ts";
import type { PlainOptions } from "./job_file.ts";

/** What is asked of the pod. */
export type ControlRequest =
  | { readonly kind: "ready" }
  /** The server is watched: the run may begin. */
  | { readonly kind: "go" }
  /** What was seen of the server. */
  | { readonly kind: "record"; readonly record: ServerRecord }
  | { readonly kind: "block"; readonly options: PlainOptions }
  | { readonly kind: "end" };

/** What it answers. */
export type ControlAnswer =
  | { readonly ready: true }
  | { readonly block: Block }
  | { readonly error: string }
  | { readonly ended: true };

/** A pod that is not asked for anything for so long, ends. */
const PATIENCE_MS = 60_000;

/** Options of {@link serveBlocks}. */
export interface ServeBlocksOptions {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Milliseconds without a request after which it ends; a minute unless given. */
  readonly patienceMs?: number;
  /** Measures a block. */
  readonly measure: (options: PlainOptions) => Promise<Block>;
}

/** Answers requests until the end is asked for, or nobody asks any more. */
export async function serveBlocks(
  ctx: Pick<Context, "net" | "clock" | "signal">,
  options: ServeBlocksOptions,
): Promise<void> {
  const listener = ctx.net.listen({ hostname: "127.0.0.1", port: options.port });
  const open = new Set<Deno.Conn>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    for (const one of [listener, ...open]) closeQuietly(one);
  };
  const rest = () => clearTimeout(timer);
  const wait = () => {
    rest();
    timer = setTimeout(stop, options.patienceMs ?? PATIENCE_MS);
  };
  const serve = async (connection: Deno.Conn) => {
    open.add(connection);
    try {
      if (await answer(connection, options, { wait, rest })) stop();
    } catch {
      // Whoever asked is gone, and may ask again.
    } finally {
      closeQuietly(connection);
      open.delete(connection);
    }
  };
  ctx.signal.addEventListener("abort", stop);
  wait();
  try {
    // A forwarded connection whose other end is gone may stay: it must not be in the way.
    for (;;) serve(await listener.accept());
  } catch {
    // The listener was closed: it is over.
  } finally {
    ctx.signal.removeEventListener("abort", stop);
    stop();
  }
}

interface Patience {
  readonly wait: () => void;
  readonly rest: () => void;
}

async function answer(
  connection: Deno.Conn,
  { measure }: ServeBlocksOptions,
  { wait, rest }: Patience,
): Promise<boolean> {
  const say = (value: ControlAnswer) =>
    writeAll(connection, new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  for await (const line of linesOf(connection.readable)) {
    const request: ControlRequest = JSON.parse(line);
    if (request.kind === "end") {
      await say({ ended: true });
      return true;
    }
    if (request.kind !== "block") {
      wait();
      await say({ ready: true });
      continue;
    }
    rest();
    await say(
      await measure(request.options).then(
        (block): ControlAnswer => ({ block }),
        (error) => ({ error: messageOf(error) }),
      ),
    );
    wait();
  }
  return false;
}

/** Options of {@link hearOnce}. */
export interface HearOptions {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** What is waited for. */
  readonly kind: ControlRequest["kind"];
  /** Milliseconds after which it is not waited for any more. */
  readonly patienceMs: number;
}

/** Waits for one request of a kind, and answers it; undefined when none came in time. */
export async function hearOnce(
  ctx: Pick<Context, "net" | "signal">,
  { port, kind, patienceMs }: HearOptions,
): Promise<ControlRequest | undefined> {
  const listener = ctx.net.listen({ hostname: "127.0.0.1", port });
  const late = AbortSignal.any([ctx.signal, AbortSignal.timeout(patienceMs)]);
  const open = new Set<{ close(): void }>([listener]);
  const stop = () => {
    for (const one of open) closeQuietly(one);
  };
  late.addEventListener("abort", stop);
  try {
    for (;;) {
      const connection = await listener.accept();
      open.add(connection);
      const request = await oneRequest(connection, kind).catch(() => undefined);
      if (request !== undefined) return request;
      closeQuietly(connection);
      open.delete(connection);
    }
  } catch {
    // The listener was closed: it is too late.
    return undefined;
  } finally {
    late.removeEventListener("abort", stop);
    stop();
  }
}

async function oneRequest(
  connection: Deno.Conn,
  kind: ControlRequest["kind"],
): Promise<ControlRequest | undefined> {
  for await (const line of linesOf(connection.readable)) {
    const request: ControlRequest = JSON.parse(line);
    if (request.kind !== kind) return undefined;
    const answer: ControlAnswer = { ready: true };
    await writeAll(connection, new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
    return request;
  }
  return undefined;
}

/**
 * Asks for one thing over a connection of its own.
 *
 * @throws {Error} when the pod says that it failed, or the connection ends early.
 */
export async function askControl(
  connection: ByteConnection,
  request: ControlRequest,
): Promise<ControlAnswer> {
  await writeAll(connection, new TextEncoder().encode(`${JSON.stringify(request)}\n`));
  const pieces: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(64 * 1024);
    const length = await connection.read(buffer);
    if (length === null) throw new Error("the benchmark's pod closed the connection");
    pieces.push(buffer.subarray(0, length));
    if (buffer[length - 1] === 10) break;
  }
  const answer: ControlAnswer = JSON.parse(await new Blob(pieces as BlobPart[]).text());
  if ("error" in answer) throw new Error(answer.error);
  return answer;
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed already.
  }
}
