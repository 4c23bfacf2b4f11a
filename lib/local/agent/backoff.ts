/**
 * When a container that ended is started again, as a kubelet does it. Pure.
 *
 * @module
 */

/** Times of the back-off, in milliseconds. */
export interface BackoffTimes {
  /** First wait. */
  readonly firstMs: number;
  /** Longest wait. */
  readonly mostMs: number;
  /** A container that ran this long starts without a wait again. */
  readonly resetMs: number;
}

/** A kubelet's: 10 s, doubled up to 5 min, forgotten after 10 min. */
export const KUBELET_BACKOFF: BackoffTimes = {
  firstMs: 10_000,
  mostMs: 300_000,
  resetMs: 600_000,
};

/** Wait before the next start, in milliseconds; undefined after the first end. */
export type Backoff = number | undefined;

/** What to do after a container ended. */
export interface BackoffStep {
  /** Wait before the start. The first restart comes at once. */
  readonly waitMs: number;
  /** To be handed in after the next end. */
  readonly next: Backoff;
}

/**
 * The wait after an end.
 *
 * @param current What the step before returned.
 * @param ranMs How long the container ran.
 */
export function nextBackoff(
  current: Backoff,
  ranMs: number,
  times: BackoffTimes = KUBELET_BACKOFF,
): BackoffStep {
  if (current === undefined || ranMs >= times.resetMs) return { waitMs: 0, next: times.firstMs };
  return { waitMs: current, next: Math.min(current * 2, times.mostMs) };
}
