/**
 * Flags that say what to measure, and the options they make.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, usageError } from "../cli/errors.ts";
import type { Options, OptionValues } from "../cli/options.ts";
import { parseDataset } from "./dataset.ts";
import { parseHeaders } from "./headers.ts";
import { type Lengths, parseLengths } from "./lengths.ts";
import { MOST_INPUT, MOST_OUTPUT } from "./config.ts";
import type { BenchOptions } from "./options.ts";
import { parseStages, type Stage } from "./stages.ts";
import { isStagesFile, parseStagesFile } from "./stages_file.ts";
import { readTokenizer } from "./tokenizer.ts";
import { parseTrace } from "./trace.ts";
import { readAuthorities } from "./transport_tls.ts";

// Sections of `--help`.
const ENDPOINT = "Endpoint";
const LOAD = "Load";
const PROMPTS = "Prompts and answers";

/** Flags of tasks that measure. */
export const BENCH_FLAGS = {
  model: {
    group: ENDPOINT,
    kind: "text",
    short: "m",
    placeholder: "name",
    description: "Model to ask; the served one when left out",
  },
  api: {
    group: ENDPOINT,
    kind: "text",
    choices: ["chat", "completions"],
    placeholder: "api",
    description: "Which API: chat (default) or completions",
  },
  noStream: {
    group: ENDPOINT,
    kind: "flag",
    description: "Ask for whole answers; then there is no TTFT",
  },
  header: {
    group: ENDPOINT,
    kind: "list",
    placeholder: "name: value",
    description: "Add a header, any number of times; $NAME takes its value from the environment",
  },
  caFile: {
    group: ENDPOINT,
    kind: "text",
    placeholder: "file",
    description: "Trust the certificates in this PEM file too",
  },
  insecure: { group: ENDPOINT, kind: "flag", description: "Take any certificate" },
  concurrency: {
    group: LOAD,
    kind: "integer",
    short: "c",
    min: 1,
    description: "Requests in flight (default 8)",
  },
  rate: {
    group: LOAD,
    kind: "number",
    min: 0.001,
    placeholder: "rate",
    description: "Requests a second instead of a fixed number in flight",
  },
  arrival: {
    group: LOAD,
    kind: "text",
    choices: ["constant", "poisson", "gamma"],
    placeholder: "how",
    description: "How requests of a rate are spaced: constant, poisson (default), gamma",
  },
  burstiness: {
    group: LOAD,
    kind: "number",
    min: 0.01,
    max: 1000,
    placeholder: "shape",
    description: "Shape of gamma arrivals: below 1 bursts, above 1 even",
  },
  stages: {
    group: LOAD,
    kind: "text",
    placeholder: "stages",
    description: "Rates that change: 30s@10,60s@10-50 (a ramp), or a YAML file",
  },
  requests: {
    group: LOAD,
    kind: "integer",
    short: "r",
    min: 1,
    description: "Requests to measure",
  },
  duration: {
    group: LOAD,
    kind: "number",
    short: "d",
    min: 0.1,
    placeholder: "seconds",
    description: "Measure for this long",
  },
  warmup: { group: LOAD, kind: "integer", min: 0, description: "Requests before the clock starts" },
  grace: {
    group: LOAD,
    kind: "number",
    min: 0,
    placeholder: "seconds",
    description: "Time to end after the last request was due (default 30)",
  },
  seed: {
    group: LOAD,
    kind: "integer",
    min: 0,
    placeholder: "number",
    description: "Same prompts and arrivals each time",
  },
  noCalibration: {
    group: LOAD,
    kind: "flag",
    description: "Do not measure first what the client itself adds",
  },
  inputTokens: {
    group: PROMPTS,
    kind: "text",
    placeholder: "tokens",
    description: "Tokens of a prompt (default 128): a number, uniform:64-256, normal:128,32, " +
      "or a mix, 70%:128,30%:2048",
  },
  outputTokens: {
    group: PROMPTS,
    kind: "text",
    placeholder: "tokens",
    description: "Tokens of an answer (default 64), in the same forms",
  },
  tokenizer: {
    group: PROMPTS,
    kind: "text",
    placeholder: "file",
    description: "Make prompts of exact length with the model's own tokenizer.json",
  },
  prefixTokens: {
    group: PROMPTS,
    kind: "integer",
    min: 0,
    placeholder: "tokens",
    description: "Tokens at the begin of prompts that they share (default 0)",
  },
  prefixPool: {
    group: PROMPTS,
    kind: "integer",
    min: 1,
    description: "Different shared beginnings (default 1)",
  },
  turns: {
    group: PROMPTS,
    kind: "integer",
    min: 1,
    description: "Turns of a session, each with those before it (default 1)",
  },
  dataset: {
    group: PROMPTS,
    kind: "text",
    placeholder: "file",
    description: "Ask the conversations of a JSONL file (ShareGPT, messages, prompts)",
  },
  trace: {
    group: PROMPTS,
    kind: "text",
    placeholder: "file",
    description: "Send a recorded load again (JSONL, Mooncake's form)",
  },
  traceSpeed: {
    group: PROMPTS,
    kind: "number",
    min: 0.001,
    max: 1000,
    placeholder: "factor",
    description: "Send the trace so many times faster (default 1)",
  },
} as const satisfies Options;

