/**
 * What Dynamo's images want to be started with, by engine and release: data, no logic.
 * Sources: Dynamo's example manifests of each release, the argument parsers in its wheels
 * 0.4.1 and 1.6.1, and ai-dynamo/dynamo#2624 and #2980 (TensorRT-LLM's file against flags).
 *
 * @module
 */
import type { EngineName, EngineSettings, Role, RouterMode } from "./types.ts";

/** `[major, minor]` or `[major, minor, patch]`. */
export type Version = readonly [major: number, minor: number, patch?: number];

/** A part of the line of releases. */
export interface Span {
  /** First release, included; the oldest known unless given. */
  readonly from?: Version;
  /** First release to which it applies no more. */
  readonly before?: Version;
}

/** A value with the releases it is for. */
export interface Dated<T> extends Span {
  /** The value. */
  readonly value: T;
}

/** What an argument's value can come from. */
export type Setting =
  | keyof EngineSettings
  | "model"
  | "servedName"
  | "maxLength"
  | "role"
  | "engineConfigFile"
  | "lora"
  | "loraRank"
  | "loraCount";

/** One argument of a worker, in the order of the command line. */
export interface ArgumentRow extends Span {
  /** The flag, with its dashes. */
  readonly flag: string;
  /** The value, or for true the flag alone; left out when nothing sets it. */
  readonly setting?: Setting;
  /** Used when the setting has no value. */
  readonly otherwise?: Setting;
  /** Fixed value. */
  readonly value?: string;
  /** Left out for this value, which is the engine's own default. */
  readonly unless?: number;
  /** Only for these roles. */
  readonly roles?: readonly Role[];
  /** Only with this routing. */
  readonly routing?: RouterMode;
  /** Only where this setting has a value. */
  readonly when?: Setting;
  /** Only without a settings file (`engineConfig: none`), which would win over the flag. */
  readonly withoutFile?: boolean;
}

/** A variable of a worker's container. */
export interface VariableRow extends Span {
  /** Its name. */
  readonly name: string;
  /** Where its value comes from. */
  readonly setting?: Setting;
  /** Fixed value. */
  readonly value?: string;
  /** Only where this setting has a value. */
  readonly when?: Setting;
}

/** Settings that only a JSON argument can carry, because a file wins over the flags. */
export interface OverrideRow extends Span {
  /** The flag that takes the JSON. */
  readonly flag: string;
  /** Where each setting goes in the JSON; `unless` is the engine's own default. */
  readonly keys: readonly {
    readonly setting: keyof EngineSettings;
    readonly path: readonly string[];
    readonly unless?: number;
  }[];
}

/** One engine. */
export interface EngineTable extends Span {
  /** Image repository below `nvcr.io/nvidia/ai-dynamo`. */
  readonly image: string;
  /** What the operator is told in `backendFramework`. */
  readonly framework?: "vllm" | "sglang" | "trtllm";
  /** Whether it serves a model. */
  readonly servesModel: boolean;
  /** Whether it computes on the CPU alone. */
  readonly cpuOnly?: boolean;
  /** Command by role; roles that are missing cannot be used with this engine. */
  readonly command: Partial<Record<Role, readonly string[]>>;
  /** Folder inside the image in which the engine is started. */
  readonly workingDir: readonly Dated<string>[];
  /** Arguments, in the order of the command line. */
  readonly arguments: readonly ArgumentRow[];
  /** Variables of the containers. */
  readonly variables?: readonly VariableRow[];
  /** Settings that go into a JSON argument. */
  readonly overrides?: OverrideRow;
  /** Folder of the engine's settings files, which are named after the role. */
  readonly configFolder?: readonly Dated<string>[];
}

const VLLM = ["python3", "-m", "dynamo.vllm"];
const SGLANG = ["python3", "-m", "dynamo.sglang"];
const TRTLLM = ["python3", "-m", "dynamo.trtllm"];
const MOCKER = ["python3", "-m", "dynamo.mocker"];
const PAIR: readonly Role[] = ["prefill", "decode"];

