/**
 * What a benchmark is asked to do, and the defaults.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { baseUrl } from "../serving/endpoint.ts";
import type { Arrival } from "./arrivals.ts";
import { checkHeaders, type RequestHeaders } from "./headers.ts";
import { type Lengths, meanTokens } from "./lengths.ts";
import type { RequestRecord } from "./record.ts";
import { type Load, stagedLoad } from "./schedule.ts";
import { type Stage, totalMs } from "./stages.ts";
import type { StreamConnection } from "./transport.ts";
import type { TlsTrust } from "./transport_tls.ts";
import type { SyntheticWorkload } from "./workload.ts";

/** State of a run, for progress displays. */
export interface BenchProgress {
  /** What is going on. */
  readonly phase: "calibrate" | "probe" | "connect" | "warmup" | "run";
  /** Milliseconds since the phase began. */
  readonly elapsedMs: number;
  /** Requests that ended, well or not. */
  readonly done: number;
  /** Requests of the phase; undefined for runs with a duration only. */
  readonly total: number | undefined;
  /** Milliseconds of the phase; undefined for runs with a number of requests only. */
  readonly durationMs: number | undefined;
  /** Requests that failed. */
  readonly failed: number;
  /** Requests in flight. */
  readonly inFlight: number;
  /** Events with output a second since the last snapshot (tokens, unless several share an event). */
  readonly eventsPerSecond: number;
  /** Median TTFT of the last answers in milliseconds; undefined before the first. */
  readonly ttftMs: number | undefined;
}

/** Beyond these a run is not valid; see `validity.ts`. */
export interface ValidityLimits {
  /** p99 of the event loop's lateness in milliseconds, or 5 % of the median TTFT where that is more. */
  readonly loopLagMs: number;
  /** p99 of the time between due and sent in milliseconds, or 5 % of the median TTFT. */
  readonly sendLagMs: number;
  /** Least mean of requests in flight (or of the request rate), as a share of what was asked. */
  readonly loadShare: number;
  /** Least length of the steady window in milliseconds. */
  readonly windowMs: number;
  /** Least number of requests that ended well. */
  readonly requests: number;
}

/** The limits unless others are given. */
export const DEFAULT_LIMITS: ValidityLimits = {
  loopLagMs: 5,
  sendLagMs: 5,
  loadShare: 0.95,
  windowMs: 1000,
  requests: 30,
};

/** What to measure. Only `url` is required. */
export interface BenchOptions {
  /** Base URL of the endpoint, for example `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Sent as bearer token; never written anywhere. */
  readonly apiKey?: string | undefined;
  /** Further headers of each request; their values are never written anywhere. */
  readonly headers?: RequestHeaders | undefined;
  /** Which certificates are trusted; the system's unless given. */
  readonly trust?: TlsTrust | undefined;
  /** Model to ask; may be left out when exactly one is served. */
  readonly model?: string | undefined;
  /** Requests in flight (closed loop), or the most of them when there is a `rate`. */
  readonly concurrency?: number | undefined;
  /** Requests a second (open loop). */
  readonly rate?: number | undefined;
  /** How requests of a rate or of stages are spaced; `poisson` unless given. */
  readonly arrival?: Arrival | undefined;
  /** Shape of `gamma` arrivals: below 1 bursts, above 1 more even than Poisson. */
  readonly burstiness?: number | undefined;
  /** Rates that change over time, in place of `rate` and `durationMs`. */
  readonly stages?: readonly Stage[] | undefined;
  /** Requests to measure. */
  readonly requests?: number | undefined;
  /** Milliseconds in which requests are sent. */
  readonly durationMs?: number | undefined;
  /** Tokens of a prompt, the chat template included; with `turns`, what each turn adds. */
  readonly inputTokens?: number | Lengths | undefined;
  /** Tokens of an answer. */
  readonly outputTokens?: number | Lengths | undefined;
  /** Of a prompt's tokens, those at its begin that requests share; 0 unless given. */
  readonly prefixTokens?: number | undefined;
  /** Number of different shared beginnings; 1 unless given. */
  readonly prefixPool?: number | undefined;
  /** Turns of a session, each with the ones before it as its history; 1 unless given. */
  readonly turns?: number | undefined;
  /** Requests before the clock starts. */
  readonly warmup?: number | undefined;
  /** Seed of prompts and arrivals; a new one for each run unless given, as servers cache prompts. */
  readonly seed?: number | undefined;
  /** `chat` unless given. */
  readonly api?: "chat" | "completions" | undefined;
  /** Whether answers are streamed; true unless given. Without, there is no TTFT. */
  readonly stream?: boolean | undefined;
  /** Further fields for each request. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** Milliseconds for a request as a whole. */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds without a byte from the server. */
  readonly idleTimeoutMs?: number | undefined;
  /** Milliseconds to open a connection. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds that requests may take beyond the duration. */
  readonly graceMs?: number | undefined;
  /** Milliseconds of failures only, after which the run is given up. */
  readonly giveUpMs?: number | undefined;
  /** Limits of a valid run. */
  readonly limits?: Partial<ValidityLimits> | undefined;
  /** Whether to measure the client itself first, for two seconds; false unless given. */
  readonly calibration?: boolean | undefined;
  /** Opens connections in place of dialing the URL, for example through a port-forward. Needs `model`. */
  readonly connect?: ((signal: AbortSignal) => Promise<StreamConnection>) | undefined;
  /** Called a few times a second. */
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
  /** Called with the measured requests as they end, some hundred at a time. */
  readonly onRequests?: ((records: readonly RequestRecord[]) => void) | undefined;
}

