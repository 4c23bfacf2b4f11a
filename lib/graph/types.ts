/**
 * The inference graph as one typed model: what runs, with which engine and model, how many,
 * on which nodes. It knows nothing of API versions; `render.ts` turns it into objects.
 *
 * @module
 */

/**
 * Engines that a graph's workers can run. `mocker` answers like an engine without computing
 * anything; `hello-world` is Dynamo's own example without a model.
 */
export type EngineName = "vllm" | "sglang" | "trtllm" | "mocker" | "hello-world";

/**
 * What a component does. `client` is a component without HTTP endpoint and without a worker's
 * duties, such as hello-world's caller.
 */
export type Role = "frontend" | "worker" | "prefill" | "decode" | "planner" | "client";

/** How the frontend chooses a worker (`DYN_ROUTER_MODE`). */
export type RouterMode =
  | "round-robin"
  | "random"
  | "kv"
  | "direct"
  | "power-of-two"
  | "least-loaded"
  | "device-aware-weighted";

/** The model that is served. */
export interface ModelSettings {
  /** Hugging Face name, or a folder inside the container. */
  readonly id: string;
  /** Name in `/v1/models`; the id unless given. */
  readonly servedName?: string;
  /** Longest context in tokens, prompt and answer together; the model's own unless given. */
  readonly maxLength?: number;
}

/** Settings of an engine, by one name for all engines; `engine_tables.ts` knows the flags. */
export interface EngineSettings {
  /** GPUs that one copy of the model is split over; 1 unless given. */
  readonly tensorParallel?: number;
  /** Stages that the model's layers are split into; 1 unless given. */
  readonly pipelineParallel?: number;
  /** Share of GPU memory for weights and KV cache, 0 to 1. */
  readonly gpuMemoryFraction?: number;
  /** Tokens in one block of the KV cache. */
  readonly kvBlockSize?: number;
  /** Requests computed at the same time, at most. */
  readonly maxSequences?: number;
  /** Tokens computed in one step, at most. */
  readonly maxBatchedTokens?: number;
  /** Quantization, in the engine's words. */
  readonly quantization?: string;
  /** Number format of weights and activations, in the engine's words. */
  readonly dtype?: string;
  /** Run code that comes with the model. */
  readonly trustRemoteCode?: boolean;
  /** Skip CUDA graphs: starts sooner, answers slower. */
  readonly eager?: boolean;
  /**
   * TensorRT-LLM: file inside the container with further engine settings; `none` for no file,
   * so that the settings here go into flags.
   */
  readonly engineConfig?: string;
  /** GiB of the node's memory for KV cache that has no room on the GPU. */
  readonly kvOffloadGiB?: number;
}

/** A LoRA adapter that workers load. */
export interface LoraAdapter {
  /** Its name in `/v1/models`. */
  readonly name: string;
  /** `hf://organisation/name`, `s3://bucket/path` or `file:///path`. */
  readonly source: string;
}

/** LoRA: fine-tuned variants of the model in the same workers. */
export interface LoraSettings {
  /** Largest rank of an adapter; the engine's own unless given. */
  readonly maxRank?: number;
  /** Adapters in one batch, at most; the engine's own unless given. */
  readonly maxAdapters?: number;
  /** Adapters that are loaded from the start. */
  readonly adapters: readonly LoraAdapter[];
}

/** What a planner is asked for, instead of components: it finds out what to run. */
export interface PlanningRequest {
  /** Service levels; each is an upper bound of the mean, in milliseconds. */
  readonly sla: { readonly ttft?: number; readonly itl?: number; readonly e2eLatency?: number };
  /** A typical request: prompt and answer in tokens, and how many arrive. */
  readonly workload?: {
    readonly isl?: number;
    readonly osl?: number;
    /** Requests at the same time. */
    readonly concurrency?: number;
    /** Requests a second. */
    readonly requestRate?: number;
  };
  /** What there is to run it on; the operator looks itself unless given. */
  readonly hardware?: {
    /** GPU by NVIDIA's short name: `l4`, `l40s`, `h100_sxm`. */
    readonly gpuSku?: string;
    /** Memory of a GPU in MiB. */
    readonly vramMb?: number;
    /** GPUs that may be used. */
    readonly totalGpus?: number;
    /** GPUs of a node. */
    readonly gpusPerNode?: number;
  };
  /** `rapid` estimates, `thorough` measures on GPUs; `rapid` unless given. */
  readonly search?: "rapid" | "thorough";
  /** Whether the graph that was found is deployed at once; true unless given. */
  readonly autoApply?: boolean;
}

