/**
 * Waiting for a point in time more precisely than timers do.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../cli/context.ts";

// A timer of n ms fires n + 1.1 ms later on Linux (measured; tokio rounds up to whole ticks).
const TIMER_LATE_MS = 1.1;

/**
 * Waits until the monotonic clock shows `at`, to within some 10 µs: a timer for the most of
 * it, then turns of the event loop, in which other work goes on. At least one turn passes,
 * so that a caller that is late does not keep others from running. Rejects when aborted.
 */
export async function waitUntil(clock: Clock, at: number, signal: AbortSignal): Promise<void> {
  const ms = Math.floor(at - clock.monotonic() - TIMER_LATE_MS);
  if (ms > 0) await clock.sleep(ms, signal);
  do await new Promise<void>((resolve) => setImmediate(resolve)); while (clock.monotonic() < at);
}
