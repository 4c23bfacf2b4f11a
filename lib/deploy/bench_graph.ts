/**
 * What a benchmark's results say of the graph that was measured, and of its nodes and what they cost.
 *
 * @module
 */
import type { PricedNode, PriceSource } from "../bench/cost.ts";
import {
  type ClusterEnvironment,
  type ComponentEnvironment,
  type NodeEnvironment,
  redactArgs,
} from "../bench/environment.ts";
import type { Context } from "../cli/context.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import type { ComponentState, GraphState } from "./graph_state.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import { pickGraph } from "./graphs.ts";
import {
  amount,
  askedOn,
  capacityTypeOf,
  GPU,
  instanceTypeOf,
  pricedNode,
  priceSource,
  readPrices,
  regionOf,
} from "./node_prices.ts";
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
    prices: priceSource(prices),
  };
}

async function readNodes(kube: Kube, pods: readonly KubeObject[]): Promise<KubeObject[]> {
  const names = [...new Set(pods.flatMap((pod) => pod.spec?.nodeName ?? []))].sort();
  const nodes = await Promise.all(
    names.map((name) => kube.get({ apiVersion: "v1", kind: "Node", name })),
  );
  return nodes.filter((node) => node !== undefined);
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
