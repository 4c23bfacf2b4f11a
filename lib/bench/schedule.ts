/**
 * When requests are due. A schedule is absolute: no request waits for another one's answer
 * to know its time, so a slow server cannot hide its slowness by delaying the load
 * ("coordinated omission"). Closed-loop load (`concurrency`) has no times; a lane's next
 * request is due when its last one ended.
 *
 * @module
 */
import { seededRandom } from "./random.ts";

/** How load is offered. */
export type Load =
  | {
    /** So many requests at any moment. */
    readonly kind: "concurrency";
    readonly concurrency: number;
  }
  | {
    /** So many requests a second: evenly spaced, or a Poisson process. */
    readonly kind: "constant" | "poisson";
    /** Requests a second. */
    readonly rate: number;
    /** Most requests in flight; what is due beyond that waits, and its wait counts. */
    readonly maxInFlight: number;
  };

/** Where a run ends: after so many requests, so much time, or whichever comes first. */
export interface Extent {
  /** Requests to send; unlimited unless given. */
  readonly requests?: number | undefined;
  /** Milliseconds in which requests are sent; unlimited unless given. */
  readonly durationMs?: number | undefined;
}

/** Random stream of the schedule, apart from those of the prompts. */
const STREAM = 1;

/**
 * Times at which requests are due, in milliseconds from the start, in order and without end.
 * The first is due one gap after the start of a Poisson process, and at once otherwise.
 */
export function* dueTimes(load: Load, seed: number): Generator<number, never> {
  if (load.kind === "concurrency") { for (;;) yield 0; }
  const gap = 1000 / load.rate;
  if (load.kind === "constant") { for (let i = 0;; i++) yield i * gap; }
  const random = seededRandom(seed, STREAM);
  let at = 0;
  for (;;) {
    at += -Math.log(1 - random()) * gap;
    yield at;
  }
}
