/**
 * Reconciles one DynamoGraphDeployment: its components, accounts and status.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { graphComponents } from "../current/components.ts";
import { discoveryObjects, plannerObjects } from "../current/discovery_rbac.ts";
import { planRollout, type RolloutPlan, settledAnnotation } from "../current/rollout.ts";
import { specErrorWithReason } from "../errors.ts";
import { failedGraphStatus, graphStatus } from "../graph_status.ts";
import { legacyComponents } from "../legacy/components.ts";
import { graphClaims } from "../legacy/volumes.ts";
import { ANNOTATION, PLANNER_CLUSTER_ROLE } from "../names.ts";
import { isControlledBy } from "../owner.ts";
import { type Component, type Graph, namespaceOf, type RollingUpdate } from "../types.ts";
import {
  claimObject,
  deleteOwned,
  errorLine,
  isNotFound,
  isPassing,
  type OperatorParts,
  refOf,
  releaseObject,
  writeStatus,
} from "./parts.ts";
import { keyOf } from "./store.ts";
import { syncObject } from "./sync.ts";

/**
 * Looks at a graph and does what is to be done.
 *
 * @throws what is worth another try.
 */
export async function reconcileGraph(parts: OperatorParts, key: string): Promise<void> {
  const { stores, settings, ctx } = parts;
  const seen = stores.graphs.get(key);
  if (seen === undefined || isIgnored(parts, seen)) return;
  if (seen.metadata.deletionTimestamp !== undefined) {
    return await releaseObject(parts, seen, componentsOf(parts, seen));
  }
  const graph = await claimObject(parts, seen, stores.graphs, firstAnnotations(parts));
  try {
    const realised = settings.features.behaviour === "legacy"
      ? await realiseLegacy(parts, graph)
      : await realiseCurrent(parts, graph);
    const status = graphStatus(graph, realised, settings.features, ctx.clock.now());
    const written = await writeStatus(parts, graph, status, stores.graphs);
    await noteHash(parts, written, realised.settledHash);
  } catch (error) {
    if (isPassing(error)) throw error;
    parts.log("warn", `graph not reconciled: ${errorLine(error)}`, { graph: key });
    const status = failedGraphStatus(graph, error, settings.features, ctx.clock.now());
    await writeStatus(parts, graph, status, stores.graphs);
    throw error;
  }
}

/** A cluster-wide 0.4.1 leaves namespaces alone whose name says they are ephemeral. */
function isIgnored({ settings }: OperatorParts, graph: Graph): boolean {
  const namespace = namespaceOf(graph);
  const { features, restrictNamespace } = settings;
  if (restrictNamespace !== undefined) return namespace !== restrictNamespace;
  return features.behaviour === "legacy" && namespace.includes("ephemeral");
}

function firstAnnotations({ settings }: OperatorParts): Record<string, string> {
  const { features } = settings;
  if (!features.observedGeneration) return {};
  return {
    [ANNOTATION.workloadProvider]: "component",
    [ANNOTATION.originVersion]: features.version,
  };
}

interface Realised {
  readonly wanted: readonly Component[];
  readonly all: readonly Component[];
  readonly rollout?: RollingUpdate | undefined;
  readonly settledHash?: string | undefined;
}

/** 0.4.1 never deletes a component whose service is gone, and counts it no more. */
async function realiseLegacy(parts: OperatorParts, graph: Graph): Promise<Realised> {
  await createMissing(parts, graphClaims(graph));
  const wanted = await syncComponents(
    parts,
    legacyComponents(graph, parts.settings.features),
  );
  return { wanted, all: wanted };
}

async function realiseCurrent(parts: OperatorParts, graph: Graph): Promise<Realised> {
  const { features } = parts.settings;
  const { stores, ctx } = parts;
  await createMissing(parts, [
    ...discoveryObjects(graph),
    ...plannerObjects(namespaceOf(graph), PLANNER_CLUSTER_ROLE),
    ...graphClaims(graph),
  ]);
  const wished = graphComponents(graph, features);
  if (wished.specs.some((one) => (one.multinode?.nodeCount ?? 1) > 1)) {
    throw specErrorWithReason(
      "no_multinode_orchestrator_available",
      "no multinode orchestrator available",
    );
  }
  const existing = componentsOf(parts, graph);
  const plan: RolloutPlan = planRollout({
    graph,
    wanted: wished,
    existing,
    deploymentOf: (component) => stores.deployments.get(keyOf(component)),
    now: ctx.clock.now(),
  });
  const all = await syncComponents(parts, plan.components);
  for (const one of existing) {
    if (plan.obsolete.includes(one.metadata.name)) await deleteOwned(parts, one);
  }
  const names = new Set(wished.objects.map((one) => one.metadata.name));
  return {
    wanted: all.filter((one) => names.has(one.metadata.name)),
    all,
    rollout: plan.rollout,
    settledHash: plan.settledHash,
  };
}

async function syncComponents(
  parts: OperatorParts,
  components: readonly Component[],
): Promise<Component[]> {
  const { stores, settings, kube } = parts;
  const revert = settings.features.behaviour === "current";
  const synced: Component[] = [];
  for (const component of components) {
    const key = keyOf(component);
    const existing = stores.components.get(key) ??
      await kube.get<Component>(refOf(component));
    const { object, change } = await syncObject(kube, component, { existing, revert });
    stores.components.put(object);
    if (change !== "unchanged") {
      parts.log("info", `${change} component`, { component: key });
      parts.enqueue("component", key);
    }
    synced.push(stores.components.get(key) ?? object);
  }
  return synced;
}

function componentsOf({ stores }: OperatorParts, graph: Graph): Component[] {
  return [...stores.components.all()].filter((one) => isControlledBy(one, graph));
}

/** Creates what is not there, in order (a binding needs its role), and leaves the rest as it is. */
async function createMissing(
  parts: OperatorParts,
  objects: readonly KubeObject[],
): Promise<void> {
  const there = await Promise.all(objects.map((object) => parts.kube.get(refOf(object))));
  for (const [index, object] of objects.entries()) {
    if (there[index] !== undefined) continue;
    await parts.kube.create(object);
    parts.log("info", `created ${object.kind}`, { object: keyOf(object) });
  }
}

async function noteHash(
  parts: OperatorParts,
  graph: Graph,
  hash: string | undefined,
): Promise<void> {
  const annotations = settledAnnotation(graph, hash);
  if (annotations === undefined) return;
  try {
    parts.stores.graphs.put(
      await parts.kube.patch<Graph>(refOf(graph), "merge", { metadata: { annotations } }),
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
