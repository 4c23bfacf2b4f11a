/**
 * Service levels: what a good request is, and how sure it is that enough of them are.
 *
 * @module
 */
import { usageError } from "../../cli/errors.ts";
import { wilsonInterval } from "../compare/student.ts";
import { type RequestRecord, timePerToken, tokensOf } from "../record.ts";

/** Longest times of a good request, in milliseconds; those that are undefined do not count. */
export interface Slo {
  /** Time to first token, from the moment the request was due. */
  readonly ttftMs?: number;
  /** Time per output token of the request. */
  readonly itlMs?: number;
  /** Time to the last token, from the moment it was due. */
  readonly e2eMs?: number;
}

/** How many requests were good. */
export interface Attainment {
  /** Requests that met every service level. */
  readonly good: number;
  /** Requests that were due: failed and unfinished ones are not good. */
  readonly scheduled: number;
  /** good / scheduled. */
  readonly share: number;
  /** Lower end of its 95 % interval (Wilson). */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

const NAMES = { ttft: "ttftMs", itl: "itlMs", tpot: "itlMs", e2e: "e2eMs" } as const;

/**
 * Reads `ttft=300ms,itl=20ms,e2e=5s`.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2).
 */
export function parseSlo(text: string): Slo {
  const slo: Partial<Record<keyof Slo, number>> = {};
  for (const part of text.split(",")) {
    const match = part.trim().match(/^([a-z0-9]+)\s*(?:<=?|=)\s*(\d+(?:\.\d+)?)\s*(ms|s)$/);
    const name = NAMES[match?.[1] as keyof typeof NAMES];
    if (match === null || name === undefined || Number(match[2]) <= 0) {
      throw usageError(
        "BENCH_OPTIONS",
        `--slo: "${part.trim()}" is not a service level`,
        "For example --slo ttft=300ms,itl=20ms,e2e=5s",
      );
    }
    if (slo[name] !== undefined) {
      throw usageError("BENCH_OPTIONS", `--slo names ${match[1]} twice`);
    }
    slo[name] = Number(match[2]) * (match[3] === "s" ? 1000 : 1);
  }
  return slo;
}

/** `ttft ≤ 300 ms, itl ≤ 20 ms`. */
export function sloText({ ttftMs, itlMs, e2eMs }: Slo): string {
  return [["ttft", ttftMs], ["itl", itlMs], ["e2e", e2eMs]]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ≤ ${value} ms`)
    .join(", ");
}

/** Whether a request met every service level. */
export function isGood(record: RequestRecord, { ttftMs, itlMs, e2eMs }: Slo): boolean {
  if (record.failure !== undefined || Number.isNaN(record.first)) return false;
  if (ttftMs !== undefined && record.first - record.scheduled > ttftMs) return false;
  if (e2eMs !== undefined && record.last - record.scheduled > e2eMs) return false;
  // An answer of one event has no time between tokens that could be too long.
  const perToken = timePerToken(record);
  return itlMs === undefined || Number.isNaN(perToken) || perToken <= itlMs;
}

/** Output tokens of the good ones of some requests. */
export function tokensOfGood(records: readonly RequestRecord[], slo: Slo): number {
  return records.filter((record) => isGood(record, slo))
    .reduce((sum, record) => sum + tokensOf(record), 0);
}

/** The attainment of a run. */
export function attainmentOf(good: number, scheduled: number): Attainment {
  const { low, high } = wilsonInterval(good, scheduled);
  return { good, scheduled, share: scheduled === 0 ? 0 : good / scheduled, low, high };
}

/** Good requests of one run. */
export interface Goodput {
  /** The service levels. */
  readonly slo: Slo;
  /** How many requests were good. */
  readonly attainment: Attainment;
  /** Good requests a second of the run. */
  readonly good_requests_per_second: number;
}

/** The goodput of a run of `wallSeconds`. */
export function goodputOf(slo: Slo, attainment: Attainment, wallSeconds: number): Goodput {
  const rate = wallSeconds > 0 ? attainment.good / wallSeconds : 0;
  return { slo, attainment, good_requests_per_second: rate };
}

/** One line for a terminal. */
export function goodputText({ slo, attainment, good_requests_per_second: rate }: Goodput): string {
  const percent = (share: number) => (share * 100).toFixed(1);
  const { good, scheduled, share, low, high } = attainment;
  return `Good      ${good} of ${scheduled} requests (${percent(share)} %, surely ${
    percent(low)
  } to ${percent(high)} %) kept ${sloText(slo)}: ${rate.toFixed(1)}/s`;
}
