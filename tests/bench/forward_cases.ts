/**
 * What is measured of a port-forward.
 *
 * @module
 */
import { question, sendBytes, writeAll } from "./forward_pod.ts";

/** One figure. */
export interface ForwardCase {
  /** For the command line. */
  readonly id: string;
  /** What it is, with its unit. */
  readonly figure: string;
  /** Measures at a port of 127.0.0.1. */
  readonly measure: (port: number) => Promise<number>;
  /** What ours has to hold beside the other's. */
  readonly limit: string;
  /** Whether it does. */
  readonly holds: (ours: number, theirs: number) => boolean;
}

const MIB = 1024 * 1024;
const LEAST_SHARE = 0.9;
const MOST_MORE_MS = 1;
const NEW_CONNECTIONS = 300;

/** All that are measured in each round. */
export const FORWARD_CASES: readonly ForwardCase[] = [
  ...(["d", "u"] as const).flatMap((kind) =>
    [1, 16].map((connections): ForwardCase => ({
      id: `${kind === "d" ? "down" : "up"}-${connections}`,
      figure: `${kind === "d" ? "from" : "to"} the pod, ${connections} at once, MiB/s`,
      measure: (port) => throughput(port, kind, connections),
      limit: `≥ ${LEAST_SHARE * 100} %`,
      holds: (ours, theirs) => ours >= LEAST_SHARE * theirs,
    }))
  ),
  {
    id: "connect",
    figure: "a new connection and its first byte, median ms",
    measure: newConnection,
    limit: `≤ ${MOST_MORE_MS} ms more`,
    holds: (ours, theirs) => ours <= theirs + MOST_MORE_MS,
  },
  {
    id: "connect-16",
    figure: "the same, 16 at once",
    measure: (port) => newConnection(port, 16),
    limit: "",
    holds: () => true,
  },
];

const TRANSFER = 192 * MIB;

async function throughput(port: number, kind: "d" | "u", connections: number): Promise<number> {
  const bytes = TRANSFER / connections;
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, async () => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(connection, question(kind, bytes));
    if (kind === "u") await sendBytes(connection, bytes);
    await expectBytes(connection, kind === "d" ? bytes : 1);
  }));
  return TRANSFER / MIB / ((performance.now() - started) / 1000);
}

async function newConnection(port: number, lanes = 1): Promise<number> {
  const took: number[] = [];
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (took.length < NEW_CONNECTIONS) took.push(await timed(() => askOnce(port)));
  }));
  return took.sort((a, b) => a - b)[took.length >> 1]!;
}

/** One connection that gets one byte. */
export async function askOnce(port: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  await writeAll(connection, question("e"));
  await expectBytes(connection, 1);
}

async function timed(run: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

async function expectBytes(connection: Deno.Conn, bytes: number): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  let got = 0;
  while (got < bytes) {
    const size = await connection.read(buffer);
    if (size === null) throw new Error(`The connection ended after ${got} of ${bytes} bytes`);
    got += size;
  }
  if (got !== bytes) throw new Error(`${got} bytes came instead of ${bytes}`);
}
