/**
 * Sleeping until something happens.
 *
 * @module
 */
import type { Clock } from "../../cli/context.ts";

/** One sleeper, many who may wake it. A call while it is awake makes its next sleep end at once. */
export interface Waker {
  /** Wakes it. */
  wake(): void;
  /** Sleeps; at most that long, for ever when undefined. */
  sleep(ms: number | undefined): Promise<void>;
}

/** Makes a waker. */
export function makeWaker(clock: Clock): Waker {
  let pending = false;
  let rouse: (() => void) | undefined;
  return {
    wake() {
      pending = true;
      rouse?.();
    },
    async sleep(ms) {
      if (!pending) {
        const timer = new AbortController();
        const woken = new Promise<void>((resolve) => rouse = resolve);
        const late = ms === undefined ? [] : [clock.sleep(Math.max(0, ms), timer.signal)];
        await Promise.race([woken, ...late.map((wait) => wait.catch(() => {}))]);
        timer.abort();
        rouse = undefined;
      }
      pending = false;
    },
  };
}
