/**
 * Time limits of calls.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";

/** A signal that several others and a time limit abort. */
export interface Deadline {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** Whether it was the time limit. */
  readonly expired: boolean;
  /** Starts another limit in milliseconds, or none; the other signals go on counting. */
  limit(ms: number | undefined): void;
  /** Lets go of timer and signals. */
  end(): void;
}

/**
 * Starts a time limit of `ms` milliseconds (or none), bound to other signals.
 * (`AbortSignal.any` keeps an entry in long-lived signals for each call; this does not.)
 */
export function startDeadline(
  clock: Clock,
  ms: number | undefined,
  signals: readonly (AbortSignal | undefined)[],
): Deadline {
  const controller = new AbortController();
  const bound = signals.filter((signal) => signal !== undefined);
  const forward = (event: Event) => controller.abort((event.target as AbortSignal).reason);
  for (const signal of bound) {
    if (signal.aborted) controller.abort(signal.reason);
    signal.addEventListener("abort", forward);
  }

  let stop = new AbortController();
  let expired = false;

  async function run(limit: number, stopped: AbortSignal): Promise<void> {
    await clock.sleep(limit, stopped);
    expired = true;
    controller.abort(new DOMException(`Nothing came within ${limit / 1000} s`, "TimeoutError"));
  }

  function limit(next: number | undefined): void {
    stop.abort();
    stop = new AbortController();
    // The sleep rejects when it is stopped.
    if (next !== undefined) run(next, stop.signal).catch(() => {});
  }

  limit(ms);
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    limit,
    end() {
      stop.abort();
      for (const signal of bound) signal.removeEventListener("abort", forward);
    },
  };
}
