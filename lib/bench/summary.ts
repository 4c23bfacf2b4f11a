/**
 * The summary of a run: the content of `summary.json`. Its fields are described in
 * `schema.md`; they do not change their meaning within one value of `schema`.
 *
 * @module
 */
import { configJson } from "./config_json.ts";
import type { TunnelTax } from "./job/tunnel.ts";
import { type Calibration, calibrationFindings } from "./calibration.ts";
import type { BenchConfig } from "./options.ts";
import type { FailureKind } from "./record.ts";
import type { Recorder } from "./recorder.ts";
import type { RequestShape } from "./request.ts";
import type { BenchCost } from "./cost.ts";
import type { EnvironmentSummary } from "./environment.ts";
import type { Distribution } from "./samples.ts";
import { splitTtft } from "./server/split.ts";
import type { ServerSummary } from "./server/types.ts";
import type { ServerRecord } from "./server/watch.ts";
import type { Span } from "./timeline.ts";
import { invalidReasons } from "./validity.ts";
import type { Planned } from "./workload.ts";

/** Value of `schema` in summaries. */
export const SUMMARY_SCHEMA = "dynamo-eks/bench-summary/v1" as const;

/** Tokens of prompts or answers. */
export interface TokenCounts {
  /** Asked for, on average over the requests; null where only the server can count. */
  readonly asked: number | null;
  /** Sum over the requests that ended well. */
  readonly total: number;
  /** A request's number; null where the server does not count. */
  readonly mean: number | null;
  /** The least. */
  readonly min: number | null;
  /** The most. */
  readonly max: number | null;
}

/** Failures of one kind, with the words of the first. */
export interface FailureSummary {
  /** Kind. */
  readonly kind: FailureKind;
  /** How many. */
  readonly count: number;
  /** What was said about the first. */
  readonly message: string;
}

/** Result of a run. Times in milliseconds unless the name says otherwise; null where nothing was measured. */
export interface BenchSummary {
  /** Version of this format. */
  readonly schema: typeof SUMMARY_SCHEMA;
  /** When the measured run began, ISO 8601. */
  readonly started_at: string;
  /** What was asked, and how requests looked. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Length of the run in seconds: first request due to last answer. */
  readonly wall_s: number;
  /** Window of steady load, seconds from the start. */
  readonly steady_window: { readonly start_s: number; readonly end_s: number } | null;
  /** Requests: due, ended well, failed. */
  readonly requests: {
    /** Due. */
    readonly scheduled: number;
    /** Ended well. */
    readonly completed: number;
    /** Failed. */
    readonly failed: number;
    /** Sent again because the server had closed the kept connection. */
    readonly resent: number;
  };
  /** Time to first token, from the moment a request was due. */
  readonly ttft_ms: Distribution | null;
  /** Time to first token, from the moment it was sent. */
  readonly ttft_service_ms: Distribution | null;
  /** Time per output token after the first event of a request. */
  readonly tpot_ms: Distribution | null;
  /** Gaps between events with output, pooled over all requests. */
  readonly icl_ms: Distribution | null;
  /** Time to the last token, from the moment a request was due. */
  readonly e2e_ms: Distribution | null;
  /** Time to the last token, from the moment it was sent. */
  readonly e2e_service_ms: Distribution | null;
  /** Requests that ended well, per second of `wall_s`. */
  readonly requests_per_second: number;
  /** Output tokens per second in the steady window; null without one. */
  readonly output_tokens_per_second: number | null;
  /** Output tokens of requests that ended well, per second of `wall_s`. */
  readonly output_tokens_per_second_wall: number;
  /** What one user sees: 1000 / median of `tpot_ms`. */
  readonly user_tokens_per_second: number | null;
  /** Prompts. */
  readonly input_tokens: TokenCounts;
  /** Answers. */
  readonly output_tokens: TokenCounts;
  /** Prompt tokens that came from a cache; null where the server does not say. */
  readonly cached_tokens: number | null;
  /** Of the prompts' tokens, the share that an earlier prompt of the run had at its begin as well. */
  readonly prefix_sharing: {
    /** As the workload was planned: what a cache of everything would save. */
    readonly planned: number | null;
    /** As the server counts (`cached_tokens`); null where it does not say. */
    readonly cached: number | null;
  };
  /** Tokens that share an event, on average. */
  readonly tokens_per_event: number | null;
  /** Failures. */
  readonly errors: {
    /** All of them. */
    readonly total: number;
    /** Share of the scheduled requests. */
    readonly rate: number;
    /** Counts; kinds as `FailureKind` of `record.ts`. */
    readonly by_kind: Readonly<Partial<Record<FailureKind, number>>>;
    /** 503 and 529: the server refused for want of capacity. */
    readonly overloaded: number;
    /** Each kind with the words of its first failure, most frequent first. */
    readonly details: readonly FailureSummary[];
  };
  /** How well the client did its work. */
  readonly client: {
    /** Lateness of the client's event loop. */
    readonly loop_lag_ms: Distribution | null;
    /** Time between due and sent. */
    readonly send_lag_ms: Distribution | null;
    /** Mean in flight over the steady window. */
    readonly in_flight: number | null;
    /** Connections opened. */
    readonly connections: number;
  };
  /** Whether the numbers are about the server. */
  readonly valid: boolean;
  /** Why not, each as `code: what was seen`. */
  readonly invalid_reasons: readonly string[];
  /** What a person should know that does not make the run invalid. */
  readonly warnings: readonly string[];
  /** Overhead of the client, measured against the bundled mock; null when not measured. */
  readonly calibration: Calibration | null;
  /** What a port-forward would have added; only of runs inside the cluster. */
  readonly tunnel?: TunnelTax;
  /** The server's side of the run; null when it was not watched. */
  readonly server: ServerSummary | null;
  /** What the tokens cost; null when not known. */
  readonly cost: BenchCost | null;
  /** Where it was measured; null when not known. */
  readonly environment: EnvironmentSummary | null;
}

