/**
 * From what a benchmark is asked to do to what it does: checks and defaults.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { baseUrl } from "../serving/endpoint.ts";
import { checkHeaders } from "./headers.ts";
import { type Lengths, meanTokens } from "./lengths.ts";
import { type BenchConfig, type BenchOptions, DEFAULT_LIMITS } from "./options.ts";
import { type Load, type OpenLoad, stagedLoad } from "./schedule.ts";
import { totalMs } from "./stages.ts";
import { type Trace, traceMs } from "./trace.ts";

const DEFAULT_CONCURRENCY = 8;
/** Lanes an open-loop run may open when no bound is given. */
const MAX_IN_FLIGHT = 2048;
/** Most tokens of a prompt. */
export const MOST_INPUT = 4_000_000;
/** Most tokens of an answer. */
export const MOST_OUTPUT = 1_000_000;
// A session's next turn comes so many requests later; in a closed loop, as many as are in flight.
const OPEN_SESSIONS = 256;

/**
 * Checks the options and fills in the defaults: 8 in flight, 10 requests a lane and at least
 * 100 (or 30 s of a rate), 128 input and 64 output tokens, one warm-up request a lane.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the flag and its value.
 */
export function benchConfig(ctx: Pick<Context, "clock">, options: BenchOptions): BenchConfig {
  checkNumber("concurrency", options.concurrency, 1, 16_384, true);
  checkNumber("rate", options.rate, 0.001, 1_000_000, false);
  checkNumber("requests", options.requests, 1, 1_000_000_000, true);
  checkNumber("duration", options.durationMs, 1, 86_400_000 * 7, false);
  const { trace } = options;
  const means = trace && traceMeans(trace);
  const input = lengthsOf("input-tokens", options.inputTokens ?? means?.input ?? 128, MOST_INPUT);
  const output = lengthsOf(
    "output-tokens",
    options.outputTokens ?? means?.output ?? 64,
    MOST_OUTPUT,
  );
  checkNumber("trace-speed", options.traceSpeed, 0.001, 1000, false);
  checkNumber("prefix-tokens", options.prefixTokens, 0, MOST_INPUT, true);
  checkNumber("prefix-pool", options.prefixPool, 1, 1_000_000, true);
  checkNumber("turns", options.turns, 1, 1000, true);
  checkNumber("warmup", options.warmup, 0, 1_000_000, true);
  checkNumber("seed", options.seed, 0, Number.MAX_SAFE_INTEGER, true);
  checkNumber("burstiness", options.burstiness, 0.01, 1000, false);
  checkNumber("grace", options.graceMs, 0, 86_400_000, false);
  checkTogether(options);
  if (options.apiKey !== undefined && !/^[\x21-\x7e]+$/.test(options.apiKey)) {
    throw usageError("BENCH_OPTIONS", "The API key holds characters that no HTTP header takes");
  }
  checkHeaders(options.headers ?? {});
  const { stages, tokenizer } = options;
  const load = loadOf(options);
  const open = load.kind !== "concurrency";
  const durationMs = stages === undefined ? options.durationMs : totalMs(stages);
  const counted = options.requests !== undefined || durationMs !== undefined;
  return {
    url: baseUrl(options.url),
    model: options.model,
    api: options.api ?? "chat",
    stream: options.stream ?? true,
    headers: Object.keys(options.headers ?? {}),
    insecure: options.trust?.insecure === true,
    load,
    requests: counted
      ? options.requests
      : trace !== undefined
      ? trace.requests.length
      : Math.max(100, open ? Math.ceil(30 * load.rate) : 10 * load.concurrency),
    durationMs,
    inputTokens: meanTokens(input),
    outputTokens: meanTokens(output),
    source: sourceOf(options),
    tokenizer: tokenizer && { path: tokenizer.path, sha256: tokenizer.sha256 },
    synthetic: {
      vocabulary: tokenizer?.words,
      input,
      output,
      prefixTokens: options.prefixTokens ?? 0,
      prefixPool: options.prefixPool ?? 1,
      turns: options.turns ?? 1,
      sessions: open ? OPEN_SESSIONS : load.concurrency,
    },
    warmup: options.warmup ?? (open ? 8 : load.concurrency),
    seed: options.seed ?? Math.floor(ctx.clock.now()) % 2 ** 31,
    calibration: options.calibration ?? false,
    extra: options.extra ?? {},
    requestTimeoutMs: options.requestTimeoutMs ?? 300_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    graceMs: options.graceMs ?? 30_000,
    giveUpMs: options.giveUpMs ?? 60_000,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  };
}

