/**
 * Keys to work on: each at most once at a time, again when it was added meanwhile, and
 * later and later while it fails.
 *
 * @module
 */
import type { Context } from "../../../cli/context.ts";

/** Options of {@link makeQueue}. */
export interface QueueOptions {
  /** Works on a key; a rejection means again after a while. */
  readonly work: (key: string) => Promise<void>;
  /** Told about each failure and the wait in milliseconds before the next try. */
  readonly onFailure: (key: string, error: unknown, waitMs: number) => void;
  /** Ends the queue. */
  readonly signal: AbortSignal;
  /** Keys worked on at the same time; 4 unless given. */
  readonly parallel?: number;
}

/** A queue of keys. */
export interface WorkQueue {
  /** Adds a key, at once or after some milliseconds. */
  add(key: string, afterMs?: number): void;
  /** Starts working; what was added before is kept until then. */
  start(): void;
  /** Resolves when nothing is worked on any more, after the signal. */
  idle(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;

/** Makes a queue that does nothing until it is started. */
export function makeQueue(ctx: Pick<Context, "clock">, options: QueueOptions): WorkQueue {
  const { signal } = options;
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  let started = false;

  function pump(): void {
    if (!started || signal.aborted) return;
    for (const key of waiting) {
      if (running.size >= (options.parallel ?? 4)) return;
      if (running.has(key)) continue;
      waiting.delete(key);
      running.set(key, one(key));
    }
  }

  async function one(key: string): Promise<void> {
    try {
      // Not before this key is noted as running: the work may add it again at once.
      await Promise.resolve();
      await options.work(key);
      failures.delete(key);
    } catch (error) {
      if (signal.aborted) return;
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** count);
      options.onFailure(key, error, waitMs);
      add(key, waitMs);
    } finally {
      running.delete(key);
      pump();
    }
  }

  function add(key: string, afterMs = 0): void {
    if (signal.aborted) return;
    if (afterMs > 0) {
      ctx.clock.sleep(afterMs, signal).then(() => add(key), () => {});
      return;
    }
    waiting.add(key);
    pump();
  }

  return {
    add,
    start() {
      started = true;
      pump();
    },
    async idle() {
      await Promise.all(running.values());
    },
  };
}
