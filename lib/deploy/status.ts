/**
 * What is installed and how it is, on one screen.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { formatDuration } from "../cli/text.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import type { GraphState } from "./graph_state.ts";
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
  readonly graphs: readonly GraphState[];
  /** Requests for graphs in the namespace. */
  readonly requests: readonly RequestState[];
  /** Nodes of the cluster. */
  readonly nodes: readonly NodeStatus[];
}

/** Name of the Deployment of Dynamo's operator. */
export const OPERATOR = "dynamo-platform-dynamo-operator-controller-manager";

/** Reads the status of the target. */
export async function readStatus(_ctx: Context, session: GraphSession): Promise<Status> {
  const { kube, target } = session;
  const [kubernetes, operator, graphs, requests, nodes] = await Promise.all([
    kube.version(),
    kube.get({
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace: target.namespace,
      name: OPERATOR,
    }),
    session.list(),
    listRequests(kube, { namespace: target.namespace, release: session.release }),
    readNodes(kube),
  ]);
  return {
    target: {
      kind: target.kind,
      server: kube.server,
      kubernetes,
      namespace: target.namespace,
      release: target.release,
    },
    operator: operator === undefined ? null : {
      name: OPERATOR,
      image: operator.spec?.template?.spec?.containers?.[0]?.image ?? "",
      ready: (operator.status?.readyReplicas ?? 0) > 0,
    },
    graphs,
    requests,
    nodes,
  };
}

async function readNodes(kube: Kube): Promise<NodeStatus[]> {
  const [nodes, pods] = await Promise.all([
    kube.list({ apiVersion: "v1", kind: "Node" }),
    kube.list({ apiVersion: "v1", kind: "Pod" }),
  ]);
  return nodes.items.map((node) => nodeStatus(node, pods.items))
    .sort((a, b) => a.name.localeCompare(b.name));
}

function nodeStatus(node: KubeObject, pods: readonly KubeObject[]): NodeStatus {
  const labels = node.metadata.labels ?? {};
  const own = pods.filter((pod) =>
    pod.spec?.nodeName === node.metadata.name &&
    !["Succeeded", "Failed"].includes(pod.status?.phase)
  );
  return {
    name: node.metadata.name,
    nodePool: labels["karpenter.sh/nodepool"] ?? "",
    instanceType: labels["node.kubernetes.io/instance-type"] ?? "",
    ready: (node.status?.conditions ?? []).some((c: KubeObject) =>
      c.type === "Ready" && c.status === "True"
    ),
    gpus: Number(node.status?.capacity?.["nvidia.com/gpu"] ?? 0),
    gpusUsed: own.reduce((sum, pod) => sum + podGpus(pod), 0),
  };
}

function podGpus(pod: KubeObject): number {
  return (pod.spec?.containers ?? []).reduce(
    (sum: number, container: KubeObject) =>
      sum + Number(container.resources?.limits?.["nvidia.com/gpu"] ?? 0),
    0,
  );
}

/** Prints the status for a person. */
export function showStatus(ctx: Context, status: Status): void {
  const { target, operator } = status;
  ctx.ui.table([
    ["Target", `${target.kind} (${target.server}, Kubernetes ${target.kubernetes})`],
    ["Release", `${target.release}, namespace ${target.namespace}`],
    [
      "Operator",
      operator === null
        ? "not installed"
        : `${operator.ready ? "ready" : "not ready"} (${operator.image})`,
    ],
  ]);
  ctx.ui.out("");
  if (status.graphs.length === 0) {
    ctx.ui.out("No graph is deployed: run deno task deploy <example>.");
  } else ctx.ui.table(graphRows(status.graphs, ctx.clock.now()));
  if (status.requests.length > 0) {
    ctx.ui.out("");
    ctx.ui.table([
      ["REQUEST", "PHASE", "GRAPH", "MESSAGE"],
      ...status.requests.map(({ name, phase, graph, message }) => [name, phase, graph, message]),
    ]);
  }
  ctx.ui.out("");
  ctx.ui.table([
    ["NODE", "POOL", "INSTANCE", "READY", "GPUS"],
    ...status.nodes.map((node) => [
      node.name,
      node.nodePool,
      node.instanceType,
      node.ready ? "yes" : "no",
      node.gpus === 0 ? "-" : `${node.gpusUsed} of ${node.gpus} in use`,
    ]),
  ]);
}

function graphRows(graphs: readonly GraphState[], now: number): string[][] {
  const rows = [["GRAPH", "STATE", "COMPONENT", "PODS", "RESTARTS", "AGE"]];
  for (const graph of graphs) {
    graph.components.forEach((component, index) => {
      const first = index === 0;
      rows.push([
        first ? graph.name : "",
        first ? (graph.ready ? "ready" : graph.state) : "",
        component.name,
        component.phrase,
        String(component.pods.reduce((sum, pod) => sum + pod.restarts, 0)),
        first && graph.createdAt !== undefined
          ? formatDuration(now - Date.parse(graph.createdAt))
          : "",
      ]);
    });
  }
  return rows;
}
