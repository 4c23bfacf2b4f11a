/**
 * How far the load generator's own figures can be trusted on this machine, at this moment: a
 * short run with the same code against the bundled mock in a thread of its own, which knows
 * when it wrote each token.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { LoadGenerator } from "./load_generator.ts";
import type { LoadSpec } from "./load_spec.ts";
import { generatorIn } from "./load_threads.ts";
import { startMock } from "./mock.ts";
import type { MockOptions, MockStats } from "./mock_options.ts";
import type { BenchConfig } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import type { RequestShape } from "./request.ts";
import type { Load } from "./schedule.ts";

/** What the load generator adds to the figures, and what it can do. Part of `summary.json`. */
export interface Calibration {
  /** Requests in flight (closed loop) of the accuracy part; null for a rate. */
  readonly concurrency: number | null;
  /** Requests a second of the accuracy part; null in a closed loop. */
  readonly rate: number | null;
  /** Requests that the accuracy part measured. */
  readonly requests: number;
  /** The client's TTFT less the server's own; null without streaming. */
  readonly ttft_error_ms: {
    /** Of the medians. */
    readonly p50: number;
    /** Of the 99th percentiles. */
    readonly p99: number;
  } | null;
  /** The client's median time per token against the server's own, in percent; null without streaming. */
  readonly tpot_error_percent: number | null;
  /** What client and mock managed together, with a server that takes no time. */
  readonly ceiling: {
    /** Requests a second. */
    readonly requests_per_second: number;
    /** Events with output a second. */
    readonly events_per_second: number;
  };
}

/** Most in flight, and most requests a second: beyond, a short run is mostly its own begin. */
const MOST_IN_FLIGHT = 128;
const MOST_RATE = 1000;
const MOST_TOKENS = 64;
const CEILING_LANES = 64;
// The first part also lets the compiler see the code that the run then uses.
const CEILING_WARMUP_MS = 200;
const CEILING_MS = 450;
const ACCURACY_TTFT_MS = 25;
const LEAST_ITL_MS = 4;
const MOST_ITL_MS = 40;
const ACCURACY_TOKENS = 12;
const ACCURACY_MS = 600;
const GRACE_MS = 600;
// The accuracy part must not be about the ceiling: so much of it is used.
const ACCURACY_SHARE = 0.25;
const PROMPT_WORDS = 64;

/**
 * Calibrates for a run of this configuration in so many threads of its own (0 is this one); takes
 * about two seconds. The mock listens on loopback without TLS, so what TLS or a port-forward cost is not part of the ceiling.
 *
 * @throws {Error} when the mock's thread or its listener cannot start, or the run is interrupted.
 */
export async function calibrate(
  ctx: Context,
  config: BenchConfig,
  threads: number = 0,
): Promise<Calibration> {
  const tokens = Math.min(MOST_TOKENS, config.outputTokens);
  // Servers write each token by itself. For several threads the mock, which is one, is the limit
  // then: the ceiling is lower than theirs, never higher.
  const instant: MockOptions = { ttftMs: 0, itlMs: 0, apart: true };
  const ceiling = await withMock(
    ctx,
    { config, mock: instant, tokens, threads },
    async (engine) => {
      const load: Load = { kind: "concurrency", concurrency: CEILING_LANES };
      await engine.openLanes(CEILING_LANES);
      await offer(engine, load, CEILING_WARMUP_MS);
      return await offer(engine, load, CEILING_MS);
    },
  );
  const seconds = Math.max(1, ceiling.lastEnd) / 1000;
  const most = ceiling.timeline.eventRate({ start: 0, end: ceiling.lastDue }) ??
    ceiling.events / seconds;
  const { load, mock } = accuracyPart(config.load, most, config.stream ? ACCURACY_TOKENS : 1);
  const { recorder, stats } = await withMock(
    ctx,
    { config, mock, tokens: ACCURACY_TOKENS, threads },
    async (engine, stats) => {
      await engine.openLanes(lanesOf(load, mock));
      const recorder = await offer(engine, load, ACCURACY_MS);
      return { recorder, stats: await stats() };
    },
  );
  return {
    concurrency: load.kind === "concurrency" ? load.concurrency : null,
    rate: load.kind === "concurrency" ? null : load.rate,
    requests: recorder.completed,
    ...errors(recorder, stats),
    ceiling: {
      requests_per_second: ceiling.completed / seconds,
      events_per_second: most,
    },
  };
}

function errors(
  recorder: Recorder,
  stats: MockStats,
): Pick<Calibration, "ttft_error_ms" | "tpot_error_percent"> {
  const ttft = recorder.ttft.distribution();
  const tpot = recorder.tpot.percentile(50);
  return {
    ttft_error_ms: ttft === undefined || stats.ttft === undefined
      ? null
      : { p50: ttft.p50 - stats.ttft.p50, p99: ttft.p99 - stats.ttft.p99 },
    tpot_error_percent: tpot === undefined || stats.itl === undefined
      ? null
      : 100 * (tpot / stats.itl - 1),
  };
}

