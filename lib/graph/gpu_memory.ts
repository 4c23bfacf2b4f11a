/**
 * How much GPU memory a model takes, roughly, from what its name says. Pure.
 *
 * The arithmetic: weights (parameters × bytes) split over tensor and pipeline parallelism, plus
 * activations and CUDA graphs, plus the KV cache of one request of the longest context. An
 * estimate: it is for telling a model that cannot fit from one that can.
 *
 * @module
 */
import { engineTable } from "./engines.ts";
import { type Component, type Graph, isEngine } from "./types.ts";

/** Parameters of a model in billions. */
export interface ModelParameters {
  /** All of them: what is kept in memory. */
  readonly total: number;
  /** Those that one token uses; the same as `total` unless the model is a mixture of experts. */
  readonly active: number;
}

/** What one GPU needs for the model. Amounts in GiB. */
export interface GpuMemoryNeed {
  /** Weights on one GPU. */
  readonly weights: number;
  /** Activations, CUDA graphs, the CUDA context: 2, or 1 without CUDA graphs. */
  readonly overhead: number;
  /** KV cache of one request of {@link tokens} tokens, on one GPU. */
  readonly kvCache: number;
  /** Length of that request. */
  readonly tokens: number;
  /** All of it. */
  readonly total: number;
  /** Share of the GPU's memory that the engine may use, 0 to 1. */
  readonly fraction: number;
  /** The calculation up to `total`, for people. */
  readonly arithmetic: string;
}

/** Tokens of the request when the graph does not say how long the context is. */
const DEFAULT_TOKENS = 4096;

/** The engines' own share of GPU memory when the graph sets none. */
const DEFAULT_FRACTION = 0.9;

/**
 * Models whose name does not say how large they are, or says it wrongly: total and active
 * parameters in billions and bits of a weight as published, from their model cards.
 */
const KNOWN: readonly {
  readonly name: RegExp;
  readonly total: number;
  readonly active: number;
  readonly bits?: number;
}[] = [
  { name: /(^|\/)deepseek-(r1|v3)(?!.*distill)/i, total: 671, active: 37, bits: 8 },
  { name: /(^|\/)llama-4-scout/i, total: 109, active: 17 },
  { name: /(^|\/)llama-4-maverick/i, total: 400, active: 17 },
  { name: /(^|\/)kimi-k2/i, total: 1000, active: 32, bits: 8 },
  { name: /(^|\/)gpt-oss-20b/i, total: 21, active: 3.6, bits: 4.25 },
  { name: /(^|\/)gpt-oss-120b/i, total: 117, active: 5.1, bits: 4.25 },
];

/** Experts share attention and embeddings: 8x7B has 47B, 8x22B 141B. */
const MIXTURE_SHARE = 0.82;

/** Parameters by the model's name, or undefined when it does not tell. */
export function modelParameters(id: string): ModelParameters | undefined {
  const known = KNOWN.find(({ name }) => name.test(id));
  if (known !== undefined) return { total: known.total, active: known.active };
  const name = id.split("/").at(-1)!;
  const mixture = /(?:^|[-_.])(\d{1,3})x(\d+(?:\.\d+)?)b(?![a-z0-9])/i.exec(name);
  if (mixture !== null) {
    const [experts, size] = [Number(mixture[1]), Number(mixture[2])];
    // Two experts a token, as in all models that are named like this.
    return {
      total: experts * size * MIXTURE_SHARE,
      active: Math.min(experts, 2) * size * 0.9,
    };
  }
  const dense = /(?:^|[-_])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])/i.exec(name);
  if (dense === null) return undefined;
  const total = Number(dense[1]) / (dense[2]!.toLowerCase() === "m" ? 1000 : 1);
  const active = /(?:^|[-_])a(\d+(?:\.\d+)?)b(?![a-z0-9])/i.exec(name);
  return { total, active: active === null ? total : Number(active[1]) };
}

