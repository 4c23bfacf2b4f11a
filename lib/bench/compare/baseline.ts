/**
 * A run against an earlier one: is it the same workload, and did anything get worse?
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { messageOf, usageError } from "../../cli/errors.ts";
import { benchConfig } from "../config.ts";
import { configJson } from "../config_json.ts";
import type { BenchOptions } from "../options.ts";
import type { BenchSummary } from "../summary.ts";
import { compareBlocks, type Comparison } from "./comparison.ts";
import { type FinishedRun, isResults, readFinishedRun, readSummary } from "./from_results.ts";
import { blockOfSummary } from "./metrics.ts";

/** An earlier run. */
export interface Baseline extends FinishedRun {
  /** File or folder. */
  readonly path: string;
  /** Whether there is nothing but a summary: then `blocks` is that one. */
  readonly summaryOnly: boolean;
}

/**
 * Reads a run's folder, or a file with a summary. With `requests.jsonl` beside it the baseline has
 * a spread of its own.
 *
 * @throws {TaskError} BENCH_FOLDER (exit code 2) when there is no such run.
 */
export async function readBaseline(ctx: Pick<Context, "fs">, path: string): Promise<Baseline> {
  if (await isResults(ctx, path)) {
    const folder = path.replace(/\/?summary\.json$/, "").replace(/\/+$/, "") || ".";
    if (await exists(ctx, `${folder}/requests.jsonl`)) {
      return { path, summaryOnly: false, ...await readFinishedRun(ctx, path) };
    }
  }
  const isFolder = await ctx.fs.stat(path).then((info) => info.isDirectory, () => false);
  const file = isFolder ? `${path.replace(/\/+$/, "")}/summary.json` : path;
  const summary = await readSummary(ctx, file);
  return { path, summaryOnly: true, summary, blocks: [blockOfSummary(summary)] };
}

async function exists(ctx: Pick<Context, "fs">, path: string): Promise<boolean> {
  return await ctx.fs.stat(path).then((info) => info.isFile, () => false);
}

// What makes requests and their arrival the same. How long was measured, from where, and with
// which seed may differ.
const SAME_LOAD = [
  "api",
  "stream",
  "load",
  "concurrency",
  "rate",
  "max_in_flight",
  "arrival",
  "burstiness",
  "stages",
  "workload.kind",
  "workload.file",
  "workload.requests",
  "workload.conversations",
  "workload.speed",
  "workload.input_lengths",
  "workload.output_lengths",
  "workload.prefix_tokens",
  "workload.prefix_pool",
  "workload.turns",
  "workload.tokenizer.sha256",
  "request.extra",
] as const;
// Known only when the server has answered.
const SAME_SERVER = [
  "model",
  "request.min_tokens",
  "request.ignore_eos",
] as const;

/** A configuration as `config.json` has it. */
export type Config = Readonly<Record<string, unknown>>;

/** In what two runs' configurations differ, each as `what: A's value, then B's`. */
export function configDifferences(
  a: Config,
  b: Config,
  names: readonly string[] = [...SAME_LOAD, ...SAME_SERVER],
): string[] {
  return names.flatMap((name) => {
    const [one, other] = [valueOf(a, name), valueOf(b, name)];
    return one === other ? [] : [`${name}: ${one}, then ${other}`];
  });
}

function valueOf(config: Config, name: string): string {
  const value = name.split(".").reduce<unknown>(
    (at, key) => (at as Config | null | undefined)?.[key],
    config,
  );
  // A file is the same wherever it lies.
  if (name.endsWith(".file") && typeof value === "string") return value.replace(/^.*\//, "");
  return value === undefined || value === null
    ? "none"
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);
}

/**
 * Refuses a baseline of another workload or load before anything is measured.
 *
 * @throws {TaskError} BENCH_BASELINE (exit code 2) saying in what they differ.
 */
export function checkBaseline(
  ctx: Pick<Context, "clock">,
  baseline: Baseline,
  options: BenchOptions,
): void {
  const config = benchConfig(ctx, options);
  const model = options.model ?? String(baseline.summary.config.model);
  const asked = configJson(config, {
    api: config.api,
    model,
    stream: config.stream,
    limitField: "max_tokens",
    minTokens: true,
    ignoreEos: true,
    usage: "end",
    extra: config.extra,
  }, 0);
  // As it is written: without what JSON has no value for.
  const written = JSON.parse(JSON.stringify(asked)) as Config;
  const found = configDifferences(baseline.summary.config, written, [...SAME_LOAD, "model"]);
  if (found.length > 0) throw otherWorkload(baseline, found);
}

function otherWorkload(baseline: Baseline, differences: readonly string[]): Error {
  return usageError(
    "BENCH_BASELINE",
    `--baseline ${baseline.path} measured something else: ${differences.join("; ")}`,
    "Measure with the baseline's flags, or compare all the same with --any-baseline.",
  );
}

/** What a comparison with a baseline needs. */
export interface BaselineOptions {
  /** Folder of the new run. */
  readonly folder: string;
  /** Name of what was measured. */
  readonly title: string;
  /** Largest regression allowed, as a share; undefined without a gate. */
  readonly maxRegression: number | undefined;
}

/** Compares a run that has just ended with an earlier one. */
export async function compareWithBaseline(
  ctx: Pick<Context, "fs">,
  baseline: Baseline,
  summary: BenchSummary,
  { folder, title, maxRegression }: BaselineOptions,
): Promise<Comparison> {
  const reasons = [
    ...baseline.summary.invalid_reasons.map((reason) => `baseline: ${reason}`),
    ...summary.invalid_reasons.map((reason) => `this run: ${reason}`),
  ];
  let blocksB: FinishedRun["blocks"] = [];
  try {
    blocksB = (await readFinishedRun(ctx, folder)).blocks;
  } catch (error) {
    // The run itself is there, and stays.
    reasons.push(`this run: ${messageOf(error)}`);
  }
  return compareBlocks({
    a: `baseline ${baseline.path}, ${baseline.summary.started_at}`,
    b: `this run, ${title}`,
    blocksA: baseline.blocks,
    blocksB,
    design: baseline.summaryOnly ? "summary" : "separate",
    maxRegression,
    invalidReasons: reasons,
    warnings: differenceWarnings(baseline.summary, summary),
  });
}

/** In what two runs differ besides what is compared, as warnings. */
export function differenceWarnings(a: BenchSummary, b: BenchSummary): string[] {
  const written = JSON.parse(JSON.stringify(b.config)) as Config;
  return configDifferences(a.config, written).map((what) =>
    `the runs differ in more than the server: ${what}`
  );
}