/** The engines. */
export const ENGINE_TABLES: Readonly<Record<EngineName, EngineTable>> = {
  vllm: {
    image: "vllm-runtime",
    framework: "vllm",
    servesModel: true,
    command: { worker: VLLM, prefill: VLLM, decode: VLLM },
    workingDir: [
      { before: [0, 7], value: "/workspace/components/backends/vllm" },
      { from: [0, 7], value: "/workspace/examples/backends/vllm" },
    ],
    arguments: [
      { flag: "--model", setting: "model" },
      { flag: "--served-model-name", setting: "servedName" },
      { flag: "--max-model-len", setting: "maxLength" },
      { flag: "--tensor-parallel-size", setting: "tensorParallel", unless: 1 },
      { flag: "--pipeline-parallel-size", setting: "pipelineParallel", unless: 1 },
      { flag: "--gpu-memory-utilization", setting: "gpuMemoryFraction" },
      { flag: "--block-size", setting: "kvBlockSize" },
      { flag: "--max-num-seqs", setting: "maxSequences" },
      { flag: "--max-num-batched-tokens", setting: "maxBatchedTokens" },
      { flag: "--quantization", setting: "quantization" },
      { flag: "--dtype", setting: "dtype" },
      { flag: "--trust-remote-code", setting: "trustRemoteCode" },
      { flag: "--enforce-eager", setting: "eager" },
      { flag: "--enable-lora", setting: "lora", from: [0, 8] },
      { flag: "--max-lora-rank", setting: "loraRank", from: [0, 8] },
      { flag: "--max-loras", setting: "loraCount", from: [0, 8] },
      { flag: "--is-prefill-worker", roles: ["prefill"], before: [1, 0] },
      { flag: "--disaggregation-mode", setting: "role", roles: PAIR, from: [1, 0] },
      {
        flag: "--kv-transfer-config",
        value: '{"kv_connector":"NixlConnector","kv_role":"kv_both"}',
        roles: ["prefill"],
        from: [1, 0],
        before: [1, 6],
      },
      {
        flag: "--kv-transfer-config",
        value: '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}',
        roles: ["prefill"],
        from: [1, 6],
      },
      {
        flag: "--kv-events-config",
        value:
          '{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:20080","enable_kv_cache_events":true}',
        roles: ["worker", "prefill"],
        routing: "kv",
        from: [1, 0],
      },
      {
        flag: "--kv-transfer-config",
        value:
          '{"kv_connector":"DynamoConnector","kv_connector_module_path":"kvbm.vllm_integration.connector","kv_role":"kv_both"}',
        roles: ["worker"],
        when: "kvOffloadGiB",
        from: [1, 0],
      },
    ],
    variables: [
      { name: "DYN_KVBM_CPU_CACHE_GB", setting: "kvOffloadGiB", from: [1, 0] },
      // Adapters are loaded through the worker's system port, where the operator calls it.
      { name: "DYN_LORA_ENABLED", value: "true", when: "lora", from: [0, 8] },
      { name: "DYN_LORA_PATH", value: "/tmp/dynamo_loras", when: "lora", from: [0, 8] },
      { name: "DYN_SYSTEM_ENABLED", value: "true", when: "lora", from: [0, 8] },
      { name: "DYN_SYSTEM_PORT", value: "9090", when: "lora", from: [0, 8] },
    ],
  },
  sglang: {
    image: "sglang-runtime",
    framework: "sglang",
    servesModel: true,
    command: { worker: SGLANG, prefill: SGLANG, decode: SGLANG },
    workingDir: [
      { before: [0, 7], value: "/workspace/components/backends/sglang" },
      { from: [0, 7], value: "/workspace/examples/backends/sglang" },
    ],
    arguments: [
      { flag: "--model-path", setting: "model" },
      { flag: "--served-model-name", setting: "servedName", otherwise: "model" },
      { flag: "--context-length", setting: "maxLength" },
      { flag: "--page-size", setting: "kvBlockSize" },
      { flag: "--tp", setting: "tensorParallel" },
      { flag: "--pp", setting: "pipelineParallel", unless: 1 },
      { flag: "--mem-fraction-static", setting: "gpuMemoryFraction" },
      { flag: "--max-running-requests", setting: "maxSequences" },
      { flag: "--max-prefill-tokens", setting: "maxBatchedTokens" },
      { flag: "--quantization", setting: "quantization" },
      { flag: "--dtype", setting: "dtype" },
      { flag: "--trust-remote-code", setting: "trustRemoteCode" },
      { flag: "--disable-cuda-graph", setting: "eager" },
      { flag: "--skip-tokenizer-init", before: [1, 6] },
      { flag: "--disaggregation-mode", setting: "role", roles: PAIR },
      { flag: "--disaggregation-transfer-backend", value: "nixl", roles: PAIR },
      { flag: "--disaggregation-bootstrap-port", value: "12345", roles: PAIR, from: [0, 6] },
      { flag: "--host", value: "0.0.0.0", roles: PAIR, from: [0, 6] },
      {
        flag: "--kv-events-config",
        value: '{"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:5557"}',
        roles: ["worker", "prefill"],
        routing: "kv",
        from: [0, 7],
      },
    ],
  },
  trtllm: {
    image: "tensorrtllm-runtime",
    framework: "trtllm",
    servesModel: true,
    command: { worker: TRTLLM, prefill: TRTLLM, decode: TRTLLM },
    workingDir: [
      { before: [0, 6], value: "/workspace/components/backends/trtllm" },
      { from: [0, 6], value: "/workspace" },
    ],
    configFolder: [
      { before: [0, 6], value: "engine_configs" },
      { from: [0, 6], before: [0, 7], value: "./recipes/qwen3/trtllm" },
      { from: [0, 7], value: "./examples/backends/trtllm/engine_configs/qwen3" },
    ],
    arguments: [
      { flag: "--model-path", setting: "model" },
      { flag: "--served-model-name", setting: "servedName", otherwise: "model" },
      { flag: "--max-seq-len", setting: "maxLength" },
      { flag: "--kv-block-size", setting: "kvBlockSize" },
      { flag: "--tensor-parallel-size", setting: "tensorParallel", unless: 1, withoutFile: true },
      {
        flag: "--pipeline-parallel-size",
        setting: "pipelineParallel",
        unless: 1,
        withoutFile: true,
      },
      // The first releases' files say nothing of it, later ones do.
      { flag: "--max-batch-size", setting: "maxSequences", before: [0, 5, 1] },
      { flag: "--max-batch-size", setting: "maxSequences", withoutFile: true, from: [0, 5, 1] },
      { flag: "--max-num-tokens", setting: "maxBatchedTokens", withoutFile: true },
      { flag: "--free-gpu-memory-fraction", setting: "gpuMemoryFraction", withoutFile: true },
      { flag: "--extra-engine-args", setting: "engineConfig", otherwise: "engineConfigFile" },
      { flag: "--disaggregation-mode", setting: "role", roles: PAIR },
      { flag: "--disaggregation-strategy", value: "decode_first", roles: PAIR, before: [1, 0] },
      { flag: "--publish-events-and-metrics", routing: "kv", before: [1, 6] },
      { flag: "--publish-kv-events", roles: ["worker", "prefill"], from: [1, 6] },
    ],
    // The settings file wins over the flags of the same name.
    overrides: {
      flag: "--override-engine-args",
      from: [0, 5, 1],
      keys: [
        { setting: "tensorParallel", path: ["tensor_parallel_size"], unless: 1 },
        { setting: "pipelineParallel", path: ["pipeline_parallel_size"], unless: 1 },
        { setting: "gpuMemoryFraction", path: ["kv_cache_config", "free_gpu_memory_fraction"] },
        { setting: "maxSequences", path: ["max_batch_size"] },
        { setting: "maxBatchedTokens", path: ["max_num_tokens"] },
      ],
    },
  },
  // Not an engine, but its scheduler and cache without the arithmetic: the API on a CPU.
  mocker: {
    image: "dynamo-planner",
    from: [1, 4],
    servesModel: true,
    cpuOnly: true,
    command: { worker: MOCKER },
    workingDir: [{ value: "/workspace" }],
    arguments: [
      { flag: "--model-path", setting: "model" },
      { flag: "--model-name", setting: "servedName", otherwise: "model" },
      { flag: "--max-model-len", setting: "maxLength", from: [1, 6] },
      { flag: "--block-size", setting: "kvBlockSize" },
      { flag: "--max-num-seqs", setting: "maxSequences" },
      { flag: "--max-num-batched-tokens", setting: "maxBatchedTokens" },
      { flag: "--speedup-ratio", value: "1.0" },
    ],
  },
  "hello-world": {
    image: "vllm-runtime",
    framework: "vllm",
    servesModel: false,
    command: { client: ["python3", "client.py"], worker: ["python3", "hello_world.py"] },
    workingDir: [
      { before: [0, 5, 1], value: "/workspace/examples/runtime/hello_world" },
      { from: [0, 5, 1], value: "/workspace/examples/custom_backend/hello_world" },
    ],
    arguments: [],
  },
};