/**
 * What the flags ask for; endpoint and callbacks are the caller's.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the flag.
 */
export async function benchOptions(
  ctx: Pick<Context, "env" | "fs">,
  flags: OptionValues<typeof BENCH_FLAGS> & { readonly url?: string | undefined },
): Promise<Omit<BenchOptions, "url">> {
  const trust = {
    insecure: flags.insecure,
    authorities: flags.caFile === undefined ? undefined : await readAuthorities(ctx, flags.caFile),
  };
  return {
    model: flags.model,
    api: flags.api as BenchOptions["api"],
    stream: !flags.noStream,
    headers: parseHeaders(ctx.env, flags.header),
    // A graph of one's own knows no keys, and is not told one that is meant for others.
    apiKey: flags.url === undefined ? undefined : ctx.env.get("OPENAI_API_KEY"),
    trust,
    concurrency: flags.concurrency,
    rate: flags.rate,
    arrival: flags.arrival,
    burstiness: flags.burstiness,
    stages: await readStages(ctx, flags.stages),
    requests: flags.requests,
    durationMs: flags.duration === undefined ? undefined : flags.duration * 1000,
    graceMs: flags.grace === undefined ? undefined : flags.grace * 1000,
    inputTokens: readLengths("input-tokens", flags.inputTokens, MOST_INPUT),
    outputTokens: readLengths("output-tokens", flags.outputTokens, MOST_OUTPUT),
    tokenizer: flags.tokenizer === undefined
      ? undefined
      : await readTokenizer(ctx, flags.tokenizer),
    prefixTokens: flags.prefixTokens,
    prefixPool: flags.prefixPool,
    turns: flags.turns,
    dataset: await readWith(ctx, "dataset", flags.dataset, parseDataset),
    trace: await readWith(ctx, "trace", flags.trace, parseTrace),
    traceSpeed: flags.traceSpeed,
    warmup: flags.warmup,
    seed: flags.seed,
    calibration: !flags.noCalibration,
  };
}

function readLengths(flag: string, text: string | undefined, most: number): Lengths | undefined {
  return text === undefined ? undefined : parseLengths(flag, text, most);
}

async function readStages(
  ctx: Pick<Context, "fs">,
  value: string | undefined,
): Promise<Stage[] | undefined> {
  if (value === undefined) return undefined;
  if (!isStagesFile(value)) return parseStages(value);
  return await readWith(ctx, "stages", value, parseStagesFile);
}

async function readWith<T>(
  ctx: Pick<Context, "fs">,
  flag: string,
  path: string | undefined,
  parse: (text: string, path: string) => T,
): Promise<T | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await ctx.fs.readTextFile(path);
  } catch (error) {
    throw usageError("BENCH_OPTIONS", `Cannot read --${flag} ${path}: ${messageOf(error)}`);
  }
  return parse(text, path);
}
