/**
 * What is known of the server's side of a run. Part of `summary.json`; see `schema.md`.
 *
 * @module
 */

/** An interval; `high` is null where it has no end. */
export interface Interval {
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number | null;
}

/** Times as a histogram tells them, in milliseconds: the mean exactly, quantiles as intervals. */
export interface ServerTimes {
  /** Values. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Bucket of the median. */
  readonly p50: Interval;
  /** Bucket of the 90th percentile. */
  readonly p90: Interval;
  /** Bucket of the 99th percentile. */
  readonly p99: Interval;
}

/** Mean over the run and the most seen. */
export interface Level {
  /** Mean over time. */
  readonly mean: number;
  /** Most. */
  readonly max: number;
}

/** One interval between scrapes. What was not told is null. */
export interface ServerPoint {
  /** End of the interval, seconds from the start of the run. */
  readonly at_s: number;
  /** Its length in seconds. */
  readonly seconds: number;
  /** Requests that ended, a second. */
  readonly requests_per_second: number | null;
  /** Tokens of answers, a second. */
  readonly output_tokens_per_second: number | null;
  /** Mean time to first token, milliseconds. */
  readonly ttft_mean_ms: number | null;
  /** Its median, linear within its bucket as Prometheus has it. */
  readonly ttft_p50_ms: number | null;
  /** Its 90th percentile, in the same way. */
  readonly ttft_p90_ms: number | null;
  /** Mean time between tokens, milliseconds. */
  readonly itl_mean_ms: number | null;
  /** Requests in flight, as frontends have it. */
  readonly in_flight: number | null;
  /** Requests that wait in frontends. */
  readonly queued: number | null;
  /** Requests that wait in workers. */
  readonly worker_waiting: number | null;
  /** Requests in flight in the busiest worker. */
  readonly worker_in_flight_max: number | null;
  /** Share of the prompts' tokens found in a cache, 0 to 1. */
  readonly kv_hit_rate: number | null;
  /** Share of the KV cache in use, 0 to 1, on average over workers. */
  readonly kv_usage: number | null;
  /** Share of time that GPUs were busy, 0 to 1, on average over them. */
  readonly gpu_utilisation: number | null;
  /** Memory in use on all GPUs, bytes. */
  readonly gpu_memory_bytes: number | null;
  /** Power of all GPUs, watts. */
  readonly gpu_power_w: number | null;
  /** Scrapes that failed. */
  readonly failed_scrapes: number;
}

/** A source and how it answered. */
export interface SourceSummary {
  /** Pod or URL. */
  readonly name: string;
  /** What it turned out to be; null when it never answered. */
  readonly kind: "frontend" | "worker" | "gpu" | null;
  /** Scrapes that were read. */
  readonly scrapes: number;
  /** Scrapes that failed. */
  readonly failures: number;
  /** Why the first of them failed. */
  readonly problem: string | null;
}

/** Client and server, side by side. Milliseconds; network is what lies between them. */
export interface TtftSplit {
  /** Whether the server counted exactly the requests that the client did. */
  readonly same_requests: boolean;
  /** Mean of `ttft_service_ms`. */
  readonly client_mean: number;
  /** The server's mean. */
  readonly server_mean: number;
  /** The difference: network, port-forward, and what the server does before and after it counts. */
  readonly network_mean: number;
  /** Median of `ttft_service_ms`. */
  readonly client_p50: number;
  /** The bucket that the server's median lies in. */
  readonly server_p50: Interval;
  /** What follows for the difference of the medians; `low` is 0 where the bucket reaches further. */
  readonly network_p50: Interval;
  /** Mean time of small requests on the same way during the run; null when none came back. */
  readonly round_trip_mean: number | null;
  /** Their median. */
  readonly round_trip_p50: number | null;
  /** Whether a round trip explains the difference of the means; null when it cannot be said. */
  readonly agrees: boolean | null;
  /** Why not, for people; null when they agree. */
  readonly note: string | null;
}

/** The server's side of a run. */
export interface ServerSummary {
  /** Milliseconds between scrapes. */
  readonly interval_ms: number;
  /** Who was asked. */
  readonly sources: readonly SourceSummary[];
  /** Requests that the server counted during the run; null where it counts none. */
  readonly requests: number | null;
  /** Tokens of answers that it counted. */
  readonly output_tokens: number | null;
  /** Time to first token. */
  readonly ttft_ms: ServerTimes | null;
  /** Time between tokens. */
  readonly itl_ms: ServerTimes | null;
  /** Time of whole requests. */
  readonly duration_ms: ServerTimes | null;
  /** Client against server. */
  readonly ttft_split_ms: TtftSplit | null;
  /** Share of the prompts' tokens found in a cache, 0 to 1. */
  readonly kv_hit_rate: number | null;
  /** Requests in flight in frontends. */
  readonly in_flight: Level | null;
  /** Requests that wait in frontends. */
  readonly queued: Level | null;
  /** Requests that wait in workers. */
  readonly worker_waiting: Level | null;
  /** Share of the KV cache in use. */
  readonly kv_usage: Level | null;
  /** GPUs; null where no exporter answers. */
  readonly gpu: {
    /** Share of time that they were busy. */
    readonly utilisation: Level | null;
    /** Memory of all of them in bytes. */
    readonly memory_bytes: Level | null;
    /** Power of all of them in watts. */
    readonly power_w: Level | null;
  } | null;
}