/** Bits of a weight and why, by the component's settings or else the model's name. */
export function weightBits(
  id: string,
  component: Pick<Component, "args">,
): { bits: number; why: string } {
  const { quantization, dtype } = component.args;
  const name = id.split("/").at(-1)!;
  return bitsOf(quantization) ??
    bitsOf(name) ??
    knownBits(id) ??
    (/^(float32|fp32|float)$/i.test(dtype ?? "")
      ? { bits: 32, why: dtype! }
      : { bits: 16, why: dtype === undefined || dtype === "auto" ? "16-bit" : dtype });
}

function knownBits(id: string): { bits: number; why: string } | undefined {
  const bits = KNOWN.find(({ name }) => name.test(id))?.bits;
  return bits === undefined ? undefined : { bits, why: `published in ${bits}-bit` };
}

// Formats of 4 bits keep a scale for each group of weights.
function bitsOf(text: string | undefined): { bits: number; why: string } | undefined {
  if (text === undefined) return undefined;
  const eight = /(?:^|[-_.])(gptq[-_]int8|fp8|int8|w8a8|w8a16|8bit)(?![a-z0-9])/i.exec(text);
  if (eight !== null) return { bits: 8, why: eight[1]!.toUpperCase() };
  const four =
    /(?:^|[-_.])(awq(?:_marlin)?|gptq(?:_marlin)?|int4|w4a16|nvfp4|fp4|mxfp4|bnb|4bit|bitsandbytes|modelopt_fp4)(?![a-z0-9])/i
      .exec(text);
  return four === null ? undefined : { bits: 4.5, why: four[1]!.toUpperCase() };
}

/**
 * What one GPU of the component needs, or undefined when it runs no model or the model's name
 * does not say how large it is.
 */
export function gpuMemoryNeed(graph: Graph, component: Component): GpuMemoryNeed | undefined {
  const model = graph.model;
  if (
    model === undefined || !isEngine(component) || !engineTable(graph).servesModel ||
    component.gpus === 0 || component.command !== undefined
  ) {
    return undefined;
  }
  const parameters = modelParameters(model.id);
  if (parameters === undefined) return undefined;
  const { tensorParallel = 1, pipelineParallel = 1, eager = false } = component.args;
  const parts = tensorParallel * pipelineParallel;
  const { bits, why } = weightBits(model.id, component);
  const all = parameters.total * 1e9 * bits / 8 / 2 ** 30;
  const tokens = model.maxLength ?? DEFAULT_TOKENS;
  const weights = all / parts;
  const overhead = eager ? 1 : 2;
  const kvCache = tokens * kvMiBPerToken(parameters) / 1024 / parts;
  const total = weights + overhead + kvCache;
  return {
    weights,
    overhead,
    kvCache,
    tokens,
    total,
    fraction: component.args.gpuMemoryFraction ?? DEFAULT_FRACTION,
    arithmetic:
      `${short(parameters.total)}B parameters × ${short(bits / 8)} byte${
        bits === 8 ? "" : "s"
      } (${why}) = ` +
      `${gib(all)}` + (parts === 1 ? "" : `, ÷ ${parts} GPUs = ${gib(weights)}`) +
      `; + ${gib(overhead)} for activations + ${gib(kvCache)} KV cache for ${tokens} tokens = ` +
      `${gib(total)} a GPU`,
  };
}

/** GiB that the engine may use of a GPU with so many MiB. */
export function usableGiB(need: GpuMemoryNeed, graph: Graph, gpuMemoryMiB: number): number {
  const whole = gpuMemoryMiB / 1024;
  // TensorRT-LLM's share is of what the weights leave, so the weights may take more.
  return graph.engine === "trtllm" ? whole * 0.95 : whole * need.fraction;
}

/**
 * KV cache of a token in MiB over all layers in 16 bits. Fits Llama 3 8B (0.125) and 70B (0.31)
 * and Qwen3 32B (0.25); smaller models and those with few KV heads need less.
 */
function kvMiBPerToken({ active }: ModelParameters): number {
  return 0.06 * active ** 0.4;
}

/** `12.3 GiB`. */
export function gib(amount: number): string {
  return `${amount.toFixed(1)} GiB`;
}

function short(number: number): string {
  return String(Math.round(number * 100) / 100);
}
