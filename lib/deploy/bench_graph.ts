/**
 * What a benchmark's results say of the graph that was measured, and of its nodes and what they cost.
 *
 * @module
 */
import { PRICE_DATE } from "../aws/instance_types.ts";
import { livePrices } from "../aws/live_prices.ts";
import { type Prices, tablePrices } from "../aws/prices.ts";
import { openAws } from "../aws/session.ts";
import { nodeShare, type PricedNode, type PriceSource, type Resources } from "../bench/cost.ts";
import {
  type ClusterEnvironment,
  type ComponentEnvironment,
  type NodeEnvironment,
  redactArgs,
} from "../bench/environment.ts";
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { parseQuantity } from "../graph/quantity.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import type { ComponentState, GraphState } from "./graph_state.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import { pickGraph } from "./graphs.ts";
import type { GraphSession } from "./session.ts";
import { OPERATOR } from "./status.ts";

/** A graph, its nodes, and their prices. */
export interface MeasuredGraph {
  /** For `environment.json`. */
  readonly environment: ClusterEnvironment;
  /** Nodes that the graph's pods run on. */
  readonly nodes: readonly PricedNode[];
  /** Where their prices are from. */
  readonly prices: PriceSource;
}

const GPU = "nvidia.com/gpu";
const PRICES_DEADLINE_MS = 10_000;

/**
 * Reads the graph of that name, its pods and their nodes.
 *
 * @throws {TaskError} as the calls of `Kube`; GRAPH_UNKNOWN.
 */
export async function readMeasuredGraph(
  ctx: Context,
  session: GraphSession,
  name: string,
): Promise<MeasuredGraph> {
  const { kube, target } = session;
  const graph = pickGraph(await session.list(), name);
  const { namespace } = graph;
  const [kubernetes, operator, podList] = await Promise.all([
    kube.version(),
    kube.get({ apiVersion: "apps/v1", kind: "Deployment", namespace, name: OPERATOR }),
    kube.list({ apiVersion: "v1", kind: "Pod" }, { namespace }),
  ]);
  const names = new Set(graph.components.flatMap(({ pods }) => pods).map((pod) => pod.name));
  const pods = podList.items.filter((pod) => names.has(pod.metadata.name));
  const nodes = await readNodes(kube, pods);
  const simulated = target.kind === "local";
  const prices = await readPrices(ctx, session, nodes);
  return {
    environment: {
      target: target.kind,
      kubernetes,
      dynamo: session.release.version,
      operator: operator?.spec?.template?.spec?.containers?.[0]?.image ?? null,
      graph: {
        name: graph.name,
        namespace,
        kind: GRAPH_KIND,
        api_version: graph.apiVersion,
        components: componentsOf(graph, pods),
      },
      nodes: nodes.map((node) => nodeEnvironment(node, pods)),
      simulated,
    },
    nodes: nodes.map((node) => pricedNode(node, pods, prices)),
    prices: {
      source: prices.source,
      // The table of instances is newer than that of other prices.
      date: prices.source === "table" ? PRICE_DATE : prices.asOf,
      region: prices.listOf,
    },
  };
}

async function readNodes(kube: Kube, pods: readonly KubeObject[]): Promise<KubeObject[]> {
  const names = [...new Set(pods.flatMap((pod) => pod.spec?.nodeName ?? []))].sort();
  const nodes = await Promise.all(
    names.map((name) => kube.get({ apiVersion: "v1", kind: "Node", name })),
  );
  return nodes.filter((node) => node !== undefined);
}

