/**
 * Settings of the mocker, the engine that computes nothing: sizes of an A10G with a model of
 * 0.6 billion parameters, and its pace. Pure.
 *
 * @module
 */
import { versionAtLeast } from "./container_image.ts";
import type { EngineFlags } from "./engine_flags.ts";

/** Annotation of a pod (and, in capitals, variable of a container) that sets the pace; 1 is usual. */
export const SPEEDUP_ANNOTATION = "dynamo-eks/speedup-ratio";

/** Variable of a container that sets the pace, before the annotation. */
export const SPEEDUP_VARIABLE = "DYNAMO_EKS_SPEEDUP_RATIO";

/** Tokens that fit into the KV cache: 16 GB at 112 KiB a token, rounded down to a power of two. */
export const CACHE_TOKENS = 131_072;

/**
 * The mocker's own ratio at which a token takes about 6 ms, as on an A10G: at ratio 1 an idle
 * mocker of 0.4.1 was measured at 20 ms, one of 1.6.1 at 6 ms a token.
 */
function usualRatio(dynamoVersion: string): number {
  return versionAtLeast(dynamoVersion, 1, 0) ? 1 : 3.3;
}

/** The pace asked for, as a multiple of the usual one, or a warning when it is no positive number. */
export function requestedSpeedup(
  env: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): { readonly ratio: number; readonly warning?: string } {
  const text = env[SPEEDUP_VARIABLE] ?? annotations[SPEEDUP_ANNOTATION];
  if (text === undefined) return { ratio: 1 };
  const ratio = Number(text);
  if (text.trim() !== "" && Number.isFinite(ratio) && ratio > 0) return { ratio };
  return {
    ratio: 1,
    warning: `${SPEEDUP_ANNOTATION} is "${text}", not a number above 0: 1 is used`,
  };
}

/** The mocker's ratio for a multiple of the usual pace. */
export function mockerRatio(dynamoVersion: string, speedup: number): number {
  return Number((usualRatio(dynamoVersion) * speedup).toPrecision(6));
}

/** Arguments for a mocker that takes flags (1.0 and later). */
export function mockerArguments(flags: EngineFlags, ratio: number): string[] {
  return [
    "--engine-type",
    flags.engine,
    ...(flags.role === "agg" ? [] : ["--disaggregation-mode", flags.role]),
    "--speedup-ratio",
    String(ratio),
    "--num-gpu-blocks-override",
    String(cacheBlocks(flags.blockSize)),
    "--block-size",
    String(flags.blockSize),
    "--max-model-len",
    String(flags.maxLength),
    "--max-num-seqs",
    String(flags.maxSequences),
    "--max-num-batched-tokens",
    String(flags.maxBatchedTokens),
    ...(flags.prefixCaching ? [] : ["--no-enable-prefix-caching"]),
  ];
}

/** Content of the file for a mocker that takes its settings from one (up to 0.9). */
export function mockerFile(
  flags: Pick<EngineFlags, "blockSize" | "maxSequences" | "maxBatchedTokens" | "prefixCaching">,
  ratio: number,
): string {
  return JSON.stringify({
    block_size: flags.blockSize,
    enable_chunked_prefill: true,
    enable_prefix_caching: flags.prefixCaching,
    max_num_batched_tokens: flags.maxBatchedTokens,
    max_num_seqs: flags.maxSequences,
    num_gpu_blocks: cacheBlocks(flags.blockSize),
    speedup_ratio: ratio,
  });
}

/** Blocks that hold {@link CACHE_TOKENS}. */
export function cacheBlocks(blockSize: number): number {
  return Math.max(1, Math.floor(CACHE_TOKENS / blockSize));
}
