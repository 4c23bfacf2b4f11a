/**
 * Whether a graph makes sense on the hardware and with the accounts there are. `validate.ts` looks
 * at the graph and the release alone; this looks at node pools, GPU memory and tokens. Pure.
 *
 * @module
 */
import { OPTIONAL_NODE_POOLS } from "../blueprint/node_pools.ts";
import type { NodePool } from "../blueprint/types.ts";
import { didYouMean } from "../cli/suggest.ts";
import { engineTable } from "./engines.ts";
import { gib, type GpuMemoryNeed, gpuMemoryNeed, usableGiB } from "./gpu_memory.ts";
import {
  allocatable,
  type InstanceType,
  instanceType,
  instanceTypes,
  poolOffers,
} from "../aws/instance_types.ts";
import { allowedTypes, podFits, podSize } from "./placement.ts";
import type { Problem } from "./problems.ts";
import { type Component, type Graph, isEngine } from "./types.ts";

/** What is known about where the graph goes. */
export interface CheckOptions {
  /** The blueprint's node pools. */
  readonly nodePools: readonly NodePool[];
  /** Whether `HF_TOKEN` is set; the cluster may have a token without it. */
  readonly tokenGiven?: boolean;
}

/** Everything that would keep the graph from running, or is remarkable; none when all is well. */
export function checkFit(graph: Graph, options: CheckOptions): Problem[] {
  return [
    ...tokenProblems(graph, options),
    ...pairProblems(graph),
    ...splitProblems(graph),
    ...graph.components.flatMap((component, index) =>
      componentProblems(graph, component, options.nodePools).map((problem) => ({
        ...problem,
        path: `components[${index}].${problem.path}`,
      }))
    ),
  ];
}