function sourceOf({ dataset, trace, traceSpeed }: BenchOptions): BenchConfig["source"] {
  if (trace !== undefined) {
    const { path, requests } = trace;
    return { kind: "trace", path, count: requests.length, speed: traceSpeed ?? 1 };
  }
  if (dataset === undefined) return { kind: "synthetic" };
  return { kind: "dataset", path: dataset.path, count: dataset.conversations.length };
}

function traceLoad(trace: Trace, speed: number, maxInFlight: number): OpenLoad {
  const times = trace.requests.map((request) => request.atMs / speed);
  const seconds = Math.max(1, traceMs(trace) / speed) / 1000;
  return { kind: "trace", rate: times.length / seconds, times, maxInFlight };
}

function traceMeans({ requests }: Trace): { readonly input: number; readonly output: number } {
  const mean = (values: readonly number[]) =>
    Math.max(1, Math.round(values.reduce((sum, value) => sum + value, 0) / values.length));
  const known = requests.map((request) => request.inputTokens).filter((n) => !Number.isNaN(n));
  return {
    input: known.length === 0 ? 128 : mean(known),
    output: mean(requests.map((request) => request.outputTokens)),
  };
}

function lengthsOf(flag: string, value: number | Lengths, most: number): Lengths {
  if (typeof value !== "number") return value;
  checkNumber(flag, value, 1, most, true);
  return { kind: "fixed", tokens: value };
}

function loadOf(options: BenchOptions): Load {
  const { rate, stages, burstiness, trace } = options;
  const arrival = options.arrival ?? (burstiness === undefined ? "poisson" : "gamma");
  const maxInFlight = options.concurrency ?? MAX_IN_FLIGHT;
  if (trace !== undefined) return traceLoad(trace, options.traceSpeed ?? 1, maxInFlight);
  if (stages !== undefined) return stagedLoad(stages, { arrival, burstiness }, maxInFlight);
  if (rate !== undefined) return { kind: arrival, rate, burstiness, maxInFlight };
  return { kind: "concurrency", concurrency: options.concurrency ?? DEFAULT_CONCURRENCY };
}

// Flags that contradict each other, or do nothing without another one.
function checkTogether(options: BenchOptions): void {
  const { rate, stages, durationMs, arrival, burstiness } = options;
  const refuse = (wrong: boolean, message: string, hint?: string) => {
    if (wrong) throw usageError("BENCH_OPTIONS", message, hint);
  };
  refuse(stages !== undefined && rate !== undefined, "--stages and --rate both say the rate");
  refuse(
    stages !== undefined && durationMs !== undefined,
    "--stages and --duration both say how long to measure",
  );
  const closed = rate === undefined && stages === undefined && options.trace === undefined;
  const spaced = arrival === undefined ? "burstiness" : "arrival";
  refuse(
    closed && (arrival !== undefined || burstiness !== undefined),
    `--${spaced} says how requests of a rate are spaced, and there is no rate`,
    "Add --rate or --stages.",
  );
  const { dataset, trace } = options;
  const given = (keys: readonly (keyof BenchOptions)[], by: string, why: string) => {
    for (const key of keys) {
      const flag = key.replace("Ms", "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      refuse(options[key] !== undefined, `--${flag} and --${by}: ${why}`);
    }
  };
  if (trace !== undefined) {
    given(
      ["rate", "stages", "arrival", "burstiness"],
      "trace",
      "the trace says when requests come",
    );
    given(
      ["inputTokens", "outputTokens", "prefixTokens", "prefixPool", "turns", "dataset"],
      "trace",
      "the trace says what requests are",
    );
  }
  if (dataset !== undefined) {
    given(
      ["inputTokens", "prefixTokens", "prefixPool", "tokenizer"],
      "dataset",
      "the file says what prompts are",
    );
  }
  refuse(options.traceSpeed !== undefined && trace === undefined, "--trace-speed needs --trace");
  refuse(
    options.prefixPool !== undefined && options.prefixTokens === undefined,
    "--prefix-pool is the number of shared beginnings, and there is none",
    "Add --prefix-tokens.",
  );
  refuse(
    burstiness !== undefined && arrival !== undefined && arrival !== "gamma",
    `--burstiness is for --arrival gamma, not for ${arrival}`,
  );
  refuse(
    arrival === "gamma" && burstiness === undefined,
    "--arrival gamma needs --burstiness",
    "Below 1 requests come in bursts; 1 is a Poisson process; above 1 they come more evenly.",
  );
}

function checkNumber(
  flag: string,
  value: number | undefined,
  min: number,
  max: number,
  whole: boolean,
): void {
  if (value === undefined) return;
  if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
    throw usageError(
      "BENCH_OPTIONS",
      `--${flag} is ${value}; it takes ${
        whole ? "a whole number" : "a number"
      } from ${min} to ${max}`,
    );
  }
}
