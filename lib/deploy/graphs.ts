/**
 * The graphs of a namespace: list, follow, find.
 *
 * @module
 */
import { didYouMean } from "../cli/suggest.ts";
import { usageError } from "../cli/errors.ts";
import type { KindRef, Kube, KubeObject } from "../kube/types.ts";
import { COMPONENT_KIND, GRAPH_KIND, type GraphState, graphState } from "./graph_state.ts";
import { followObjects, type FollowOptions, type Snapshot } from "./live_objects.ts";

/** The kinds that make up a graph's state. */
export interface GraphKinds extends Record<string, KindRef> {
  /** DynamoGraphDeployments. */
  readonly graphs: KindRef;
  /** DynamoComponentDeployments. */
  readonly componentDeployments: KindRef;
  /** Deployments. */
  readonly deployments: KindRef;
  /** Pods. */
  readonly pods: KindRef;
}

/** The kinds, in the API version of the release. */
export function graphKinds(apiVersion: string): GraphKinds {
  return {
    graphs: { apiVersion, kind: GRAPH_KIND },
    componentDeployments: { apiVersion, kind: COMPONENT_KIND },
    deployments: { apiVersion: "apps/v1", kind: "Deployment" },
    pods: { apiVersion: "v1", kind: "Pod" },
  };
}

/** States of all graphs in a snapshot, by name. */
export function graphStates(snapshot: Snapshot<GraphKinds>): GraphState[] {
  return snapshot.graphs
    .map((graph) => graphState({ ...snapshot, graph }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** All graphs of a namespace as they are now. */
export async function listGraphs(
  kube: Kube,
  where: { readonly namespace: string; readonly apiVersion: string },
): Promise<GraphState[]> {
  const kinds = graphKinds(where.apiVersion);
  const lists = await Promise.all(
    Object.entries(kinds).map(async ([name, kind]): Promise<[string, KubeObject[]]> => [
      name,
      (await kube.list(kind, { namespace: where.namespace })).items,
    ]),
  );
  return graphStates(Object.fromEntries(lists) as unknown as Snapshot<GraphKinds>);
}

/** The states of all graphs, again whenever something changed. */
export async function* followGraphs(
  kube: Kube,
  options: Omit<FollowOptions<GraphKinds>, "kinds"> & { readonly apiVersion: string },
): AsyncGenerator<GraphState[]> {
  for await (
    const snapshot of followObjects(kube, { ...options, kinds: graphKinds(options.apiVersion) })
  ) {
    yield graphStates(snapshot);
  }
}

/**
 * The graph of that name, or the only one when no name is given.
 *
 * @throws {TaskError} GRAPH_UNKNOWN or GRAPH_UNCLEAR (exit code 2), naming what is deployed.
 */
export function pickGraph(graphs: readonly GraphState[], name: string | undefined): GraphState {
  const names = graphs.map((graph) => graph.name);
  const deployed = names.length === 0
    ? "No graph is deployed: run deno task deploy <example> first."
    : `Deployed: ${names.join(", ")}.`;
  if (name === undefined) {
    const only = graphs[0];
    if (only !== undefined && graphs.length === 1) return only;
    throw usageError(
      "GRAPH_UNCLEAR",
      names.length === 0 ? "No graph is deployed" : "Several graphs are deployed: name one",
      deployed,
    );
  }
  const found = graphs.find((graph) => graph.name === name);
  if (found !== undefined) return found;
  throw usageError(
    "GRAPH_UNKNOWN",
    `No graph "${name}" is deployed. ${didYouMean(name, names)}`.trim(),
    deployed,
  );
}
