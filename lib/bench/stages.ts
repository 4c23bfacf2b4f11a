/**
 * Rates that change over time: stages, each with one rate or a linear ramp between two.
 *
 * @module
 */
import { type TaskError, usageError } from "../cli/errors.ts";

/** A span of time with its rate. */
export interface Stage {
  /** Length in milliseconds. */
  readonly durationMs: number;
  /** Requests a second at its begin. */
  readonly from: number;
  /** Requests a second at its end; in between the rate is linear. */
  readonly to: number;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const MAX_STAGES = 10_000;
const MAX_RATE = 1_000_000;
const MAX_DURATION_MS = 7 * 24 * UNITS_MS.h!;
const HINT = "--stages 30s@10,60s@10-50 is 10 requests a second for 30 s, then a ramp to 50";

/**
 * Reads `30s@10,60s@10-50`: time, `@`, and a rate or the two ends of a ramp. Times are in seconds
 * unless they have a unit (ms, s, m, h); a rate of 0 is a pause.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the stage.
 */
export function parseStages(text: string): Stage[] {
  return checkStages(text.split(",").map((part) => parseStage(part.trim())), "--stages");
}

/**
 * Stages of a list, each `{duration: 30s, rate: 10}`, `{duration: 30s, from: 10, to: 50}`, or a
 * text as {@link parseStages} takes it.
 *
 * @param path file that it came from, for messages.
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the file and the stage.
 */
export function stagesOf(items: unknown, path: string): Stage[] {
  if (!Array.isArray(items)) throw stagesError(`${path} holds no list of stages`);
  return checkStages(items.map((item, i) => stageOf(item, `${path}, stage ${i + 1}`)), path);
}

function parseStage(text: string): Stage {
  const [, duration, from, to] = /^([^@]+)@([\d.]+)(?:-([\d.]+))?$/.exec(text) ?? [];
  if (duration === undefined || from === undefined) {
    throw stagesError(`--stages does not understand "${text}"`);
  }
  return stageFrom({ duration, from, to: to ?? from }, `stage "${text}"`);
}

function stageOf(item: unknown, where: string): Stage {
  if (typeof item === "string") return parseStage(item);
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw stagesError(`${where} is neither a text nor a mapping`);
  }
  const { duration, rate, from, to, ...rest } = item as Record<string, unknown>;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) {
    throw stagesError(
      `${where} has the unknown field ${unknown[0]} (known: duration, rate, from, to)`,
    );
  }
  if (rate !== undefined && (from !== undefined || to !== undefined)) {
    throw stagesError(`${where} has a rate and a ramp`);
  }
  return stageFrom({ duration, from: from ?? rate, to: to ?? rate }, where);
}

function stageFrom(
  fields: { readonly duration: unknown; readonly from: unknown; readonly to: unknown },
  where: string,
): Stage {
  return {
    durationMs: milliseconds(fields.duration, where),
    from: rateOf(fields.from, where),
    to: rateOf(fields.to, where),
  };
}

function milliseconds(value: unknown, where: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(String(value)) ?? [];
  const ms = Number(number) * UNITS_MS[unit ?? "s"]!;
  if (ms > 0 && ms <= MAX_DURATION_MS) return ms;
  throw stagesError(`${where}: ${describe(value)} is no time from 1ms to 168h`);
}

function rateOf(value: unknown, where: string): number {
  const rate = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof rate === "number" && rate >= 0 && rate <= MAX_RATE) return rate;
  throw stagesError(
    `${where}: ${describe(value)} is no rate from 0 to ${MAX_RATE} requests a second`,
  );
}

function describe(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function checkStages(stages: Stage[], where: string): Stage[] {
  if (stages.length > MAX_STAGES) {
    throw stagesError(`${where} has ${stages.length} stages, and may have ${MAX_STAGES}`);
  }
  if (peakRate(stages) === 0) throw stagesError(`${where} never sends a request`);
  const ms = totalMs(stages);
  if (ms > MAX_DURATION_MS) {
    throw stagesError(`${where} takes ${Math.round(ms / 3_600_000)} h, and may take 168 h`);
  }
  return stages;
}

/** An error about stages (BENCH_OPTIONS, exit code 2), with an example of how they are written. */
export function stagesError(message: string): TaskError {
  return usageError("BENCH_OPTIONS", message, HINT);
}

/** Length of all stages in milliseconds. */
export function totalMs(stages: readonly Stage[]): number {
  return stages.reduce((sum, stage) => sum + stage.durationMs, 0);
}

/** The highest rate, requests a second. */
export function peakRate(stages: readonly Stage[]): number {
  return stages.reduce((most, { from, to }) => Math.max(most, from, to), 0);
}

/** Stages as `--stages` takes them. */
export function stagesText(stages: readonly Stage[]): string {
  return stages.map(({ durationMs, from, to }) =>
    `${durationMs / 1000}s@${from === to ? from : `${from}-${to}`}`
  ).join(",");
}

/**
 * When the expected number of requests reaches `counts`, which must not decrease: a process of
 * rate one, stretched so that it has the stages' rates. Ends with the stages.
 *
 * @returns milliseconds from the start.
 */
export function* stageTimes(
  stages: readonly Stage[],
  counts: Iterable<number>,
): Generator<number, void> {
  let stage = 0, startMs = 0, before = 0;
  for (const count of counts) {
    for (;; stage++) {
      const current = stages[stage];
      if (current === undefined) return;
      const within = current.durationMs / 1000 * (current.from + current.to) / 2;
      if (count < before + within) {
        yield startMs + 1000 * secondsUntil(current, count - before);
        break;
      }
      before += within;
      startMs += current.durationMs;
    }
  }
}

// The rate at t is from + slope·t, so the count is from·t + slope·t²/2; solved in the form that
// neither cancels nor divides by a slope of 0.
function secondsUntil({ durationMs, from, to }: Stage, count: number): number {
  if (count === 0) return 0;
  const slope = (to - from) / (durationMs / 1000);
  return 2 * count / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * count)));
}