// The run's load, as far as it fits into a short time and is not too much for this machine.
function accuracyPart(
  load: Load,
  ceiling: number,
  eventsPerRequest: number,
): { load: Load; mock: MockOptions } {
  const events = Math.max(1, ACCURACY_SHARE * ceiling);
  if (load.kind === "concurrency") {
    const concurrency = Math.min(MOST_IN_FLIGHT, load.concurrency);
    const itlMs = Math.min(MOST_ITL_MS, Math.max(LEAST_ITL_MS, 1000 * concurrency / events));
    return {
      load: { kind: "concurrency", concurrency },
      mock: { ttftMs: ACCURACY_TTFT_MS, itlMs },
    };
  }
  const kind = load.kind === "constant" ? "constant" : "poisson";
  const rate = Math.max(20, Math.min(MOST_RATE, events / eventsPerRequest, load.rate));
  return {
    load: { kind, rate, maxInFlight: Math.min(MOST_IN_FLIGHT, load.maxInFlight) },
    mock: { ttftMs: ACCURACY_TTFT_MS, itlMs: LEAST_ITL_MS },
  };
}

function lanesOf(load: Load, mock: MockOptions): number {
  if (load.kind === "concurrency") return load.concurrency;
  const latency = mock.ttftMs + mock.itlMs * ACCURACY_TOKENS;
  return Math.min(load.maxInFlight, 8 + Math.ceil(1.5 * load.rate * latency / 1000));
}

interface Calibrated {
  readonly config: BenchConfig;
  readonly mock: MockOptions;
  /** Tokens of an answer. */
  readonly tokens: number;
  readonly threads: number;
}

async function withMock<T>(
  ctx: Context,
  { config, mock: options, tokens, threads }: Calibrated,
  use: (generator: LoadGenerator, stats: () => Promise<MockStats>) => Promise<T>,
): Promise<T> {
  await using mock = await startMock(options);
  const shape: RequestShape = {
    api: config.api,
    model: "mock",
    stream: config.stream,
    limitField: "max_tokens",
    minTokens: true,
    ignoreEos: true,
    usage: "end",
    extra: {},
  };
  const { connectTimeoutMs, requestTimeoutMs, idleTimeoutMs } = config;
  const spec: LoadSpec = {
    target: { url: mock.url },
    trust: undefined,
    shape,
    rule: { kind: "plain" },
    synthetic: {
      seed: config.seed,
      input: { kind: "fixed", tokens: PROMPT_WORDS },
      output: { kind: "fixed", tokens },
      prefixTokens: 0,
      prefixPool: 1,
      turns: 1,
      sessions: 1,
    },
    limits: { connectTimeoutMs, requestTimeoutMs, idleTimeoutMs },
  };
  const generator = await generatorIn(threads, ctx, spec);
  try {
    return await use(generator, () => mock.stats());
  } finally {
    await generator.close();
  }
}

async function offer(
  generator: LoadGenerator,
  load: Load,
  durationMs: number,
): Promise<Recorder> {
  const { recorder } = await generator.run({
    phase: "run",
    load,
    extent: { durationMs },
    seed: 1,
    firstIndex: 0,
    graceMs: GRACE_MS,
    giveUpMs: GRACE_MS,
  }, {});
  return recorder;
}

/** What the judgement compares the calibration with. */
export interface CalibratedRun {
  /** Median TTFT from sending, milliseconds; undefined without streaming. */
  readonly ttftMs: number | undefined;
  /** 99th percentile of TTFT. */
  readonly ttftP99Ms: number | undefined;
  /** Events with output a second under steady load. */
  readonly eventsPerSecond: number | undefined;
}

/** Share of the ceiling beyond which the client takes part in the figures. */
const CEILING_SHARE = 0.8;
// Errors as shares of what was measured, and below which time they do not matter.
const ERROR_INVALID = 0.2;
const ERROR_WARNING = 0.05;
const ERROR_FLOOR_MS = 1;

/** What a calibration says against a run: reasons (`code: what was seen`), and warnings. */
export function calibrationFindings(
  calibration: Calibration,
  run: CalibratedRun,
): { readonly reasons: readonly string[]; readonly warnings: readonly string[] } {
  const reasons: string[] = [], warnings: string[] = [];
  const { ceiling, ttft_error_ms: error } = calibration;
  const most = ceiling.events_per_second;
  if (run.eventsPerSecond !== undefined && run.eventsPerSecond > CEILING_SHARE * most) {
    const share = Math.round(100 * run.eventsPerSecond / most);
    reasons.push(
      `client_ceiling: the run made ${Math.round(run.eventsPerSecond)} events/s, ${share} % of ` +
        `the ${Math.round(most)} this machine manages with a server that takes no time (limit ` +
        `${100 * CEILING_SHARE} %): a faster client, or less load, is needed`,
    );
  }
  if (error === null || run.ttftMs === undefined || run.ttftP99Ms === undefined) {
    return { reasons, warnings };
  }
  const [p50, p99] = [Math.abs(error.p50), Math.abs(error.p99)];
  const of = (ms: number, what: string, measured: number) =>
    `the calibration's ${what} was wrong by ${ms.toFixed(1)} ms, and ${measured.toFixed(1)} ms ` +
    "was measured: this machine is too busy, or too slow, for so fast a server";
  if (p50 > Math.max(ERROR_FLOOR_MS, ERROR_INVALID * run.ttftMs)) {
    reasons.push(`client_error: ${of(p50, "median TTFT", run.ttftMs)}`);
  } else if (p50 > Math.max(ERROR_FLOOR_MS, ERROR_WARNING * run.ttftMs)) {
    warnings.push(of(p50, "median TTFT", run.ttftMs));
  } else if (p99 > Math.max(2 * ERROR_FLOOR_MS, ERROR_INVALID * run.ttftP99Ms)) {
    warnings.push(of(p99, "p99 of TTFT", run.ttftP99Ms));
  }
  return { reasons, warnings };
}
