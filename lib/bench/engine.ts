/**
 * The load generator: lanes, a schedule, and what comes back.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";
import { Lane, type LaneLimits } from "./lane.ts";
import { waitUntil } from "./pace.ts";
import { newRecord } from "./record.ts";
import { countIn, type Run, type RunObserver, RunState, type Share, WHOLE } from "./run_state.ts";
import { dueTimes } from "./schedule.ts";
import type { Dial } from "./transport.ts";

/** What an engine works with. */
export interface EngineOptions extends LaneLimits {
  /** Opens a connection. */
  readonly dial: Dial;
  /** Time. */
  readonly clock: Clock;
  /** Stops everything at once. */
  readonly signal: AbortSignal;
  /** Whether answers are event streams. */
  readonly stream: boolean;
  /** Bytes of the request with this number. */
  readonly request: (index: number) => Uint8Array;
  /** Number of the first lane, and from one to the next; 0 and 1 unless given. */
  readonly laneNumbers?: Share | undefined;
}

/** How a run ended. */
export interface RunEnd {
  /** Requests that were due. */
  readonly scheduled: number;
  /** When it began and ended, on the monotonic clock. */
  readonly start: number;
  /** See `start`. */
  readonly end: number;
  /** Why it ended before its extent; undefined when it did not. */
  readonly gaveUp: string | undefined;
}

const DIAL_AT_ONCE = 64;
// Lanes that start as one burst stay in step for the whole run, and wait for each other at both
// ends: at 64 in flight that adds about a millisecond to the median TTFT (`deno task bench:self`).
// All of them start within a short time; a ramp of a second made the p99 at 512 worse.
const LANE_GAP_MS = 2;
const ALL_LANES_MS = 128;
const TICK_MS = 20;
const TICKS_PER_REPORT = 10;
const BACK_OFF_MS = [50, 100, 200, 400, 800];