/** Options with everything decided but the model: plain data, the content of `config.json`. */
export interface BenchConfig {
  /** Base URL. */
  readonly url: string;
  /** Model; undefined until it is picked. */
  readonly model: string | undefined;
  /** Which API. */
  readonly api: "chat" | "completions";
  /** Whether answers are streamed. */
  readonly stream: boolean;
  /** Names of further headers. */
  readonly headers: readonly string[];
  /** Whether any certificate is taken. */
  readonly insecure: boolean;
  /** How load is offered. */
  readonly load: Load;
  /** Requests to measure, where that is the end. */
  readonly requests: number | undefined;
  /** Milliseconds in which requests are sent, where that is the end. */
  readonly durationMs: number | undefined;
  /** Tokens of a prompt, on average. */
  readonly inputTokens: number;
  /** Tokens of an answer, on average. */
  readonly outputTokens: number;
  /** Requests in detail. */
  readonly synthetic: Omit<SyntheticWorkload, "seed">;
  /** Requests before the clock starts. */
  readonly warmup: number;
  /** Seed of prompts and arrivals. */
  readonly seed: number;
  /** Whether the client is calibrated first. */
  readonly calibration: boolean;
  /** Further fields for each request. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** Milliseconds for a request. */
  readonly requestTimeoutMs: number;
  /** Milliseconds without a byte. */
  readonly idleTimeoutMs: number;
  /** Milliseconds to open a connection. */
  readonly connectTimeoutMs: number;
  /** Milliseconds beyond the duration. */
  readonly graceMs: number;
  /** Milliseconds of failures only. */
  readonly giveUpMs: number;
  /** Limits of a valid run. */
  readonly limits: ValidityLimits;
}

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
  const input = lengthsOf("input-tokens", options.inputTokens ?? 128, MOST_INPUT);
  const output = lengthsOf("output-tokens", options.outputTokens ?? 64, MOST_OUTPUT);
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
  const { stages } = options;
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
      : Math.max(100, open ? Math.ceil(30 * load.rate) : 10 * load.concurrency),
    durationMs,
    inputTokens: meanTokens(input),
    outputTokens: meanTokens(output),
    synthetic: {
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

function lengthsOf(flag: string, value: number | Lengths, most: number): Lengths {
  if (typeof value !== "number") return value;
  checkNumber(flag, value, 1, most, true);
  return { kind: "fixed", tokens: value };
}

function loadOf(options: BenchOptions): Load {
  const { rate, stages, burstiness } = options;
  const arrival = options.arrival ?? (burstiness === undefined ? "poisson" : "gamma");
  const maxInFlight = options.concurrency ?? MAX_IN_FLIGHT;
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
  const closed = rate === undefined && stages === undefined;
  const spaced = arrival === undefined ? "burstiness" : "arrival";
  refuse(
    closed && (arrival !== undefined || burstiness !== undefined),
    `--${spaced} says how requests of a rate are spaced, and there is no rate`,
    "Add --rate or --stages.",
  );
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
