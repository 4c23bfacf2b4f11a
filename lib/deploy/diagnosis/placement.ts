/**
 * Pods that no node takes: pools and selectors that do not exist, taints, GPUs that are not there
 * or not free. What Karpenter says about new nodes is in `karpenter.ts`.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import { diagnoseKarpenter } from "./karpenter.ts";
import {
  conditionOf,
  count,
  latestEvent,
  type Make,
  makerFor,
  oneLine,
  podGpus,
  podPool,
  troubledPods,
} from "./objects.ts";
import { isAboutVolumes, lastingTaints, readSchedulerMessage } from "./scheduler_message.ts";
import type { ClusterFacts, ComponentObjects, Diagnosis } from "./types.ts";

const POOL_GRACE_MS = 5_000;
// Long enough for a node that is just joining, or a pod that is just going.
const FIT_GRACE_MS = 15_000;
// The autoscaler looks every 10 s and again after each change.
const AUTOSCALER_GRACE_MS = 60_000;
// The device plugin reports a new node's GPUs once its own pod has started.
const PLUGIN_GRACE_MS = 120_000;

/** Why pods of a component have no node; one diagnosis, as they are all alike. */
export function diagnosePlacement(facts: ClusterFacts, component: ComponentObjects): Diagnosis[] {
  const pod = troubledPods(component).find((one) =>
    one["spec"]?.nodeName === undefined &&
    conditionOf(one, "PodScheduled")?.["status"] === "False"
  );
  if (pod === undefined) return [];
  const found = unknownPool(facts, component, pod) ??
    (facts.nodePools === undefined
      ? undefined
      : diagnoseKarpenter({ ...facts, nodePools: facts.nodePools }, component, pod)) ??
    autoscaled(facts, component, pod) ??
    unfit(facts, component, pod);
  return found === undefined ? [] : [found];
}

function unknownPool(
  facts: ClusterFacts,
  component: ComponentObjects,
  pod: KubeObject,
): Diagnosis | undefined {
  const pool = podPool(pod);
  if (pool === undefined) return undefined;
  const label = (node: KubeObject) => node.metadata.labels?.["karpenter.sh/nodepool"];
  const pools = facts.nodePools?.map((one) => one.metadata.name) ?? facts.nodes?.map(label);
  if (pools === undefined || pools.includes(pool)) return undefined;
  const known = [...new Set(pools)].filter((one) => one !== undefined).sort();
  return {
    code: "NODE_POOL_UNKNOWN",
    component: component.name,
    cause: `there is no node pool ${pool}` +
      (known.length === 0 ? "" : `; there are ${known.join(", ")}`),
    hint: `--node-pool ${component.name}=<pool> chooses another one, or add it to node_pools in ` +
      "terraform/blueprint.tfvars.",
    final: true,
    graceMs: POOL_GRACE_MS,
  };
}

// Cluster Autoscaler's events: https://github.com/kubernetes/autoscaler (cluster-autoscaler/FAQ.md)
function autoscaled(
  facts: ClusterFacts,
  component: ComponentObjects,
  pod: KubeObject,
): Diagnosis | undefined {
  const event = latestEvent(facts.events, pod, "TriggeredScaleUp", "NotTriggerScaleUp");
  if (event === undefined) return undefined;
  const message = oneLine(event["message"] ?? "");
  return event["reason"] === "TriggeredScaleUp"
    ? {
      code: "NODE_STARTING",
      component: component.name,
      cause: `a node is being started: ${message}`,
      hint: "Nodes with GPUs take some minutes.",
      final: false,
      graceMs: 0,
    }
    : {
      code: "NODE_NOT_STARTED",
      component: component.name,
      cause: `the cluster autoscaler starts no node: ${message}`,
      hint: "Raise the node group's maximum, or let the component fit on its nodes.",
      final: true,
      graceMs: AUTOSCALER_GRACE_MS,
    };
}