/** A text, or a reference to a key of a Secret. */
export type EnvValue = string | { readonly secret: string; readonly key: string };

/** Environment variables by name. */
export type EnvVars = Readonly<Record<string, EnvValue>>;

/** Kubernetes quantities by resource name; GPUs are not among them, see {@link Component.gpus}. */
export type Quantities = Readonly<Record<string, string>>;

/** A taint that a component's pods tolerate. */
export interface Toleration {
  /** The taint's key. */
  readonly key: string;
  /** `Equal` unless given. */
  readonly operator?: "Exists" | "Equal";
  /** The taint's value, for `Equal`. */
  readonly value?: string;
  /** All effects unless given. */
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** One kind of process of the graph. */
export interface Component {
  /** Name, unique in the graph without regard to case. */
  readonly name: string;
  /** What it does. */
  readonly role: Role;
  /** Pods (of `nodes` members each); 0 is allowed. */
  readonly replicas: number;
  /** GPUs of one pod. */
  readonly gpus: number;
  /** Elastic Fabric Adapter interfaces of one pod: all of its node, or 0 for none. */
  readonly efa: number;
  /** Nodes that one copy of the model spans; more than 1 needs Grove or LeaderWorkerSet. */
  readonly nodes: number;
  /** Karpenter node pool. */
  readonly nodePool?: string;
  /** EC2 instance type. */
  readonly instanceType?: string;
  /** Taints tolerated besides `nvidia.com/gpu`, which GPU components always tolerate. */
  readonly tolerations: readonly Toleration[];
  /** What a pod asks for. */
  readonly requests: Quantities;
  /** What a pod may not exceed. */
  readonly limits: Quantities;
  /** Size of `/dev/shm`; the operator's 8Gi unless given. */
  readonly sharedMemory?: string;
  /** Variables of this component; they win over the graph's. */
  readonly env: EnvVars;
  /** Engine settings. */
  readonly args: EngineSettings;
  /** Arguments put behind all others, as they are. */
  readonly extraArgs: readonly string[];
  /** Image instead of the release's. */
  readonly image?: string;
  /** Command instead of the engine's; then `extraArgs` are its only arguments. */
  readonly command?: readonly string[];
  /** Working folder instead of the engine's. */
  readonly workingDir?: string;
}

/** A volume that keeps models between pods. */
export interface CacheVolume {
  /** Name of the PersistentVolumeClaim. */
  readonly claim: string;
  /** Where pods see it. */
  readonly mountPath: string;
  /** Size of the claim; without a size the claim has to be there already. */
  readonly size?: string;
  /** Storage class; the cluster's default unless given. */
  readonly storageClass?: string;
  /** `ReadWriteMany` unless given. */
  readonly accessMode: "ReadWriteOnce" | "ReadWriteMany" | "ReadOnlyMany";
}

/** An inference graph. */
export interface Graph {
  /** Name of the example, and of what is deployed unless another is given. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** `stable`, or `beta` for what upstream calls experimental. */
  readonly stage: "stable" | "beta";
  /** Engine of the workers. */
  readonly engine: EngineName;
  /** The model; absent where nothing is served. */
  readonly model?: ModelSettings;
  /** How requests find a worker; the frontend's own default unless given. */
  readonly routing?: RouterMode;
  /** Name of the Secret with `HF_TOKEN`, for components that download models. */
  readonly tokenSecret?: string;
  /** Model caches; the first is the Hugging Face cache (`HF_HOME`). */
  readonly cache: readonly CacheVolume[];
  /** Variables of all components. */
  readonly env: EnvVars;
  /** Fine-tuned variants of the model. */
  readonly lora?: LoraSettings;
  /** What a planner is asked for; then there are no components. */
  readonly request?: PlanningRequest;
  /** The components, in the order of the file. */
  readonly components: readonly Component[];
  /** File it came from, for messages. */
  readonly source: string;
}

/** Roles that load the model. */
export const ENGINE_ROLES: readonly Role[] = ["worker", "prefill", "decode"];

/** Whether the component loads the model. */
export function isEngine(component: Pick<Component, "role">): boolean {
  return ENGINE_ROLES.includes(component.role);
}

/** GPUs of the whole graph: pods × nodes × GPUs of a pod, or what a planner may use. */
export function totalGpus(graph: Graph): number {
  if (graph.request !== undefined) return graph.request.hardware?.totalGpus ?? 0;
  return graph.components.reduce((sum, c) => sum + c.replicas * c.nodes * c.gpus, 0);
}

/** Name under which the model answers, or undefined where nothing is served. */
export function servedModel(graph: Graph): string | undefined {
  return graph.model?.servedName ?? graph.model?.id;
}
