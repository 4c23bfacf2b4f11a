/**
 * How long a graph may take to come up unless `--timeout` says so: by what has to happen. Pure.
 * `operating.md` has the table for people.
 *
 * @module
 */
import { modelParameters, weightBits } from "../graph/gpu_memory.ts";
import { type EngineName, type Graph, isEngine } from "../graph/types.ts";

/** One part of the time. */
export interface TimeoutPart {
  /** What happens in it. */
  readonly what: string;
  /** Seconds. */
  readonly seconds: number;
}

/** A time-out and how it came about. */
export interface Timeout {
  /** Seconds. */
  readonly seconds: number;
  /** Its parts; empty when the user gave it. */
  readonly parts: readonly TimeoutPart[];
}

// Karpenter: order, EC2's start, boot, GPU driver and device plugin. Twice of what is usual.
const NODE_SECONDS = 420;
// Runtime images are 8 to 15 GB compressed; a fresh node pulls and unpacks them in 3 to 6 min.
const IMAGE_SECONDS = 480;
/** Seconds from a process's start to ready, the model's files apart: compilation, CUDA graphs. */
const ENGINE_SECONDS: Readonly<Record<EngineName, number>> = {
  vllm: 300,
  sglang: 300,
  // It may build its engine from the checkpoint.
  trtllm: 900,
  mocker: 60,
  "hello-world": 30,
};
// Downloading weights and reading them, together: half of what a node usually reaches.
const MODEL_BYTES_A_SECOND = 100e6;
/** Size that is assumed of a model whose name does not say it, in GB. */
const UNKNOWN_MODEL_GB = 60;
// Pods of one model wait for each other.
const NODES_SECONDS = 300;
/** On the embedded cluster nothing is pulled, downloaded or computed. */
const EMBEDDED_SECONDS = 180;
/** For manifests of users, of which nothing is known. */
const MANIFEST_SECONDS = 1_800;

/** The time for an example's graph. */
export function graphTimeout(graph: Graph, embedded: boolean): Timeout {
  if (embedded) return embeddedTimeout();
  const gpus = graph.components.some((component) => component.gpus > 0);
  const parts: TimeoutPart[] = [
    { what: gpus ? "a node with GPUs" : "a node", seconds: gpus ? NODE_SECONDS : 180 },
    { what: "pulling the image", seconds: IMAGE_SECONDS },
    { what: `starting ${graph.engine}`, seconds: ENGINE_SECONDS[graph.engine] },
  ];
  const gigabytes = modelGigabytes(graph);
  if (gigabytes !== undefined) {
    parts.push({
      what: `loading ${Math.round(gigabytes)} GB of model`,
      seconds: Math.ceil(gigabytes * 1e9 / MODEL_BYTES_A_SECOND),
    });
  }
  if (graph.components.some((component) => component.nodes > 1)) {
    parts.push({ what: "several nodes", seconds: NODES_SECONDS });
  }
  // Full minutes, as nobody counts in seconds here.
  const seconds = Math.ceil(parts.reduce((sum, part) => sum + part.seconds, 0) / 60) * 60;
  return { seconds, parts };
}

/** The time for a manifest of the user's own. */
export function manifestTimeout(embedded: boolean): Timeout {
  return embedded
    ? embeddedTimeout()
    : { seconds: MANIFEST_SECONDS, parts: [{ what: "a manifest", seconds: MANIFEST_SECONDS }] };
}

function embeddedTimeout(): Timeout {
  return {
    seconds: EMBEDDED_SECONDS,
    parts: [{ what: "the embedded cluster", seconds: EMBEDDED_SECONDS }],
  };
}

/** Gigabytes of weights that a worker loads; undefined where none are. */
function modelGigabytes(graph: Graph): number | undefined {
  if (graph.model === undefined || graph.engine === "mocker") return undefined;
  const workers = graph.components.filter(isEngine);
  const parameters = modelParameters(graph.model.id);
  if (parameters === undefined) return UNKNOWN_MODEL_GB;
  const bits = workers.map((worker) => weightBits(graph.model!.id, worker).bits);
  return parameters.total * (bits.length === 0 ? 16 : Math.max(...bits)) / 8;
}
