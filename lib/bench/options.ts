/**
 * What a benchmark is asked to do.
 *
 * @module
 */
import type { Arrival } from "./arrivals.ts";
import type { Dataset } from "./dataset.ts";
import type { RequestHeaders } from "./headers.ts";
import type { Lengths } from "./lengths.ts";
import type { FailureKind, RequestRecord } from "./record.ts";
import type { Load } from "./schedule.ts";
import type { ServerWatch } from "./server/watch.ts";
import type { Stage } from "./stages.ts";
import type { TokenWords } from "./tokenizer.ts";
import type { Trace } from "./trace.ts";
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
  /** The same by kind. */
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>;
  /** Requests in flight. */
  readonly inFlight: number;
  /** Events with output a second since the last snapshot (tokens, unless several share an event). */
  readonly eventsPerSecond: number;
  /** Median TTFT of the last answers in milliseconds; undefined before the first. */
  readonly ttftMs: number | undefined;
  /** Median time per output token of the last answers in milliseconds; undefined before the first. */
  readonly tpotMs: number | undefined;
  /** Most that the client's event loop was late since the last snapshot, in milliseconds. */
  readonly lagMs: number;
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
  /** Conversations to ask in place of random words. */
  readonly dataset?: Dataset | undefined;
  /** A recorded load to send again; says when requests are due, and what they are. */
  readonly trace?: Trace | undefined;
  /** How much faster than it was recorded the trace is sent; 1 unless given. */
  readonly traceSpeed?: number | undefined;
  /** Words of one token each, for prompts of exact length; their lengths are near without. */
  readonly tokenizer?: TokenWords | undefined;
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
  /**
   * Threads of its own that share the load, 0 for the thread that asks; as many as it takes on
   * this machine unless given.
   */
  readonly threads?: number | undefined;
  /** Whether one thread of its own is the least, as this one has other work: a port-forward. */
  readonly ownThread?: boolean | undefined;
  /** Watches the server's side; the run begins and ends it. */
  readonly server?: ServerWatch | undefined;
  /** Called a few times a second. */
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
  /** Called with the measured requests as they end, a few at a time. */
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
  /** Where requests come from. */
  readonly source:
    | { readonly kind: "synthetic" }
    | { readonly kind: "dataset"; readonly path: string; readonly count: number }
    | {
      readonly kind: "trace";
      readonly path: string;
      readonly count: number;
      readonly speed: number;
    };
  /** Where words of one token come from; undefined without a tokenizer. */
  readonly tokenizer: Omit<TokenWords, "words"> | undefined;
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
