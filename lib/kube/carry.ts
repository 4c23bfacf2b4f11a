/**
 * Carries bytes between a client on this machine and a pod.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { PodConnection } from "./types.ts";

/** The client's side of a connection. What it reads and nobody has taken is not lost. */
export interface LocalSide {
  /** What the client sent next, until `taken` is called the same again; null at its end. */
  next(): Promise<Uint8Array | null>;
  /** It has been dealt with before `next` is called again. */
  taken(): void;
  /** Sends all of it to the client. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * What was taken, while it can be said again to another pod: nothing was heard, and it is
   * little. Undefined after that.
   */
  said: Uint8Array[] | undefined;
}

const FIRST_BUFFER = 8 * 1024;
const BUFFER = 64 * 1024;
const MOST_SAID = 64 * 1024;

// A TCP socket does not tell whether a client that has sent all wants the answer or is gone.
// Nodes cannot be told either: they cut the connection when one direction ends. So the pod is
// given time by what was said last, and a client that is gone shows when the pod speaks.
const ANSWER_MS = 60_000;
const MORE_MS = 10_000;
const GOODBYE_MS = 1_000;

/** Wraps the client's connection. */
export function localSide(connection: Pick<Deno.Conn, "read" | "write">): LocalSide {
  let buffer = new Uint8Array(FIRST_BUFFER);
  let coming: Promise<Uint8Array | null> | undefined;

  async function read(): Promise<Uint8Array | null> {
    const size = await connection.read(buffer);
    if (size === null) return null;
    const bytes = buffer.subarray(0, size);
    // Most clients of LLMs send little.
    if (size === buffer.length && size < BUFFER) buffer = new Uint8Array(BUFFER);
    return bytes;
  }

  return {
    next: () => coming ??= read(),
    taken: () => void (coming = undefined),
    async write(bytes) {
      let sent = await connection.write(bytes);
      while (sent < bytes.length) sent += await connection.write(bytes.subarray(sent));
    },
    said: [],
  };
}

/**
 * Carries until the pod or the client ends; a client that has only ended its own direction is
 * still served.
 *
 * @throws what ended the pod's side, unless it meant to end.
 */
export async function carry(
  ctx: Pick<Context, "clock">,
  local: LocalSide,
  remote: PodConnection,
): Promise<void> {
  const { clock } = ctx;
  const over = new AbortController();
  let heardAt = -Infinity;
  let due = false;

  async function up(): Promise<void> {
    for (const bytes of local.said ?? []) await remote.write(bytes);
    for (;;) {
      const bytes = await local.next();
      if (over.signal.aborted) return;
      if (bytes === null) return await patience();
      local.taken();
      due = true;
      remember(bytes);
      await remote.write(bytes);
    }
  }

  function remember(bytes: Uint8Array): void {
    if (local.said === undefined) return;
    local.said.push(bytes.slice());
    const size = local.said.reduce((sum, { length }) => sum + length, 0);
    if (size > MOST_SAID) local.said = undefined;
  }

  /** Waits as long as the pod may still have something to say. */
  async function patience(): Promise<void> {
    const asked = due;
    const endedAt = asked ? clock.monotonic() : -Infinity;
    for (;;) {
      const wait = asked ? (heardAt > endedAt ? MORE_MS : ANSWER_MS) : GOODBYE_MS;
      const left = Math.max(heardAt, endedAt) + wait - clock.monotonic();
      if (left <= 0) return;
      await clock.sleep(left, over.signal);
    }
  }

  async function down(): Promise<void> {
    for (let bytes; (bytes = await remote.read()) !== null;) {
      heardAt = clock.monotonic();
      due = false;
      local.said = undefined;
      try {
        await local.write(bytes);
      } catch {
        return; // The client is gone.
      }
    }
  }

  // What goes wrong upwards is either the client's end, or shows downwards.
  up().catch(() => {}).finally(() => {
    if (!over.signal.aborted) remote.close();
  });
  try {
    await down();
  } finally {
    over.abort();
    remote.close();
  }
}
