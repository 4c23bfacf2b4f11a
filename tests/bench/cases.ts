/**
 * What the load generator has to hold, each measured against the mock server.
 *
 * @module
 */
import type { MockOptions } from "../../lib/bench/mock_options.ts";
import type { BenchOptions } from "../../lib/bench/options.ts";
import type { Measured } from "./measure.ts";

/** A figure and its limit. */
export interface Figure {
  /** What it is, with its unit. */
  readonly name: string;
  /** The figure of one run. */
  readonly of: (run: Measured) => number;
  /** Whether the figure is the coefficient of variation over the runs, in percent. */
  readonly variation?: boolean;
  /** Most it may be. */
  readonly most?: number;
  /** Least it may be. */
  readonly least?: number;
}

/** A run and the figures taken from it. */
export interface Case {
  /** For the command line. */
  readonly id: string;
  /** What is run. */
  readonly title: string;
  /** The server. */
  readonly mock: MockOptions;
  /** The load. */
  readonly options: Omit<BenchOptions, "url">;
  /** What is looked at. */
  readonly figures: readonly Figure[];
  /** Least number of runs. */
  readonly leastRuns?: number;
  /** Whether it is run only when asked for, as it takes minutes. */
  readonly long?: boolean;
}

const STEADY: MockOptions = { ttftMs: 50, itlMs: 10 };
const TOKENS = 64;

// Client and server see different requests' percentiles in principle; their difference holds the
// way there and back, the client's own lateness, and the server's in reading the request.
const TTFT_P50: Figure = {
  name: "|TTFT p50 − true p50|, ms",
  of: ({ summary, truth }) => Math.abs(summary.ttft_ms!.p50 - truth.ttft!.p50),
};
const TTFT_P99: Figure = {
  name: "|TTFT p99 − true p99|, ms",
  of: ({ summary, truth }) => Math.abs(summary.ttft_ms!.p99 - truth.ttft!.p99),
};
const ITL: Figure = {
  name: "|TPOT p50 − true p50|, %",
  of: ({ summary, truth }) => 100 * Math.abs(summary.tpot_ms!.p50 / truth.itl! - 1),
  most: 1,
};
const CPU: Figure = {
  name: "client CPU a request, ms",
  of: ({ cpuMs, summary }) => cpuMs / summary.requests.completed,
};
const MEMORY: Figure = { name: "client memory, MiB", of: ({ peakMib }) => peakMib, most: 250 };
const TOKENS_PER_EVENT: Figure = {
  name: "|tokens an event − 4|",
  of: ({ summary }) => Math.abs(summary.tokens_per_event! - 4),
  most: 0,
};

/** All cases, the cheap ones first. */
export const CASES: readonly Case[] = [
  {
    id: "in-flight-64",
    title: "64 in flight, 50 ms to the first token, 10 ms a token, 64 tokens",
    mock: STEADY,
    options: { concurrency: 64, requests: 960, outputTokens: TOKENS },
    figures: [{ ...TTFT_P50, most: 0.5 }, { ...TTFT_P99, most: 2 }, ITL, CPU],
  },
  {
    id: "in-flight-512",
    title: "512 in flight, the same",
    mock: STEADY,
    options: { concurrency: 512, requests: 6144, outputTokens: TOKENS },
    figures: [{ ...TTFT_P50, most: 2 }, TTFT_P99, ITL, { ...CPU, most: 0.75 }, MEMORY],
  },
  {
    id: "ceiling",
    title: "64 in flight, a server without delay",
    mock: { ttftMs: 0, itlMs: 0 },
    options: { concurrency: 64, requests: 60_000, outputTokens: TOKENS },
    figures: [
      { name: "requests/s", of: ({ summary }) => summary.requests_per_second, least: 3000 },
      { name: "tokens/s", of: ({ summary }) => summary.output_tokens_per_second_wall },
      {
        name: "requests/s by one core of client CPU",
        of: ({ cpuMs, summary }) => 1000 * summary.requests.completed / cpuMs,
      },
    ],
  },
  {
    id: "in-flight-2048",
    title: "2,048 in flight, 500 ms to the first token, 100 ms a token",
    mock: { ttftMs: 500, itlMs: 100 },
    options: { concurrency: 2048, requests: 4096, outputTokens: TOKENS },
    figures: [TTFT_P50, ITL, CPU, MEMORY],
  },
  {
    id: "frozen",
    title: "40 requests/s; the server freezes for 2 s of every 8",
    mock: { ...STEADY, freeze: { everyMs: 8000, forMs: 2000 } },
    options: { rate: 40, arrival: "constant", durationMs: 24_000, outputTokens: TOKENS },
    figures: [{ name: "TTFT p90, ms", of: ({ summary }) => summary.ttft_ms!.p90, least: 1000 }],
  },
  {
    id: "chunked",
    title: "16 in flight, four tokens an event",
    mock: { ...STEADY, chunk: 4 },
    options: { concurrency: 16, requests: 160, outputTokens: TOKENS },
    figures: [ITL, TOKENS_PER_EVENT],
  },
  {
    id: "noise",
    title: "64 in flight, identical runs",
    mock: STEADY,
    options: { concurrency: 64, requests: 960, outputTokens: TOKENS, seed: 1 },
    figures: [{
      name: "variation of TTFT p99, %",
      of: ({ summary }) => summary.ttft_ms!.p99,
      variation: true,
      most: 1.5,
    }],
    leastRuns: 6,
  },
  {
    id: "million",
    title: "1,000,000 requests of 4 tokens, 64 in flight",
    mock: { ttftMs: 0, itlMs: 0 },
    options: { concurrency: 64, requests: 1_000_000, outputTokens: 4 },
    figures: [
      MEMORY,
      {
        name: "memory at 90 % − at 30 %, MiB",
        of: ({ tenthsMib }) => tenthsMib[8]! - tenthsMib[2]!,
        most: 10,
      },
      { name: "failed requests", of: ({ summary }) => summary.requests.failed, most: 0 },
    ],
    long: true,
  },
];
