/**
 * A run's configuration as it is written: the content of `config.json`.
 *
 * @module
 */
import { lengthsText } from "./lengths.ts";
import type { BenchConfig } from "./options.ts";
import type { RequestShape } from "./request.ts";
import { spacingOf } from "./schedule.ts";
import { stagesText } from "./stages.ts";

/** The configuration as it is written: plain data, without secrets. */
export function configJson(
  config: BenchConfig,
  shape: RequestShape,
  words: number,
): Record<string, unknown> {
  const { load } = config;
  return {
    url: config.url,
    model: shape.model,
    api: config.api,
    stream: config.stream,
    insecure: config.insecure,
    load: load.kind,
    concurrency: load.kind === "concurrency" ? load.concurrency : null,
    rate: load.kind === "concurrency" ? null : load.rate,
    max_in_flight: load.kind === "concurrency" ? load.concurrency : load.maxInFlight,
    ...(load.kind === "concurrency" ? {} : {
      arrival: load.kind === "trace" ? "trace" : spacingOf(load).arrival,
      burstiness: load.burstiness ?? null,
      stages: load.stages === undefined ? null : stagesText(load.stages),
    }),
    requests: config.requests ?? null,
    duration_s: config.durationMs === undefined ? null : config.durationMs / 1000,
    input_tokens: config.inputTokens,
    output_tokens: config.outputTokens,
    workload: workloadJson(config),
    warmup: config.warmup,
    seed: config.seed,
    timeouts_s: {
      request: config.requestTimeoutMs / 1000,
      idle: config.idleTimeoutMs / 1000,
      connect: config.connectTimeoutMs / 1000,
      grace: config.graceMs / 1000,
      give_up: config.giveUpMs / 1000,
    },
    request: {
      prompt_words: words,
      limit_field: shape.limitField,
      min_tokens: shape.minTokens,
      ignore_eos: shape.ignoreEos,
      usage: shape.usage,
      headers: config.headers,
      extra: config.extra,
    },
  };
}

function workloadJson(
  { synthetic, source, tokenizer: file }: BenchConfig,
): Record<string, unknown> {
  const tokenizer = file === undefined ? null : { file: file.path, sha256: file.sha256 };
  if (source.kind === "trace") {
    return {
      kind: "trace",
      file: source.path,
      requests: source.count,
      speed: source.speed,
      tokenizer,
    };
  }
  if (source.kind === "dataset") {
    return {
      kind: "dataset",
      file: source.path,
      conversations: source.count,
      output_lengths: lengthsText(synthetic.output),
      turns: synthetic.turns,
    };
  }
  return {
    kind: "synthetic",
    input_lengths: lengthsText(synthetic.input),
    output_lengths: lengthsText(synthetic.output),
    prefix_tokens: synthetic.prefixTokens,
    prefix_pool: synthetic.prefixPool,
    turns: synthetic.turns,
    tokenizer,
  };
}
