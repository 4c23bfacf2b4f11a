/**
 * What a worker's command line says about its engine, whichever of vLLM, SGLang and
 * TensorRT-LLM it is and whichever release's spelling is used. Pure.
 *
 * @module
 */
import { flagNumber, flagValue, hasFlag } from "./flags.ts";
import { MAX_SEQUENCE } from "./model_folder.ts";

/** Engines with a stand-in. */
export type Engine = "vllm" | "sglang" | "trtllm";

/** What a worker does in its graph. */
export type WorkerRole = "agg" | "prefill" | "decode";

/** A worker as the mocker understands it. */
export interface EngineFlags {
  /** Whose flags were read. */
  readonly engine: Engine;
  /** Name under which the model is offered. */
  readonly modelName: string;
  /** Its part of the work. */
  readonly role: WorkerRole;
  /** For TensorRT-LLM up to 0.9: which of the pair the frontend talks to. */
  readonly firstRole: "prefill" | "decode";
  /** `--endpoint` without `dyn://`. */
  readonly endpoint?: string;
  /** `--namespace`. */
  readonly namespace?: string;
  /** Tokens in a block of the KV cache. */
  readonly blockSize: number;
  /** Longest sequence, tokens. */
  readonly maxLength: number;
  /** Sequences in one step. */
  readonly maxSequences: number;
  /** Tokens in one step. */
  readonly maxBatchedTokens: number;
  /** Whether blocks of earlier prompts are kept. */
  readonly prefixCaching: boolean;
}

/** Either the flags, or why this worker has no stand-in. */
export type EngineReading = { readonly flags: EngineFlags } | { readonly unsupported: string };

const DEFAULT_MODEL: Readonly<Record<Engine, string>> = {
  vllm: "Qwen/Qwen3-0.6B",
  sglang: "Qwen/Qwen3-0.6B",
  trtllm: "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
};

// vLLM's and TensorRT-LLM's own defaults; SGLang's is 1, where routing by cache shows nothing.
const DEFAULT_BLOCK_SIZE: Readonly<Record<Engine, number>> = { vllm: 16, sglang: 16, trtllm: 32 };

/** The engine of a module such as `dynamo.vllm` or `dynamo.sglang.worker`. */
export function engineOf(module: string): Engine | undefined {
  const name = /^dynamo\.(vllm|sglang|trtllm)(\.|$)/.exec(module)?.[1];
  return name as Engine | undefined;
}

/** Reads a worker's arguments and environment. */
export function readEngineFlags(
  engine: Engine,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): EngineReading {
  const mode = workerMode(engine, args, env);
  const unsupported = unsupportedRole(mode, args);
  if (unsupported !== undefined) return { unsupported };
  const model = flagValue(args, "--model", "--model-path") ?? env["DYN_TRTLLM_MODEL"];
  const served = flagValue(args, "--served-model-name") ?? env["DYN_TRTLLM_SERVED_MODEL_NAME"];
  const endpoint = (flagValue(args, "--endpoint") ?? env["DYN_ENDPOINT"])?.replace(/^dyn:\/\//, "");
  const namespace = flagValue(args, "--namespace");
  const length = flagNumber(args, "--max-model-len", "--context-length", "--max-seq-len");
  return {
    flags: {
      engine,
      modelName: served?.split(",")[0] ?? model ?? DEFAULT_MODEL[engine],
      role: mode === "prefill" || mode === "decode" ? mode : "agg",
      firstRole: flagValue(args, "--disaggregation-strategy") === "prefill_first"
        ? "prefill"
        : "decode",
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(namespace === undefined ? {} : { namespace }),
      blockSize: flagNumber(args, "--block-size", "--page-size", "--kv-block-size") ??
        DEFAULT_BLOCK_SIZE[engine],
      maxLength: Math.min(length ?? MAX_SEQUENCE, MAX_SEQUENCE),
      maxSequences:
        flagNumber(args, "--max-num-seqs", "--max-running-requests", "--max-batch-size") ?? 256,
      maxBatchedTokens: flagNumber(
        args,
        "--max-num-batched-tokens",
        "--max-num-tokens",
        "--chunked-prefill-size",
      ) ??
        8192,
      prefixCaching: !hasFlag(args, "--no-enable-prefix-caching", "--disable-radix-cache"),
    },
  };
}

function workerMode(
  engine: Engine,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): string {
  if (hasFlag(args, "--is-prefill-worker")) return "prefill";
  if (hasFlag(args, "--is-decode-worker")) return "decode";
  return flagValue(args, "--disaggregation-mode") ??
    env[`DYN_${engine.toUpperCase()}_DISAGGREGATION_MODE`] ?? "agg";
}

function unsupportedRole(mode: string, args: readonly string[]): string | undefined {
  const known = ["agg", "aggregated", "null", "pd", "prefill_and_decode", "prefill", "decode"];
  if (!known.includes(mode)) return `workers of the kind ${mode} have no stand-in`;
  const special = args.find((arg) =>
    /^--(multimodal-[a-z-]*worker|encoder-only|embedding-worker|rerank-worker|classify-worker)$/
      .test(arg)
  );
  if (special !== undefined) return `workers with ${special} have no stand-in`;
  const rank = Number(flagValue(args, "--node-rank") ?? "0");
  if (rank > 0 || hasFlag(args, "--headless")) {
    return "further nodes of an engine need no process: the first one answers for all";
  }
  return undefined;
}