/** What a summary is made of. */
export interface SummaryInput {
  /** What was asked. */
  readonly config: BenchConfig & { readonly model: string };
  /** How requests looked. */
  readonly shape: RequestShape;
  /** Words of a prompt. */
  readonly words: number;
  /** What the requests were to be. */
  readonly planned: Planned;
  /** What was measured. */
  readonly recorder: Recorder;
  /** Requests that were due. */
  readonly scheduled: number;
  /** Why the run ended early; undefined when it did not. */
  readonly gaveUp: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Connections opened. */
  readonly connections: number;
  /** What the probes noticed. */
  readonly warnings: readonly string[];
  /** What the client adds; null when not measured. */
  readonly calibration: Calibration | null;
  /** What was seen of the server; undefined when it was not watched. */
  readonly server?: ServerRecord | undefined;
}

/** Share of the peak that counts as steady load. */
const STEADY_SHARE = 0.9;

/** Sums a run up. */
export function summarize(input: SummaryInput): BenchSummary {
  const { config, recorder, scheduled } = input;
  const steady = steadyWindow(config, recorder);
  const ownReasons = invalidReasons({ config, recorder, steady, scheduled, gaveUp: input.gaveUp });
  const wall = Math.max(0, recorder.lastEnd - Math.min(recorder.firstDue, recorder.lastEnd)) / 1000;
  const perSecond = (n: number) => wall > 0 ? n / wall : 0;
  const perEvent = recorder.events > 0 ? recorder.outputTokens.sum / recorder.events : undefined;
  const eventRate = steady === undefined ? undefined : recorder.timeline.eventRate(steady);
  const tpot = recorder.tpot.percentile(50);
  const asked = askedTokens(input.planned);
  const findings = input.calibration === null ? undefined : calibrationFindings(input.calibration, {
    ttftMs: recorder.ttftService.percentile(50),
    ttftP99Ms: recorder.ttftService.percentile(99),
    eventsPerSecond: eventRate,
  });
  const reasons = [...ownReasons, ...(findings?.reasons ?? [])];
  return {
    schema: SUMMARY_SCHEMA,
    started_at: new Date(input.startedAt).toISOString(),
    config: configJson(config, input.shape, input.words),
    wall_s: wall,
    steady_window: steady === undefined
      ? null
      : { start_s: steady.start / 1000, end_s: steady.end / 1000 },
    requests: {
      scheduled,
      completed: recorder.completed,
      failed: recorder.failed,
      resent: recorder.resent,
    },
    ttft_ms: recorder.ttft.distribution() ?? null,
    ttft_service_ms: recorder.ttftService.distribution() ?? null,
    tpot_ms: recorder.tpot.distribution() ?? null,
    icl_ms: recorder.icl.distribution() ?? null,
    e2e_ms: recorder.e2e.distribution() ?? null,
    e2e_service_ms: recorder.e2eService.distribution() ?? null,
    requests_per_second: perSecond(recorder.completed),
    output_tokens_per_second: eventRate === undefined || perEvent === undefined
      ? null
      : eventRate * perEvent,
    output_tokens_per_second_wall: perSecond(recorder.outputTokens.sum),
    user_tokens_per_second: tpot === undefined || tpot === 0 ? null : 1000 / tpot,
    input_tokens: tokenCounts(asked.input, recorder.inputTokens),
    output_tokens: tokenCounts(asked.output, recorder.outputTokens),
    cached_tokens: recorder.cachedTokens ?? null,
    prefix_sharing: {
      planned: share(input.planned.sharedTokens, input.planned.inputTokens),
      cached: recorder.cachedTokens === undefined
        ? null
        : share(recorder.cachedTokens, recorder.inputTokens.sum),
    },
    tokens_per_event: perEvent ?? null,
    errors: errorsOf(recorder, scheduled),
    client: {
      loop_lag_ms: recorder.loopLag.distribution() ?? null,
      send_lag_ms: recorder.sendLag.distribution() ?? null,
      in_flight: (steady && recorder.timeline.meanInFlight(steady)) ?? null,
      connections: input.connections,
    },
    valid: reasons.length === 0,
    invalid_reasons: reasons,
    warnings: [
      ...input.warnings,
      ...tokenWarnings(asked, recorder),
      ...(findings?.warnings ?? []),
    ],
    calibration: input.calibration,
    server: serverSummary(input),
    cost: null,
    environment: null,
  };
}