/** Whether a model is handed out only to accounts that accepted its terms. */
export function isGated(id: string): "yes" | "maybe" | "no" {
  if (/^meta-llama\//i.test(id)) return "yes";
  // From the fourth generation on Gemma is open; 7b is a size, not a generation.
  if (/^google\/\w*gemma(?!-?[4-9](?:[.-]|$))/i.test(id)) return "yes";
  return /^(mistralai|CohereLabs|CohereForAI)\//i.test(id) ? "maybe" : "no";
}

function finding(
  severity: Problem["severity"],
  path: string,
  message: string,
  hint: string,
): Problem {
  return { severity, path, message, hint };
}

function tokenProblems(graph: Graph, { tokenGiven }: CheckOptions): Problem[] {
  const id = graph.model?.id;
  const gated = id === undefined ? "no" : isGated(id);
  if (gated === "no") return [];
  const accept = `accept its terms on huggingface.co/${id}`;
  const missing = graph.tokenSecret === undefined
    ? "the graph names no Secret with one"
    : tokenGiven === false
    ? "HF_TOKEN is not set"
    : undefined;
  if (missing === undefined) return [];
  return [finding(
    // What is in a cache needs no token any more, and a named Secret may be in the cluster.
    gated === "yes" && graph.cache.length === 0 && graph.tokenSecret === undefined
      ? "error"
      : "warning",
    "model.id",
    `${id} ${
      gated === "yes" ? "is handed out" : "may be handed out"
    } only with a token of Hugging Face, and ${missing}`,
    graph.tokenSecret === undefined
      ? `Give --hf-token-secret, and ${accept}.`
      : `Set HF_TOKEN unless Secret ${graph.tokenSecret} is there, and ${accept}.`,
  )];
}

function pairProblems(graph: Graph): Problem[] {
  const pods = (role: string) =>
    graph.components.filter((c) => c.role === role).map((c) => c.replicas);
  const [prefill, decode] = [pods("prefill"), pods("decode")];
  if (prefill.length === 0 || decode.length === 0) return [];
  const problems: Problem[] = [];
  const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
  for (
    const [one, other, name] of [[prefill, decode, "prefill"], [decode, prefill, "decode"]] as const
  ) {
    if (sum(one) > 0 || sum(other) === 0) continue;
    problems.push(finding(
      "warning",
      "components",
      `no ${name} component has a pod, and the other half of the pair has`,
      `Give --replicas ${name}=1.`,
    ));
  }
  const engines = graph.components.filter(isEngine);
  const sizes = new Set(engines.map((component) => component.args.kvBlockSize));
  if (sizes.size > 1) {
    problems.push(finding(
      "warning",
      "components",
      `prefill and decode have different sizes of KV blocks (${
        engines.map((c) => `${c.name} ${c.args.kvBlockSize ?? "the engine's own"}`).join(", ")
      }): KV cache is handed over in blocks`,
      "Give both the same args.kvBlockSize.",
    ));
  }
  return problems;
}

function splitProblems(graph: Graph): Problem[] {
  if (!engineTable(graph).servesModel) return [];
  return graph.components.flatMap((component, index) => {
    const { tensorParallel = 1 } = component.args;
    if (
      !isEngine(component) || component.gpus === 0 || Number.isInteger(Math.log2(tensorParallel))
    ) return [];
    return [finding(
      "warning",
      `components[${index}].args.tensorParallel`,
      `${tensorParallel} divides the attention heads of few models, and engines refuse the others`,
      "Give a power of two unless you know that the model's heads can be divided.",
    )];
  });
}

function componentProblems(
  graph: Graph,
  component: Component,
  pools: readonly NodePool[],
): Problem[] {
  if (component.replicas === 0) return [];
  const poolName = component.nodePool;
  const pool = pools.find((one) => one.name === poolName);
  if (poolName !== undefined && pool === undefined) {
    const optional = OPTIONAL_NODE_POOLS.find((one) => one.name === poolName);
    if (optional !== undefined) {
      return [finding(
        "warning",
        "nodePool",
        `the node pool ${optional.name} is off`,
        `Write ${optional.name} = {} below node_pools in blueprint.tfvars and install again.`,
      )];
    }
    const known = pools.map((one) => one.name);
    return [finding(
      "warning",
      "nodePool",
      `the blueprint has no node pool "${poolName}". ${didYouMean(poolName, known)}`.trim(),
      `Pools: ${known.join(", ") || "none"}. Others go below node_pools in blueprint.tfvars.`,
    )];
  }
  const type = component.instanceType;
  const offering = type === undefined ? [] : pools.filter((one) => poolOffers(one, type));
  const offered = pool === undefined ? offering.length > 0 : offering.includes(pool);
  if (type !== undefined && !offered) {
    return [finding(
      "error",
      "instanceType",
      pool === undefined
        ? `no node pool offers ${type}: the pods would wait for ever`
        : `the node pool ${pool.name} does not offer ${type} (it has ${families(pool)})`,
      offering[0] === undefined
        ? `${didYouMeanType(type, pools)} Add a pool with it below node_pools in blueprint.tfvars.`
          .trim()
        : `Give --node-pool ${component.name}=${offering[0].name}.`,
    )];
  }
  const types = allowedTypes(component, pools);
  // Families that the table does not know: nothing can be said.
  if (types === undefined) return [];
  return roomProblems(graph, component, types, pools);
}

function roomProblems(
  graph: Graph,
  component: Component,
  types: readonly InstanceType[],
  pools: readonly NodePool[],
): Problem[] {
  const pod = podSize(component);
  const where = component.instanceType ?? component.nodePool ?? "the node pools";
  const most = Math.max(...types.map((one) => one.gpus));
  if (component.gpus > most) {
    const other = pools.find((one) => {
      const offered = allowedTypes({ ...component, nodePool: one.name }, [one]) ?? [];
      return offered.some((offer) => offer.gpus >= component.gpus);
    });
    return [finding(
      "error",
      "gpus",
      `a pod of ${component.name} asks for ${component.gpus} GPUs, and ` +
        (most === 0 ? `${where} has no nodes with GPUs` : `a node of ${where} has at most ${most}`),
      other === undefined
        ? "Give fewer --gpus, or another --node-pool."
        : `Give --node-pool ${component.name}=${other.name}.`,
    )];
  }
  const fitting = types.filter((one) => podFits(pod, one));
  const withGpus = types.filter((one) => one.gpus >= component.gpus);
  if (fitting.length === 0) {
    const largest = withGpus.reduce((a, b) => b.memoryGiB > a.memoryGiB ? b : a);
    const room = allocatable(largest);
    return [finding(
      "error",
      "resources.requests",
      `a pod of ${component.name} asks for ${pod.cpus} CPUs and ${gib(pod.memoryGiB)} of memory, ` +
        `and a ${largest.name}, the largest of ${where}, has about ${room.cpus.toFixed(0)} and ${
          gib(room.memoryGiB)
        } for pods`,
      "Ask for less, or give another --node-pool.",
    )];
  }
  return memoryProblems(graph, component, fitting, where);
}

function memoryProblems(
  graph: Graph,
  component: Component,
  types: readonly InstanceType[],
  where: string,
): Problem[] {
  const need = gpuMemoryNeed(graph, component);
  if (need === undefined) return [];
  const usable = (type: InstanceType) => usableGiB(need, graph, type.gpuMemoryMiB);
  const best = types.reduce((a, b) => b.gpuMemoryMiB > a.gpuMemoryMiB ? b : a);
  if (need.total <= usable(best)) {
    const small = types.filter((type) => need.total > usable(type)).map((type) => type.name);
    if (small.length === 0) return [];
    const enough = types.find((type) => need.total <= usable(type))!;
    return [finding(
      "warning",
      "instanceType",
      `${where} also has ${small[0]}, whose GPUs are too small for ${graph.model!.id}: ` +
        need.arithmetic,
      `Give --instance-type ${component.name}=${enough.name}.`,
    )];
  }
  return [finding(
    // The weights are known well, the rest roughly.
    need.weights > usable(best) ? "error" : "warning",
    "gpus",
    `${graph.model!.id} does not fit: ${need.arithmetic}, and a GPU of ${where} (${best.gpu}) has ${
      gib(best.gpuMemoryMiB / 1024)
    }, of which ${gib(usable(best))} can be used`,
    advice(graph, component, types, need),
  )];
}

// The smallest split that fits and that a node can hold.
function advice(
  graph: Graph,
  component: Component,
  types: readonly InstanceType[],
  need: GpuMemoryNeed,
): string {
  for (let tensor = 2; tensor <= 16; tensor *= 2) {
    const more: Component = { ...component, args: { ...component.args, tensorParallel: tensor } };
    const then = gpuMemoryNeed(graph, more);
    const enough = types.some((type) =>
      then !== undefined && type.gpus * component.nodes >= tensor &&
      then.total <= usableGiB(then, graph, type.gpuMemoryMiB)
    );
    if (enough && then !== undefined && then.total < need.total) {
      return `Give --tensor-parallel ${component.name}=${tensor}.`;
    }
  }
  return engineTable(graph).servesModel && graph.model?.maxLength !== undefined &&
      need.kvCache > need.weights
    ? "Give a smaller --max-model-len."
    : "Take GPUs with more memory (--node-pool, --instance-type), more of them, or a quantized model.";
}

// A type that is known was meant.
function didYouMeanType(type: string, pools: readonly NodePool[]): string {
  if (instanceType(type) !== undefined) return "";
  const names = instanceTypes().map((one) => one.name);
  return didYouMean(type, names.filter((name) => pools.some((pool) => poolOffers(pool, name))));
}

function families(pool: NodePool): string {
  return `${pool.instanceFamilies.join(", ")}${
    pool.instanceSizes.length === 0 ? "" : `: ${pool.instanceSizes.join(", ")}`
  }`;
}