function unfit(
  facts: ClusterFacts,
  component: ComponentObjects,
  pod: KubeObject,
): Diagnosis | undefined {
  const message: string = conditionOf(pod, "PodScheduled")?.["message"] ?? "";
  const { nodes, refusals } = readSchedulerMessage(message);
  if (refusals.length === 0 || refusals.some(({ reason }) => isAboutVolumes(reason))) {
    return undefined;
  }
  const counted = (pattern: RegExp) =>
    refusals.filter(({ reason }) => pattern.test(reason))
      .reduce((sum, refusal) => sum + refusal.nodes, 0);
  const make = makerFor(component.name);
  if (counted(/Insufficient nvidia\.com\/gpu/) > 0) return gpus(facts, component, pod, make);
  const taints = refusals.flatMap(({ reason }) => lastingTaints(reason));
  const elsewhere = counted(/didn't match Pod's node (affinity|selector)/);
  if (nodes !== undefined && elsewhere >= nodes) {
    const selector = Object.entries(pod["spec"]?.nodeSelector ?? {}).map((pair) => pair.join("="));
    return make(
      "NODE_SELECTOR",
      `none of the cluster's ${count(nodes, "node")} matches its node selector` +
        (selector.length === 0 ? "" : ` ${selector.join(", ")}`),
      "kubectl get nodes --show-labels lists what there is to select.",
      FIT_GRACE_MS,
    );
  }
  if (taints.length > 0) {
    return make(
      "TAINT",
      `it does not tolerate the taint ${[...new Set(taints)].join(", ")} of the nodes it may use`,
      "Give the component that toleration (tolerations in graph.yaml, extraPodSpec.tolerations or " +
        "podTemplate.spec.tolerations in a manifest).",
      FIT_GRACE_MS,
    );
  }
  const short = refusals.find(({ reason }) => /^Insufficient /.test(reason));
  const said = refusals.map((one) => `${one.nodes} × ${one.reason}`).join(", ");
  if (short !== undefined) {
    return make(
      "NODE_FULL",
      `no node has room: ${said}`,
      "Ask for less in resources, or add nodes to the pool.",
      FIT_GRACE_MS,
    );
  }
  // Cordoned nodes, nodes that start, spreading rules: these change by themselves.
  return make("NODE_NONE", `no node takes it now: ${oneLine(said)}`, "");
}

function gpus(
  facts: ClusterFacts,
  component: ComponentObjects,
  pod: KubeObject,
  make: Make,
): Diagnosis {
  const wanted = podGpus(pod);
  const pool = podPool(pod);
  const where = pool === undefined ? "the cluster" : `node pool ${pool}`;
  const selector = Object.entries(pod["spec"]?.nodeSelector ?? {});
  const matching = facts.nodes?.filter(({ metadata }) =>
    selector.every(([key, value]) => metadata.labels?.[key] === value)
  );
  const sizes = matching?.map(nodeGpus);
  const most = sizes === undefined || sizes.length === 0 ? undefined : Math.max(...sizes);
  if (most === 0) {
    return make(
      "GPU_MISSING",
      `the nodes of ${where} report no GPUs`,
      "Is NVIDIA's device plugin running there? kubectl get pods -A -l " +
        "app.kubernetes.io/name=nvidia-device-plugin",
      PLUGIN_GRACE_MS,
    );
  }
  if (most !== undefined && most < wanted) {
    return make(
      "GPU_TOO_MANY",
      `a pod asks for ${count(wanted, "GPU")}, and the largest node of ${where} has ${most}`,
      "--gpus and --node-pool change that.",
      POOL_GRACE_MS,
    );
  }
  const going = facts.pods.some((one) =>
    one.metadata.deletionTimestamp !== undefined && podGpus(one) > 0
  );
  const total = sizes?.reduce((sum, size) => sum + size, 0);
  const updating = component.pods.some((one) => one !== pod && one["spec"]?.nodeName !== undefined);
  return make(
    "GPU_CAPACITY",
    `${count(wanted, "GPU")} for a pod ${wanted === 1 ? "is" : "are"} not free in ${where}` +
      (total === undefined ? "" : ` (${count(matching!.length, "node")}, ${count(total, "GPU")})`),
    updating
      ? "A rolling update starts new pods before the old ones go. Free GPUs (deno task status shows " +
        "who holds them), take fewer --replicas, or set the annotation " +
        "nvidia.com/deployment-strategy: Recreate on the component."
      : "deno task status shows who holds them; deno task cleanup <graph> frees them, or take " +
        "fewer --replicas.",
    going ? undefined : FIT_GRACE_MS,
  );
}

function nodeGpus(node: KubeObject): number {
  return Number(node["status"]?.allocatable?.["nvidia.com/gpu"] ?? 0);
}
