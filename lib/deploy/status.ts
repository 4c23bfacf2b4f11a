/**
 * What is installed and how it is, on one screen.
 *
 * @module
 */
import type { Prices } from "../aws/prices.ts";
import type { Context } from "../cli/context.ts";
import type { KubeObject } from "../kube/types.ts";
import { FRONTEND_PORT, frontendService } from "./frontend.ts";
import type { GraphState } from "./graph_state.ts";
import { instanceTypeOf, pricedNode, priceSource, readPrices } from "./node_prices.ts";
import { listRequests, type RequestState } from "./requests.ts";
import type { GraphSession } from "./session.ts";

/** One node with its GPUs. */
export interface NodeStatus {
  /** Name of the node. */
  readonly name: string;
  /** Karpenter node pool. */
  readonly nodePool: string;
  /** EC2 instance type. */
  readonly instanceType: string;
  /** Whether its Ready condition is true. */
  readonly ready: boolean;
  /** GPUs of the node and those that running pods hold. */
  readonly gpus: number;
  /** GPUs that its pods hold. */
  readonly gpusUsed: number;
  /** USD an hour on demand; null when not known. */
  readonly usdPerHour: number | null;
}

/** A graph with how it is reached and what it costs. */
export interface GraphStatus extends GraphState {
  /** URL inside the cluster; null for graphs without an HTTP frontend. */
  readonly endpoint: string | null;
  /** USD an hour for the share of nodes that its pods hold; null when no price is known. */
  readonly usdPerHour: number | null;
}

/** What the nodes cost. */
export interface StatusCost {
  /** USD an hour on demand for all nodes whose price is known. */
  readonly usdPerHour: number;
  /** Nodes without a known price. */
  readonly unpricedNodes: number;
  /** Whether the nodes are simulated: nobody pays this. */
  readonly simulated: boolean;
  /** This project's table or the AWS price list. */
  readonly priceSource: string;
  /** Day of the prices, `YYYY-MM-DD`. */
  readonly priceDate: string | null;
  /** Region of the prices. */
  readonly priceRegion: string | null;
}

/** The shape of `deno task status --output json`. */
export interface Status {
  /** Where, and what is installed there. */
  readonly target: {
    readonly kind: string;
    readonly server: string;
    readonly kubernetes: string;
    readonly namespace: string;
    readonly release: string;
  };
  /** The operator; null when it is not installed. */
  readonly operator:
    | { readonly name: string; readonly image: string; readonly ready: boolean }
    | null;
  /** Graphs of the namespace. */
  readonly graphs: readonly GraphStatus[];
  /** Requests for graphs in the namespace. */
  readonly requests: readonly RequestState[];
  /** Nodes of the cluster. */
  readonly nodes: readonly NodeStatus[];
  /** What they cost; null when no price is known. */
  readonly cost: StatusCost | null;
}

/** Name of the Deployment of Dynamo's operator. */
export const OPERATOR = "dynamo-platform-dynamo-operator-controller-manager";

/** Reads the statuses of a target, again and again; prices are looked up when nodes change. */
export function statusReader(ctx: Context, session: GraphSession): () => Promise<Status> {
  let known: { readonly key: string; readonly prices: Prices } | undefined;
  const pricesOf = async (nodes: readonly KubeObject[]) => {
    const key = [...new Set(nodes.map(instanceTypeOf))].sort().join();
    if (known?.key !== key) known = { key, prices: await readPrices(ctx, session, nodes) };
    return known.prices;
  };
  return () => readStatus(session, pricesOf);
}

async function readStatus(
  { kube, target, release, list }: GraphSession,
  pricesOf: (nodes: readonly KubeObject[]) => Promise<Prices>,
): Promise<Status> {
  const { namespace } = target;
  const [kubernetes, operator, graphs, requests, { items: nodes }, { items: pods }] = await Promise
    .all([
      kube.version(),
      kube.get({ apiVersion: "apps/v1", kind: "Deployment", namespace, name: OPERATOR }),
      list(),
      listRequests(kube, { namespace, release }),
      kube.list({ apiVersion: "v1", kind: "Node" }),
      kube.list({ apiVersion: "v1", kind: "Pod" }),
    ]);
  const prices = await pricesOf(nodes);
  const source = priceSource(prices);
  const shown = nodes.map((node) => nodeStatus(node, pods, prices))
    .sort((a, b) => a.name.localeCompare(b.name));
  const priced = shown.flatMap(({ usdPerHour }) => usdPerHour ?? []);
  return {
    target: {
      kind: target.kind,
      server: kube.server,
      kubernetes,
      namespace,
      release: target.release,
    },
    operator: operator === undefined ? null : {
      name: OPERATOR,
      image: operator.spec?.template?.spec?.containers?.[0]?.image ?? "",
      ready: (operator.status?.readyReplicas ?? 0) > 0,
    },
    graphs: graphs.map((graph) => graphStatus(graph, { nodes, pods, prices })),
    requests,
    nodes: shown,
    cost: priced.length === 0 ? null : {
      usdPerHour: sumOf(priced),
      unpricedNodes: shown.length - priced.length,
      simulated: target.kind === "local",
      priceSource: source.source,
      priceDate: source.date,
      priceRegion: source.region,
    },
  };
}

function graphStatus(
  graph: GraphState,
  { nodes, pods, prices }: {
    readonly nodes: readonly KubeObject[];
    readonly pods: readonly KubeObject[];
    readonly prices: Prices;
  },
): GraphStatus {
  const names = new Set(graph.components.flatMap((one) => one.pods).map(({ name }) => name));
  const own = pods.filter(({ metadata }) =>
    metadata.namespace === graph.namespace && names.has(metadata.name)
  );
  const costs = nodes
    .filter((node) => own.some((pod) => pod["spec"]?.nodeName === node.metadata.name))
    .map((node) => pricedNode(node, own, prices))
    .flatMap(({ share, pricePerHour }) => pricePerHour === undefined ? [] : share * pricePerHour);
  const service = frontendService(graph);
  return {
    ...graph,
    endpoint: service === undefined
      ? null
      : `http://${service}.${graph.namespace}:${FRONTEND_PORT}`,
    usdPerHour: costs.length === 0 ? null : sumOf(costs),
  };
}

function sumOf(usd: readonly number[]): number {
  return Math.round(usd.reduce((sum, one) => sum + one, 0) * 1e6) / 1e6;
}

function nodeStatus(node: KubeObject, pods: readonly KubeObject[], prices: Prices): NodeStatus {
  const labels = node.metadata.labels ?? {};
  const own = pods.filter((pod) =>
    pod.spec?.nodeName === node.metadata.name &&
    !["Succeeded", "Failed"].includes(pod.status?.phase)
  );
  const type = instanceTypeOf(node);
  return {
    name: node.metadata.name,
    nodePool: labels["karpenter.sh/nodepool"] ?? "",
    instanceType: type ?? "",
    ready: (node.status?.conditions ?? []).some((c: KubeObject) =>
      c.type === "Ready" && c.status === "True"
    ),
    gpus: Number(node.status?.capacity?.["nvidia.com/gpu"] ?? 0),
    gpusUsed: own.reduce((sum, pod) => sum + podGpus(pod), 0),
    usdPerHour: type === undefined ? null : prices.instance(type) ?? null,
  };
}

function podGpus(pod: KubeObject): number {
  return (pod.spec?.containers ?? []).reduce(
    (sum: number, container: KubeObject) =>
      sum + Number(container.resources?.limits?.["nvidia.com/gpu"] ?? 0),
    0,
  );
}