/** Image of a frontend below `nvcr.io/nvidia/ai-dynamo`; before that the engine's own. */
export const FRONTEND_IMAGE: readonly Dated<string>[] = [
  { from: [0, 8], value: "dynamo-frontend" },
];

/** Command of a frontend; before that the operator's default. */
export const FRONTEND_COMMAND: readonly Dated<readonly string[]>[] = [
  { from: [1, 6], value: ["python3", "-m", "dynamo.frontend"] },
];

/** LoRA adapters by where they come from, with the first release that is known to load them. */
export const ADAPTER_SOURCES: Readonly<Record<string, Version>> = {
  "s3": [0, 8],
  "file": [0, 8],
  // Earlier documentation names it, but Dynamo's own manifests have it from here on.
  "hf": [1, 3],
};

/** First release with images for Elastic Fabric Adapter. */
export const EFA_SINCE: Version = [1, 0];

/** End of the tags of images with EFA; renamed in 1.3 (its release notes). */
export const EFA_SUFFIX: readonly Dated<string>[] = [
  { before: [1, 3], value: "-efa-amd64" },
  { from: [1, 3], value: "-efa" },
];

/** GPUs that a deployment request can name, with the first release; 1.0 takes any text. */
export const REQUEST_GPUS: Readonly<Record<string, Version>> = {
  gb200_sxm: [1, 0],
  gb10: [1, 3],
  b200_sxm: [1, 0],
  h200_sxm: [1, 0],
  h100_sxm: [1, 0],
  h100_pcie: [1, 0],
  a100_sxm: [1, 0],
  a100_pcie: [1, 0],
  a30: [1, 2],
  l40s: [1, 0],
  l40: [1, 0],
  l4: [1, 0],
  v100_sxm: [1, 0],
  v100_pcie: [1, 0],
  t4: [1, 0],
  mi200: [1, 0],
  mi300: [1, 0],
};

/** First release whose deployment requests this project writes (nvidia.com/v1beta1). */
export const REQUESTS_SINCE: Version = [1, 0];

/** Routing modes by the first release that is known to have them. */
export const ROUTER_MODES: Readonly<Record<RouterMode, Version>> = {
  "round-robin": [0, 4, 1],
  "random": [0, 4, 1],
  "kv": [0, 4, 1],
  "direct": [1, 6],
  "power-of-two": [1, 6],
  "least-loaded": [1, 6],
  "device-aware-weighted": [1, 6],
};
