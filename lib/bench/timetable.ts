/**
 * Calls functions at their times, precisely: a heap of due times served by one loop.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";
import { waitUntil } from "./pace.ts";

interface Entry {
  readonly due: number;
  readonly run: () => void;
}

// A timer cannot be taken back; while nothing is due sooner, the loop looks this often.
const LOOK_MS = 5;

/** A timetable. */
export class Timetable {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #heap: Entry[] = [];
  #wake: (() => void) | undefined;

  /** A timetable that runs until the signal is aborted. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.());
  }

  /** Calls `run` when the monotonic clock shows `due`. */
  at(due: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { due, run };
    let child = heap.length;
    heap.push(entry);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (heap[parent]!.due <= due) break;
      heap[child] = heap[parent]!;
      child = parent;
    }
    heap[child] = entry;
    this.#wake?.();
  }

  /** Serves the timetable. */
  async serve(): Promise<void> {
    while (!this.#signal.aborted) {
      const next = this.#heap[0];
      if (next === undefined) {
        await new Promise<void>((resolve) => this.#wake = resolve);
        this.#wake = undefined;
        continue;
      }
      const now = this.#clock.monotonic();
      if (next.due > now) {
        await waitUntil(this.#clock, Math.min(next.due, now + LOOK_MS), this.#signal).catch(
          () => {},
        );
      }
      while (this.#heap.length > 0 && this.#heap[0]!.due <= this.#clock.monotonic()) {
        this.#pop().run();
      }
    }
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++;
      if (heap[child]!.due >= last.due) break;
      heap[parent] = heap[child]!;
      parent = child;
    }
    heap[parent] = last;
    return top;
  }
}
