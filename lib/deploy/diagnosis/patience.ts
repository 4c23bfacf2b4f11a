/**
 * How long a diagnosis has stood: one that cannot mend itself ends a wait, but only after its
 * grace, as clusters say for a moment what is over in the next.
 *
 * @module
 */
import type { Diagnosis } from "./types.ts";

/** Keeps in mind since when each diagnosis stands. */
export interface Patience {
  /**
   * Takes over what holds now and returns the diagnosis that has stood for its grace, if any.
   *
   * @param now Monotonic milliseconds.
   */
  judge(diagnoses: readonly Diagnosis[], now: number): Diagnosis | undefined;
  /** Nothing that was seen counts: nobody knows whether it still holds. */
  pause(): void;
  /** Milliseconds until a diagnosis has stood long enough; undefined when none is on its way. */
  dueInMs(now: number): number | undefined;
}

/** Makes one that has seen nothing. */
export function makePatience(): Patience {
  let since = new Map<string, { readonly from: number; readonly diagnosis: Diagnosis }>();
  return {
    judge(diagnoses, now) {
      const before = since;
      since = new Map();
      for (const diagnosis of diagnoses.filter((one) => one.final)) {
        const key = `${diagnosis.code}/${diagnosis.component}`;
        since.set(key, { from: before.get(key)?.from ?? now, diagnosis });
      }
      const due = [...since.values()].filter(({ from, diagnosis }) =>
        now - from >= diagnosis.graceMs
      );
      return due[0]?.diagnosis;
    },
    pause: () => since.clear(),
    dueInMs(now) {
      const waits = [...since.values()].map(({ from, diagnosis }) =>
        Math.max(0, from + diagnosis.graceMs - now)
      );
      return waits.length === 0 ? undefined : Math.min(...waits);
    },
  };
}