/** Lanes to one server. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #lanes: Lane[] = [];
  #observer: RunObserver | undefined;
  #lastOutput = -Infinity;

  /** An engine without lanes. */
  constructor(options: EngineOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", this.#stop);
  }

  /** Number of lanes. */
  get lanes(): number {
    return this.#lanes.length;
  }

  /** Connections opened so far. */
  get dials(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.dials, 0);
  }

  /**
   * Brings the number of lanes to `count`, all connected.
   *
   * @throws {Error} what the system says, when not even one could be connected.
   */
  async openLanes(count: number): Promise<void> {
    let problem: unknown;
    while (this.#lanes.length < count && !this.#options.signal.aborted) {
      const batch = Array.from(
        { length: Math.min(DIAL_AT_ONCE, count - this.#lanes.length) },
        () => this.#addLane(),
      );
      await Promise.all(batch.map((lane) => lane.connect().catch((error) => problem = error)));
    }
    this.#options.signal.throwIfAborted();
    if (problem !== undefined && !this.#lanes.some((lane) => lane.connected)) throw problem;
  }

  #addLane(): Lane {
    const { dial, clock, stream, laneNumbers: { part, of } = WHOLE } = this.#options;
    const lane = new Lane({
      ...this.#options,
      id: part + of * this.#lanes.length,
      dial,
      stream,
      now: () => clock.monotonic(),
      onOutput: (stamp, gap) => {
        this.#lastOutput = stamp;
        this.#observer?.onOutput(stamp, gap);
      },
    });
    this.#lanes.push(lane);
    return lane;
  }

  readonly #stop = () => {
    for (const lane of this.#lanes) lane.close();
  };

  /** Closes all connections. */
  close(): void {
    this.#options.signal.removeEventListener("abort", this.#stop);
    this.#stop();
  }

  /** Offers the load until its extent is reached and all requests have ended. */
  async run(run: Run): Promise<RunEnd> {
    this.#observer = run.observer;
    const { clock, signal } = this.#options;
    const state = new RunState(run, run.start ?? clock.monotonic());
    const watch = new AbortController();
    const watching = this.#watch(state, AbortSignal.any([signal, watch.signal]));
    try {
      if (run.load.kind === "concurrency") await this.#runClosed(state);
      else await this.#runOpen(state, countIn(state.share, run.load.maxInFlight));
    } finally {
      watch.abort();
      await watching;
      this.#observer = undefined;
    }
    signal.throwIfAborted();
    return {
      scheduled: state.scheduled,
      start: state.start,
      end: clock.monotonic(),
      gaveUp: state.gaveUp,
    };
  }

  // Ticks: loop lag, time-outs, the end of the grace period, progress.
  async #watch(state: RunState, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { observer, graceMs } = state.run;
    let before = clock.monotonic();
    for (let tick = 1;; tick++) {
      try {
        await clock.sleep(TICK_MS, signal);
      } catch {
        return;
      }
      const now = clock.monotonic();
      // What is done at a tick, such as drawing progress, keeps the lanes waiting as well.
      observer.onLag(Math.max(0, now - before - TICK_MS - 1.1));
      before = now;
      if (now > state.endAt + graceMs) {
        for (const lane of this.#lanes) {
          lane.abort("unfinished", `still running ${graceMs} ms after the end of the run`);
        }
      }
      if (tick % TICKS_PER_REPORT !== 0) continue;
      state.checkGiveUp(now, this.#lastOutput);
      for (const lane of state.idle) if (!lane.connected) lane.connect().catch(() => {});
      for (const lane of this.#lanes) lane.checkTime(now);
      observer.onTick(now);
    }
  }

  async #runClosed(state: RunState): Promise<void> {
    const { clock, signal } = this.#options;
    const { part, of } = state.share;
    const count = state.run.load.kind === "concurrency" ? state.run.load.concurrency : 0;
    const gap = Math.min(LANE_GAP_MS, ALL_LANES_MS / count);
    const loop = async (lane: Lane, position: number) => {
      const due = state.start + (part + position * of) * gap;
      await waitUntil(clock, due, signal).catch(() => {});
      for (;;) {
        if (!lane.connected) await this.#redial(lane, state);
        const now = clock.monotonic();
        if (signal.aborted || !state.mayStart(now)) return;
        await this.#exchange(lane, state, now);
      }
    };
    await Promise.all(this.#lanes.slice(0, countIn(state.share, count)).map(loop));
  }

  // Before the next request, so that its time does not include the dialing; a server that is
  // away gets its failed requests with growing pauses.
  async #redial(lane: Lane, state: RunState): Promise<void> {
    const failures = state.failuresInARow.get(lane) ?? 0;
    if (failures > 0) {
      const pause = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length) - 1]!;
      await this.#options.clock.sleep(pause, this.#options.signal).catch(() => {});
    }
    try {
      await lane.connect();
      state.failuresInARow.delete(lane);
    } catch {
      state.failuresInARow.set(lane, failures + 1);
    }
  }

  async #exchange(lane: Lane, state: RunState, due: number): Promise<void> {
    const { observer } = state.run;
    const record = newRecord(state.take(), lane.id, due);
    const request = this.#options.request(record.index);
    observer.onInFlight(this.#options.clock.monotonic(), 1);
    await lane.exchange(request, record);
    state.ended(record);
    observer.onInFlight(record.ended, -1);
    observer.onRecord(record);
  }

  async #runOpen(state: RunState, maxLanes: number): Promise<void> {
    const { clock, signal } = this.#options;
    const queue: number[] = [];
    const idle = state.idle;
    idle.push(...this.#lanes);
    const running = new Set<Promise<void>>();
    const start = (lane: Lane) => {
      const work = (async () => {
        for (let due = queue.shift(); due !== undefined; due = queue.shift()) {
          if (signal.aborted) break;
          await this.#exchange(lane, state, due);
        }
        idle.push(lane);
        if (!lane.connected) await this.#redial(lane, state);
      })();
      running.add(work);
      work.finally(() => running.delete(work));
    };
    const { part, of } = state.share;
    let number = -1;
    for (const offset of dueTimes(state.run.load, state.run.seed)) {
      if (++number % of !== part) continue;
      const due = state.start + offset;
      if (!state.mayStart(due)) break;
      try {
        await waitUntil(clock, due, signal);
      } catch {
        break;
      }
      if (state.gaveUp !== undefined) break;
      queue.push(due);
      state.due();
      const lane = idle.pop() ?? (this.#lanes.length < maxLanes ? this.#addLane() : undefined);
      if (lane !== undefined) start(lane);
      // One ahead, so that the next request finds an open connection.
      if (idle.length === 0 && this.#lanes.length < maxLanes) {
        const spare = this.#addLane();
        spare.connect().catch(() => {}).then(() => idle.unshift(spare));
      }
    }
    state.close(clock.monotonic());
    while (running.size > 0) await Promise.all(running);
  }
}
