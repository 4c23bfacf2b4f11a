/**
 * One benchmark run, from the first probe to the summary.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import {
  interruptedError,
  messageOf,
  preconditionError,
  TaskError,
  usageError,
} from "../cli/errors.ts";
import { calibrate, type Calibration } from "./calibration.ts";
import { lengthsText, mostTokens } from "./lengths.ts";
import type { LoadGenerator, Phase } from "./load_generator.ts";
import { FIRST_WARMUP, type LoadSpec } from "./load_spec.ts";
import { generatorIn, threadsFor } from "./load_threads.ts";
import { servedModels } from "./models.ts";
import { benchConfig } from "./config.ts";
import type { BenchConfig, BenchOptions } from "./options.ts";
import { probe, type Probed } from "./probe.ts";
import { syntheticPrompts } from "./prompts.ts";
import type { RequestTarget } from "./request.ts";
import { type BenchSummary, summarize } from "./summary.ts";
import type { Trace } from "./trace.ts";
import { type Dial, dialStreams, dialUrl } from "./transport.ts";

/**
 * Measures an endpoint: probes it, calibrates the client where asked, opens the connections, warms up, offers the load, sums up.
 * Failed requests are counted, not thrown.
 *
 * @example
 * ```ts
 * const summary = await runBench(ctx, { url: "http://127.0.0.1:8000", concurrency: 16, requests: 500 });
 * ctx.ui.out(summaryToText(summary, ctx.ui.width));
 * ```
 * @throws {TaskError} BENCH_OPTIONS (exit code 2), MODEL_UNKNOWN, BENCH_PROBE when the first
 * requests fail, BENCH_CALIBRATION when the mock cannot run, BENCH_CONNECT when no connection opens, INTERRUPTED.
 */
export async function runBench(ctx: Context, options: BenchOptions): Promise<BenchSummary> {
  try {
    return await measure(ctx, options);
  } catch (error) {
    if (ctx.signal.aborted) throw interruptedError();
    throw error;
  }
}

async function measure(ctx: Context, options: BenchOptions): Promise<BenchSummary> {
  const asked = benchConfig(ctx, options);
  const target: RequestTarget = {
    url: asked.url,
    apiKey: options.apiKey,
    headers: options.headers,
  };
  const dial: Dial = options.connect === undefined
    ? dialUrl(ctx, asked.url, options.trust)
    : dialStreams(options.connect);
  const { model, served } = await pickModel(ctx, options, asked, { dial, target });
  const config = { ...asked, model };
  const prompts = syntheticPrompts(config.seed, config.synthetic.vocabulary);
  report(ctx, options, "probe");
  const probed = await probe({
    dial,
    clock: ctx.clock,
    signal: ctx.signal,
    target,
    config,
    prompts,
    served,
  });
  const spec = specOf(options, config, target, probed);
  const threads = threadsOf(options, config, probed);
  const generator = await generatorIn(threads, ctx, spec, { dial });
  try {
    const calibration = config.calibration ? await calibrated(ctx, options, config, threads) : null;
    report(ctx, options, "connect");
    await connect(generator, config, lanesFor(config, probed));
    if (config.warmup > 0) await warmUp(generator, config, options);
    await options.server?.begin(model);
    const startedAt = ctx.clock.now();
    const { recorder, end } = await generator.run({
      ...phaseOf(config),
      phase: "run",
      load: config.load,
      extent: { requests: config.requests, durationMs: config.durationMs },
      firstIndex: 0,
    }, options);
    const server = await options.server?.end(end.start);
    return summarize({
      config,
      shape: probed.shape,
      words: probed.words.ofPrompt(config.inputTokens),
      planned: generator.planned,
      recorder,
      scheduled: end.scheduled,
      gaveUp: end.gaveUp,
      startedAt,
      connections: generator.dials,
      warnings: probed.warnings,
      calibration,
      server,
    });
  } finally {
    await options.server?.close();
    await generator.close();
  }
}

function specOf(
  { trust, dataset, trace }: BenchOptions,
  config: BenchConfig,
  target: RequestTarget,
  { shape, rule }: Probed,
): LoadSpec {
  const { connectTimeoutMs, requestTimeoutMs, idleTimeoutMs } = config;
  return {
    target,
    trust,
    shape,
    rule,
    synthetic: { ...config.synthetic, seed: config.seed },
    dataset,
    trace,
    limits: { connectTimeoutMs, requestTimeoutMs, idleTimeoutMs },
  };
}

async function calibrated(
  ctx: Context,
  options: BenchOptions,
  config: BenchConfig,
  threads: number,
): Promise<Calibration> {
  report(ctx, options, "calibrate");
  try {
    return await calibrate(ctx, config, threads);
  } catch (error) {
    throw new TaskError({
      code: "BENCH_CALIBRATION",
      message: `The load generator could not be calibrated: ${messageOf(error)}`,
      hint: "--no-calibration measures without knowing what the client adds.",
      cause: error,
    });
  }
}

