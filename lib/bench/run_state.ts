/**
 * One run: what is asked of an engine, who watches, and its counts while it goes on.
 *
 * @module
 */
import type { Lane } from "./lane.ts";
import type { RequestRecord } from "./record.ts";
import type { Extent, Load } from "./schedule.ts";

/** Gets what happens during a run. Times are on the monotonic clock of the engine. */
export interface RunObserver {
  /** Requests in flight change by `by`. */
  onInFlight(at: number, by: number): void;
  /** An event with output, and the gap since the request's one before (NaN for the first). */
  onOutput(at: number, gap: number): void;
  /** A request ended, well or not. */
  onRecord(record: RequestRecord): void;
  /** The event loop was late by so many milliseconds; sampled all the time. */
  onLag(ms: number): void;
  /** Called a few times a second. */
  onTick(now: number): void;
}

/** The part of a run that an engine takes when several share it: each n-th request and lane. */
export interface Share {
  /** Which part, from 0. */
  readonly part: number;
  /** How many parts there are. */
  readonly of: number;
}

/** The whole of a run. */
export const WHOLE: Share = { part: 0, of: 1 };

/** How many of `count` are in a share, when number k is in part k mod n. */
export function countIn(share: Share, count: number): number {
  return Math.max(0, Math.ceil((count - share.part) / share.of));
}

/** One run over the lanes. */
export interface Run {
  /** How requests are offered. */
  readonly load: Load;
  /** Where it ends. */
  readonly extent: Extent;
  /** Seed of random schedules. */
  readonly seed: number;
  /** Number of the first request. */
  readonly firstIndex: number;
  /** Milliseconds that requests may take beyond the end of the extent. */
  readonly graceMs: number;
  /** Milliseconds without any request that ends well, after which failing runs are given up. */
  readonly giveUpMs: number;
  /** Gets what happens. */
  readonly observer: RunObserver;
  /** The part of it that is run here; all of it unless given. Load and extent are the whole's. */
  readonly share?: Share | undefined;
  /** When it begins, on the monotonic clock; at once unless given. */
  readonly start?: number | undefined;
}

/** Counts of a run while it goes on. */
export class RunState {
  /** What is run. */
  readonly run: Run;
  /** The part of it that is run here. */
  readonly share: Share;
  /** When it begins, on the monotonic clock. */
  readonly start: number;
  /** Failed attempts of lanes to connect. */
  readonly failuresInARow = new Map<Lane, number>();
  /** Lanes that wait for a request to be due; open-loop runs only. */
  readonly idle: Lane[] = [];
  /** When no more requests are due; known from the start only for runs with a duration. */
  endAt: number;
  /** Why it was given up; undefined when it was not. */
  gaveUp: string | undefined;
  #taken = 0;
  #due = 0;
  #lastGood: number;
  #failing = "";
  readonly #most: number;

  /** The state at the begin of a run, which is at `now`. */
  constructor(run: Run, now: number) {
    this.run = run;
    this.share = run.share ?? WHOLE;
    this.#most = countIn(this.share, run.extent.requests ?? Infinity);
    this.start = this.#lastGood = now;
    this.endAt = now + (run.extent.durationMs ?? Infinity);
  }

  /** Requests that were due. */
  get scheduled(): number {
    return Math.max(this.#taken, this.#due);
  }

  /** Whether a request may be due at this time. */
  mayStart(at: number): boolean {
    if (this.gaveUp !== undefined || at >= this.endAt) return false;
    return this.scheduled < this.#most;
  }

  /** A request of an open loop is due. */
  due(): void {
    this.#due++;
  }

  /** The number of the next request. */
  take(): number {
    return this.run.firstIndex + this.share.part + this.share.of * this.#taken++;
  }

  /** No more requests are due. */
  close(now: number): void {
    this.endAt = Math.min(this.endAt, now);
  }

  /** A request ended. */
  ended(record: RequestRecord): void {
    if (record.failure === undefined) {
      this.#lastGood = record.ended;
      this.#failing = "";
    } else this.#failing = `${record.failure}: ${record.message}`;
  }

  /** Gives the run up when nothing has been answered for too long. */
  checkGiveUp(now: number, lastOutput: number): void {
    const lastGood = Math.max(this.#lastGood, lastOutput);
    if (this.#failing === "" || now - lastGood < this.run.giveUpMs) return;
    const seconds = Math.round(this.run.giveUpMs / 1000);
    this.gaveUp ??= `nothing has been answered for ${seconds} s (${this.#failing})`;
  }
}
