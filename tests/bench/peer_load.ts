/**
 * The loads that all load generators are given, and the servers they are given to.
 *
 * @module
 */
import type { MockOptions } from "../../lib/bench/mock_options.ts";

/** A load and its server. */
export interface PeerLoad {
  /** For tables: a number in flight, `frozen` or `chunked`. */
  readonly id: string;
  /** What it is, in words. */
  readonly title: string;
  /** The server. */
  readonly mock: MockOptions;
  /** Requests in flight; undefined for an open loop. */
  readonly concurrency?: number;
  /** Requests a second, evenly spaced; undefined for a closed loop. */
  readonly rate?: number;
  /** Requests in all. */
  readonly requests: number;
}

/** Tokens of a prompt. */
export const INPUT_TOKENS = 128;
/** Tokens of an answer. */
export const OUTPUT_TOKENS = 64;

const STEADY: MockOptions = { ttftMs: 50, itlMs: 10 };
// One answer takes 0.7 s; a run is to last some seconds at least.
const LEAST_REQUESTS = 10;
const WAVES = 10;
const MOST_REQUESTS = 3072;

/** A closed loop with so many in flight. */
export function closedLoop(concurrency: number): PeerLoad {
  return {
    id: String(concurrency),
    title: `${concurrency} in flight`,
    mock: STEADY,
    concurrency,
    requests: Math.max(
      LEAST_REQUESTS,
      2 * concurrency,
      Math.min(WAVES * concurrency, MOST_REQUESTS),
    ),
  };
}

/** Loads that show what a load generator hides: a stall, and tokens that share an event. */
export const SPECIAL_LOADS: readonly PeerLoad[] = [
  {
    id: "frozen",
    title: "40 requests/s for 24 s; the server is frozen for 2 s of every 8",
    mock: { ...STEADY, freeze: { everyMs: 8000, forMs: 2000 } },
    rate: 40,
    requests: 960,
  },
  {
    id: "chunked",
    title: "16 in flight, four tokens an event",
    mock: { ...STEADY, chunk: 4 },
    concurrency: 16,
    requests: 160,
  },
];