async function pickModel(
  ctx: Context,
  options: BenchOptions,
  config: BenchConfig,
  { dial, target }: { readonly dial: Dial; readonly target: RequestTarget },
): Promise<{ model: string; served: readonly string[] }> {
  if (options.connect !== undefined) {
    if (options.model !== undefined) return { model: options.model, served: [] };
    throw usageError("BENCH_OPTIONS", "A connection without a URL needs the name of the model");
  }
  const { connectTimeoutMs: timeoutMs } = config;
  const { clock, signal } = ctx;
  const models = await servedModels({ dial, clock, signal, target, timeoutMs });
  if (models === undefined) {
    if (options.model !== undefined) return { model: options.model, served: [] };
    throw usageError(
      "MODEL_UNKNOWN",
      `${config.url} has no list of models (/v1/models)`,
      "Say which one to ask: --model NAME. Is this the base URL of an OpenAI-compatible API?",
    );
  }
  const ids = models.map((model) => model.id);
  const wanted = options.model ?? (ids.length === 1 ? ids[0] : undefined);
  if (wanted === undefined) {
    if (ids.length > 0) {
      throw usageError(
        "MODEL_UNKNOWN",
        `${config.url} serves ${ids.length} models`,
        `--model ${ids.join(" | ")}`,
      );
    }
    throw preconditionError(
      "MODEL_UNKNOWN",
      `${config.url} serves no model yet`,
      "Its workers are still starting, or gone: see deno task status.",
    );
  }
  const length = models.find((model) => model.id === wanted)?.maxModelLen;
  if (length !== undefined && options.trace !== undefined) {
    checkTraceFit(options.trace, wanted, length);
  } else if (length !== undefined) checkFit(config, wanted, length);
  return { model: wanted, served: ids };
}

function checkFit(config: BenchConfig, model: string, length: number): void {
  const { input, output, turns } = config.synthetic;
  // How long the prompts of a file are, only the server knows.
  if (config.source.kind === "dataset") return;
  if (turns * (mostTokens(input) + mostTokens(output)) <= length) return;
  throw usageError(
    "BENCH_OPTIONS",
    `--input-tokens ${lengthsText(input)} and --output-tokens ${lengthsText(output)}${
      turns > 1 ? ` in ${turns} turns` : ""
    } do not fit into the ${length} tokens of ${model}`,
  );
}

function checkTraceFit({ path, requests }: Trace, model: string, length: number): void {
  const long = requests.filter(({ inputTokens, outputTokens }) =>
    inputTokens + outputTokens > length
  );
  if (long.length === 0) return;
  throw usageError(
    "BENCH_OPTIONS",
    `${long.length} of ${requests.length} requests of ${path} do not fit into the ${length} ` +
      `tokens of ${model}`,
    "Leave them out of the file, or serve the model with a longer context.",
  );
}

// Milliseconds of a request, as far as the probes tell.
function latencyOf(config: BenchConfig, probed: Probed): number {
  const perToken = Math.max(0, probed.e2eMs - (probed.ttftMs || 0)) / probed.tokens;
  return (probed.ttftMs || probed.e2eMs) + perToken * config.outputTokens;
}

// An open loop needs about rate × latency connections; the engine opens more when it has to.
function lanesFor(config: BenchConfig, probed: Probed): number {
  const { load } = config;
  if (load.kind === "concurrency") return load.concurrency;
  const busy = load.rate * latencyOf(config, probed) / 1000;
  return Math.min(load.maxInFlight, 8 + Math.ceil(1.5 * busy));
}

function threadsOf(options: BenchOptions, config: BenchConfig, probed: Probed): number {
  if (options.threads !== undefined) return options.threads;
  // Functions cannot be handed to a thread.
  if (options.connect !== undefined) return 0;
  return Math.max(options.ownThread === true ? 1 : 0, wanted(config, probed));
}

function wanted(config: BenchConfig, probed: Probed): number {
  const { load, outputTokens: events } = config;
  const [lanes, requestsPerSecond] = load.kind === "concurrency"
    ? [load.concurrency, 1000 * load.concurrency / Math.max(0.1, latencyOf(config, probed))]
    : [load.maxInFlight, load.rate];
  return threadsFor({ requestsPerSecond, events, lanes, cores: navigator.hardwareConcurrency });
}

async function connect(
  generator: LoadGenerator,
  config: BenchConfig,
  lanes: number,
): Promise<void> {
  try {
    await generator.openLanes(lanes);
  } catch (error) {
    throw new TaskError({
      code: "BENCH_CONNECT",
      message: `None of ${lanes} connections to ${config.url} could be opened: ${messageOf(error)}`,
      hint: "The server may limit connections; try a lower --concurrency.",
      cause: error,
    });
  }
}

async function warmUp(
  generator: LoadGenerator,
  config: BenchConfig,
  { onProgress }: BenchOptions,
): Promise<void> {
  const concurrency = Math.min(generator.lanes, config.warmup);
  await generator.run({
    ...phaseOf(config),
    phase: "warmup",
    load: { kind: "concurrency", concurrency },
    extent: { requests: config.warmup },
    firstIndex: FIRST_WARMUP,
  }, { onProgress });
}

function phaseOf({ seed, graceMs, giveUpMs }: BenchConfig): Pick<
  Phase,
  "seed" | "graceMs" | "giveUpMs"
> {
  return { seed, graceMs, giveUpMs };
}

function report(
  ctx: Context,
  options: BenchOptions,
  phase: "calibrate" | "probe" | "connect",
): void {
  if (ctx.signal.aborted) throw interruptedError();
  options.onProgress?.({
    phase,
    elapsedMs: 0,
    done: 0,
    total: undefined,
    durationMs: undefined,
    failed: 0,
    failures: {},
    inFlight: 0,
    eventsPerSecond: 0,
    ttftMs: undefined,
    tpotMs: undefined,
    lagMs: 0,
  });
}
