/**
 * When requests are due. A schedule is absolute: no request waits for another one's answer
 * to know its time, so a slow server cannot hide its slowness by delaying the load
 * ("coordinated omission"). Closed-loop load (`concurrency`) has no times; a lane's next
 * request is due when its last one ended.
 *
 * @module
 */
import { type Arrival, type Spacing, unitGaps } from "./arrivals.ts";
import { seededRandom } from "./random.ts";
import { peakRate, type Stage, stageTimes } from "./stages.ts";

/** Requests that come whether or not earlier ones were answered. */
export interface OpenLoad {
  /** How a rate's requests are spaced, `stages` of several rates, or the times of a `trace`. */
  readonly kind: Arrival | "stages" | "trace";
  /** Requests a second; the highest of `stages`, the mean of a `trace`. */
  readonly rate: number;
  /** How requests of `stages` are spaced; `kind` says it for the others. */
  readonly arrival?: Arrival | undefined;
  /** Shape of gamma-distributed gaps; see {@link Spacing}. */
  readonly burstiness?: number | undefined;
  /** The stages of `stages`. */
  readonly stages?: readonly Stage[] | undefined;
  /** The times of a `trace`, milliseconds from the start, in order. */
  readonly times?: readonly number[] | undefined;
  /** Most requests in flight; what is due beyond that waits, and its wait counts. */
  readonly maxInFlight: number;
}

/** How load is offered. */
export type Load =
  | {
    /** So many requests at any moment. */
    readonly kind: "concurrency";
    readonly concurrency: number;
  }
  | OpenLoad;

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
 * Times at which requests are due, in milliseconds from the start, in order; stages and
 * traces end, the others do not. The first is due at once where gaps are constant, and one gap after the start
 * otherwise. The same load and seed give the same times.
 */
export function* dueTimes(load: Load, seed: number): Generator<number, void> {
  if (load.kind === "concurrency") { for (;;) yield 0; }
  if (load.kind === "trace") return yield* load.times ?? [];
  if (load.kind === "stages") {
    return yield* stageTimes(load.stages ?? [], counts(spacingOf(load), seed));
  }
  const gap = 1000 / load.rate;
  // A product each, as a sum would drift.
  if (load.kind === "constant") { for (let i = 0;; i++) yield i * gap; }
  const next = unitGaps(spacingOf(load), seededRandom(seed, STREAM));
  for (let at = 0;;) yield at += next() * gap;
}

/** How the load's requests are spaced. */
export function spacingOf({ kind, arrival, burstiness }: OpenLoad): Spacing {
  const itself = kind !== "stages" && kind !== "trace";
  return { arrival: itself ? kind : arrival ?? "poisson", burstiness };
}

/** A load of stages. */
export function stagedLoad(
  stages: readonly Stage[],
  spacing: Spacing,
  maxInFlight: number,
): OpenLoad {
  return { kind: "stages", rate: peakRate(stages), stages, ...spacing, maxInFlight };
}

// Arrivals of a process with the rate one.
function* counts(spacing: Spacing, seed: number): Generator<number, void> {
  const next = unitGaps(spacing, seededRandom(seed, STREAM));
  let at = spacing.arrival === "constant" ? 0 : next();
  for (;; at += next()) yield at;
}
