/**
 * An API server for tests whose pods speak SPDY, as those of real nodes do.
 *
 * @module
 */
import { constants, inflateRawSync } from "node:zlib";
import type { Context } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import { connectKube } from "./client.ts";
import {
  dataHead,
  finFrame,
  FRAME,
  FRAME_HEAD,
  frameReader,
  numberIn,
  pingFrame,
} from "./spdy_frames.ts";
import { kubeconfigText } from "./testing.ts";
import type { Kube } from "./types.ts";

/** A pod's side of a connection. */
export interface TestPod {
  /** Name of the pod. */
  readonly name: string;
  /** Port of the pod. */
  readonly port: number;
  /** Counts sessions from 1. */
  readonly session: number;
  /** Sends bytes to the client; resolves when they have left. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the connection, with an error of the node when it is given. */
  end(error?: string): void;
}

/** How pods behave. */
export interface TestPodsOptions {
  /** Names of those that are there. */
  readonly pods: Set<string>;
  /** Called for each connection. */
  readonly onOpen?: (pod: TestPod) => void;
  /** Called with bytes of the client; no more are read until it resolves. */
  readonly onData?: (pod: TestPod, bytes: Uint8Array) => void | Promise<void>;
  /** Called when the client has ended a connection before the pod. */
  readonly onReset?: (pod: TestPod) => void;
  /** HTTP status in place of an upgrade. */
  readonly refuse?: () => number | undefined;
}

/** The running server with a client. */
export interface TestPods extends AsyncDisposable {
  /** A client of it. */
  readonly kube: Kube;
  /** The client's context. */
  readonly ctx: Context;
  /** What the terminal was told. */
  readonly talk: readonly string[];
  /** First line of each request. */
  readonly requests: string[];
  /** Sessions that are open. */
  readonly open: number;
  /** Drops all sessions, as a server that is killed does. */
  drop(): void;
}

/** Starts the server and connects a client. */
export async function startSpdyPods(
  options: TestPodsOptions,
  context: Partial<Context> = {},
): Promise<TestPods> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sessions = new Map<Deno.Conn, Promise<void>>();
  const requests: string[] = [];
  let count = 0;

  async function accept(): Promise<void> {
    for await (const connection of listener) {
      connection.setNoDelay(true);
      const served = serve(connection).catch(() => {}).finally(() => {
        sessions.delete(connection);
        closeQuietly(connection);
      });
      sessions.set(connection, served);
    }
  }

  async function serve(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const size = await connection.read(buffer) ?? 0;
    const line = new TextDecoder().decode(buffer.subarray(0, size)).split("\r\n")[0]!;
    requests.push(line.replace(/ HTTP.*/, ""));
    const name = /pods\/([^/]+)\/portforward/.exec(line)?.[1] ?? "";
    const status = options.refuse?.() ??
      (!options.pods.has(name) ? 404 : line.startsWith("POST") ? 101 : 400);
    await writeAll(connection, new TextEncoder().encode(answerOf(status, name)));
    if (status !== 101) return;
    await serveSession(connection, buffer, { options, name, session: ++count });
  }

  const accepting = accept();
  const test = await testContext();
  const ctx = { ...test.ctx, ...context };
  const kubeconfig = `${test.ctx.home}.kubeconfig`;
  const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  await Deno.writeTextFile(kubeconfig, kubeconfigText(url, "{token: secret-token}"));
  const kube = await connectKube(ctx, { kubeconfig });
  return {
    kube,
    ctx,
    talk: test.heard.talk,
    requests,
    get open() {
      return sessions.size;
    },
    drop: () => [...sessions.keys()].forEach(closeQuietly),
    async [Symbol.asyncDispose]() {
      kube.close();
      listener.close();
      await Promise.all([accepting, ...sessions.values()]);
      await test.dispose();
    },
  };
}

function answerOf(status: number, name: string): string {
  if (status === 101) {
    return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
      "X-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n";
  }
  const body = status === 404
    ? { kind: "Status", code: 404, reason: "NotFound", message: `pods "${name}" not found` }
    : { kind: "Status", code: status, message: "no" };
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} No\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

interface Session {
  readonly options: TestPodsOptions;
  readonly name: string;
  readonly session: number;
}

/** Reads frames until the client is gone. */
async function serveSession(
  connection: Deno.Conn,
  buffer: Uint8Array<ArrayBuffer>,
  { options, name, session }: Session,
): Promise<void> {
  const headersOf = headerReader();
  const errors = new Map<string, number>();
  const pods = new Map<number, TestPod>();
  const todo: { pod: TestPod; bytes: Uint8Array }[] = [];
  let sending: Promise<unknown> = Promise.resolve();
  const send = (...frames: Uint8Array[]) => {
    const sent = sending.then(async () => {
      for (const frame of frames) await writeAll(connection, frame);
    });
    sending = sent.catch(() => {});
    return sent;
  };

  function opened(body: Uint8Array): void {
    const stream = numberIn(body);
    const { streamtype, port, requestid } = headersOf(body.subarray(10));
    if (streamtype === "error") return void errors.set(requestid!, stream);
    const error = errors.get(requestid!)!;
    errors.delete(requestid!);
    const pod: TestPod = {
      name,
      port: Number(port),
      session,
      send: (bytes) => send(dataFrame(stream, bytes)),
      end(text) {
        pods.delete(stream);
        const words = text === undefined ? [] : [dataFrame(error, new TextEncoder().encode(text))];
        send(finFrame(stream), ...words, finFrame(error)).catch(() => {});
      },
    };
    pods.set(stream, pod);
    options.onOpen?.(pod);
  }

  const take = frameReader({
    data(stream, bytes) {
      const pod = pods.get(stream);
      if (pod !== undefined) todo.push({ pod, bytes: bytes.slice() });
    },
    end() {},
    control(kind, _flags, body) {
      if (kind === FRAME.synStream) return opened(body);
      const number = numberIn(body);
      if (kind === FRAME.ping) return void send(pingFrame(number)).catch(() => {});
      const pod = pods.get(number);
      if (kind !== FRAME.rstStream || pod === undefined) return;
      pods.delete(number);
      options.onReset?.(pod);
    },
  });
  for (let size; (size = await connection.read(buffer)) !== null;) {
    take(buffer.subarray(0, size));
    for (const { pod, bytes } of todo.splice(0)) await options.onData?.(pod, bytes);
  }
}

function dataFrame(stream: number, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD + bytes.length);
  dataHead(frame, stream, bytes.length);
  frame.set(bytes, FRAME_HEAD);
  return frame;
}

/** All header blocks of a connection are one zlib stream; those of our client need no past. */
function headerReader(): (block: Uint8Array) => Record<string, string> {
  let head = 2;
  return (block) => {
    const options = { finishFlush: constants.Z_SYNC_FLUSH };
    const text = inflateRawSync(block.subarray(head), options);
    head = 0;
    let at = 4;
    const next = () => {
      const length = text.readUInt32BE(at);
      at += 4 + length;
      return text.subarray(at - length, at).toString();
    };
    return Object.fromEntries(Array.from({ length: text.readUInt32BE(0) }, () => [next(), next()]));
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}