// Our table where it is right for the region; AWS's own list elsewhere.
async function readPrices(
  ctx: Context,
  { target }: GraphSession,
  nodes: readonly KubeObject[],
): Promise<Prices> {
  const region = nodes.map(regionOf).find((one) => one !== undefined) ??
    target.cluster?.region ?? "";
  const table = tablePrices(region);
  const instanceTypes = nodes.flatMap((node) => instanceTypeOf(node) ?? []);
  if (target.kind !== "eks" || instanceTypes.every((type) => table.instance(type) !== undefined)) {
    return table;
  }
  try {
    const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(PRICES_DEADLINE_MS)]);
    const aws = (await openAws(ctx, { region })).within({ signal });
    return await livePrices(aws, { instanceTypes, now: ctx.clock.now() });
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.ui.debug(`Prices of ${region} cannot be had: ${messageOf(error)}`);
    return table;
  }
}

function componentsOf(graph: GraphState, pods: readonly KubeObject[]): ComponentEnvironment[] {
  return graph.components.map((component) => {
    const main = mainContainer(component, pods);
    return {
      name: component.name,
      type: component.type ?? null,
      replicas: component.replicas,
      image: main?.image ?? component.image ?? null,
      args: redactArgs([...main?.command ?? [], ...main?.args ?? []].map(String)),
    };
  });
}

function mainContainer(
  component: ComponentState,
  pods: readonly KubeObject[],
): KubeObject | undefined {
  const pod = pods.find(({ metadata }) =>
    component.pods.some(({ name }) => name === metadata.name)
  );
  const containers: KubeObject[] = pod?.spec?.containers ?? [];
  return containers.find((container) => container["name"] === "main") ?? containers[0];
}

function nodeEnvironment(node: KubeObject, pods: readonly KubeObject[]): NodeEnvironment {
  const labels = node.metadata.labels ?? {};
  return {
    name: node.metadata.name,
    instance_type: instanceTypeOf(node) ?? null,
    capacity_type: capacityTypeOf(node) ?? null,
    region: regionOf(node) ?? null,
    gpus: amount(node.status?.capacity, GPU),
    gpus_used: askedOn(node, pods).gpus,
    gpu_product: labels["nvidia.com/gpu.product"] ?? null,
    kubelet: node.status?.nodeInfo?.kubeletVersion ?? null,
  };
}

function pricedNode(
  node: KubeObject,
  pods: readonly KubeObject[],
  prices: Prices,
): PricedNode {
  const type = instanceTypeOf(node);
  return {
    name: node.metadata.name,
    instanceType: type,
    capacityType: capacityTypeOf(node),
    share: nodeShare(askedOn(node, pods), resourcesOf(node.status?.allocatable)),
    pricePerHour: type === undefined ? undefined : prices.instance(type),
  };
}

function askedOn(node: KubeObject, pods: readonly KubeObject[]): Resources {
  const containers = pods
    .filter((pod) => pod.spec?.nodeName === node.metadata.name)
    .flatMap((pod): KubeObject[] => pod.spec?.containers ?? [])
    .map(({ resources }) => resourcesOf({ ...resources?.limits, ...resources?.requests }));
  const sum = (of: (one: Resources) => number) =>
    containers.reduce((total, one) => total + of(one), 0);
  return {
    gpus: sum((one) => one.gpus),
    cpus: sum((one) => one.cpus),
    memory: sum((one) => one.memory),
  };
}

function resourcesOf(quantities: unknown): Resources {
  return {
    gpus: amount(quantities, GPU),
    cpus: amount(quantities, "cpu"),
    memory: amount(quantities, "memory"),
  };
}

function amount(quantities: unknown, name: string): number {
  const value = (quantities as Record<string, unknown> | undefined)?.[name];
  return value === undefined ? 0 : parseQuantity(String(value)) ?? 0;
}

function instanceTypeOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.["node.kubernetes.io/instance-type"];
}

function regionOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.["topology.kubernetes.io/region"];
}

// Karpenter's label, and that of EKS's own node groups (`SPOT`, `ON_DEMAND`).
function capacityTypeOf({ metadata }: KubeObject): string | undefined {
  const labels = metadata.labels ?? {};
  return labels["karpenter.sh/capacity-type"] ??
    labels["eks.amazonaws.com/capacityType"]?.toLowerCase().replace("_", "-");
}
