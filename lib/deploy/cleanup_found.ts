/**
 * What of graphs is in a namespace, and whose it is, before any of it is removed.
 *
 * @module
 */
import { resolveRelease } from "../blueprint/release.ts";
import type { GraphApiVersion } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import type { Kube } from "../kube/types.ts";
import type { Target } from "../target/target.ts";
import { type GraphClaim, listClaims } from "./claims.ts";
import { COMPONENT_KIND, GRAPH_KIND, type GraphState } from "./graph_state.ts";
import { listGraphs, pickGraph } from "./graphs.ts";
import { findManagers, type GraphManager } from "./managers.ts";
import { parentOf } from "./remove.ts";
import { listPrefetchJobs } from "./prefetch/records.ts";
import { listRequests, type RequestState } from "./requests.ts";

/** What is there. */
export interface Found {
  /** The namespace. */
  readonly namespace: string;
  /** Form in which graphs are read. */
  readonly apiVersion: GraphApiVersion;
  /** Graphs. */
  readonly graphs: readonly GraphState[];
  /** Requests for graphs. */
  readonly requests: readonly RequestState[];
  /** Applications that make graphs or requests. */
  readonly managers: readonly GraphManager[];
  /** Claims that our graphs brought along. */
  readonly claims: readonly GraphClaim[];
  /** Names of the Jobs that download models. */
  readonly downloads: readonly string[];
  /** Names of graphs that are gone, while components or pods of theirs are not. */
  readonly orphans: readonly string[];
}

/** Reads what is in a namespace. */
export async function findDeployed(ctx: Context, kube: Kube, target: Target): Promise<Found> {
  const release = resolveRelease(target.release);
  const { namespace } = target;
  const apiVersion = release.graphApiVersion;
  const where = { namespace, apiVersion };
  const [graphs, requests, managers, claims, parents, jobs] = await Promise.all([
    listGraphs(kube, where),
    listRequests(kube, { namespace, release }),
    findManagers(ctx, kube, where),
    listClaims(kube, namespace),
    parentGraphs(kube, where),
    listPrefetchJobs(kube, namespace),
  ]);
  const orphans = parents.filter((name) => !graphs.some((graph) => graph.name === name));
  const downloads = jobs.map(({ metadata }) => metadata.name);
  return { namespace, apiVersion, graphs, requests, managers, claims, downloads, orphans };
}

/** Names of the graphs that components and pods belong to. */
async function parentGraphs(
  kube: Kube,
  { namespace, apiVersion }: { readonly namespace: string; readonly apiVersion: string },
): Promise<string[]> {
  const [components, pods] = await Promise.all([
    kube.list({ apiVersion, kind: COMPONENT_KIND }, { namespace }),
    kube.list({ apiVersion: "v1", kind: "Pod" }, { namespace }),
  ]);
  const owners = components.items.flatMap(({ metadata }) => metadata.ownerReferences ?? [])
    .filter((one) => one.kind === GRAPH_KIND).map((one) => one.name);
  return [...new Set([...owners, ...pods.items.flatMap((pod) => parentOf(pod) ?? [])])];
}

/**
 * Only what belongs to the graph of that name. A request goes with its graph, whichever of the two
 * is named: it would make the graph again.
 *
 * @throws {TaskError} GRAPH_UNKNOWN (exit code 2) when nothing of it is there.
 */
export function onlyNamed(found: Found, name: string): Found {
  const requests = found.requests.filter((one) => one.name === name || one.graph === name);
  const names = new Set([name, ...requests.map((request) => request.graph)]);
  const graphs = found.graphs.filter((one) => names.has(one.name));
  const claims = found.claims.filter((one) => names.has(one.graph));
  const orphans = found.orphans.filter((one) => names.has(one));
  // Throws with what is deployed, and with the name that may have been meant.
  if (requests.length + graphs.length + orphans.length + claims.length === 0) {
    pickGraph(found.graphs, name);
  }
  // An Application of ours that makes other graphs as well is another matter.
  const managers = found.managers.filter((manager) =>
    !manager.ours || [...manager.makes].every((one) => names.has(one.split("/")[1] ?? ""))
  );
  return { ...found, requests, graphs, claims, orphans, managers };
}