function serverSummary({ server, recorder, calibration }: SummaryInput): ServerSummary | null {
  if (server === undefined) return null;
  const split = splitTtft({
    client: recorder.ttftService.distribution() ?? null,
    server: server.summary.ttft_ms,
    roundTrip: server.roundTrip,
    clientErrorMs: calibration?.ttft_error_ms?.p50 ?? 0,
  });
  return { ...server.summary, ttft_split_ms: split };
}

// Closed loop: the longest span near the peak. Open loop: in-flight is the server's doing, so
// from when requests begin to end until the last one is due.
function steadyWindow(config: BenchConfig, recorder: Recorder): Span | undefined {
  if (config.load.kind === "concurrency") return recorder.timeline.steadySpan(STEADY_SHARE);
  const end = recorder.lastDue;
  const start = Math.min(recorder.e2eService.percentile(50) ?? 0, end / 2);
  return end > start ? { start, end } : undefined;
}

function errorsOf(recorder: Recorder, scheduled: number): BenchSummary["errors"] {
  const details = [...recorder.failures].map(([kind, { count, message }]) => ({
    kind,
    count,
    message,
  }))
    .sort((a, b) => b.count - a.count);
  const of = (kind: FailureKind) => recorder.failures.get(kind)?.count ?? 0;
  return {
    total: recorder.failed,
    rate: scheduled > 0 ? recorder.failed / scheduled : 0,
    by_kind: Object.fromEntries(details.map(({ kind, count }) => [kind, count])),
    overloaded: of("http_503") + of("http_529"),
    details,
  };
}

interface Asked {
  readonly input: number | null;
  readonly output: number | null;
}

// What was planned for the requests that were sent, on average.
function askedTokens({ requests, inputTokens, outputTokens }: Planned): Asked {
  const mean = (sum: number) => requests > 0 && !Number.isNaN(sum) ? sum / requests : null;
  return { input: mean(inputTokens), output: mean(outputTokens) };
}

function share(part: number, all: number): number | null {
  return all > 0 ? part / all : null;
}

function tokenCounts(asked: number | null, samples: Recorder["inputTokens"]): TokenCounts {
  const all = samples.distribution();
  return {
    asked,
    total: samples.sum,
    mean: all?.mean ?? null,
    min: all?.min ?? null,
    max: all?.max ?? null,
  };
}

function tokenWarnings(asked: Asked, recorder: Recorder): string[] {
  const warnings: string[] = [];
  const check = (what: string, asked: number | null, samples: Recorder["inputTokens"]) => {
    const mean = samples.distribution()?.mean;
    if (
      mean !== undefined && asked !== null && Math.abs(mean - asked) > Math.max(1, 0.05 * asked)
    ) {
      warnings.push(
        `${what} had ${Math.round(mean)} tokens on average, ${Math.round(asked)} were asked for`,
      );
    }
  };
  check("prompts", asked.input, recorder.inputTokens);
  check("answers", asked.output, recorder.outputTokens);
  return warnings;
}
