/**
 * Removing graphs: ours only, and waiting until nothing of them is left.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, preconditionError, TaskError, timeoutError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { COMPONENT_KIND, GRAPH_KIND } from "./graph_state.ts";
import { graphKinds } from "./graphs.ts";
import { followObjects } from "./live_objects.ts";
import { removeObject, watchForStuck } from "./stuck.ts";

/** Which graph, and how long to wait. */
export interface RemoveGraphOptions {
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly name: string;
  /** API version in which it is read. */
  readonly apiVersion: string;
  /** Milliseconds after which the wait fails. */
  readonly timeoutMs: number;
}

const MOST_TRIES = 3;

/**
 * Deletes a graph with background propagation (foreground thrashes before 1.0.2) and
 * waits until its components, Deployments and pods are gone. Finalizers that nobody takes away
 * are taken away late (`stuck.ts`). Returns false when there was none.
 *
 * @throws {TaskError} REMOVE_TIMEOUT (exit code 4) naming what is left; REMOVE_MADE_AGAIN (exit
 * code 3) when somebody makes the graph again.
 */
export async function removeGraph(
  ctx: Context,
  kube: Kube,
  options: RemoveGraphOptions,
  ui: StepUi,
): Promise<boolean> {
  const { apiVersion, namespace, name } = options;
  const graph = { apiVersion, kind: GRAPH_KIND, namespace, name };
  let uid = (await kube.get(graph))?.metadata.uid;
  const remove = async () =>
    uid !== undefined && await kube.delete(graph, { propagation: "Background", uid });
  let existed = await remove();
  let tries = 1;
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  let left: string[] = [];
  await using stuck = watchForStuck(ctx, kube, graph, signal);
  for await (
    const snapshot of followObjects(kube, { kinds: graphKinds(apiVersion), namespace, signal })
  ) {
    left = remains(name, snapshot);
    if (left.length === 0) return existed;
    const again = snapshot.graphs.find((one) =>
      one.metadata.name === name && one.metadata.uid !== uid &&
      one.metadata.deletionTimestamp === undefined
    );
    if (again !== undefined) {
      // An operator may still have been at work for a request that is gone now.
      if (++tries > MOST_TRIES) throw madeAgain(again);
      uid = again.metadata.uid;
      existed = await remove() || existed;
    }
    stuck.see(left);
    ui.update(`${left.length} objects left`);
  }
  if (ctx.signal.aborted) throw interruptedError();
  throw timeoutError(
    "REMOVE_TIMEOUT",
    `Graph ${namespace}/${name} was not gone after ${Math.round(options.timeoutMs / 1000)} s`,
    { evidence: left, hint: "Is the operator running? deno task status shows it." },
  );
}

/** Somebody makes the graph as fast as it is removed; to go on would be a fight. */
function madeAgain({ metadata }: KubeObject): Error {
  const managers = [...new Set(metadata.managedFields?.flatMap(({ manager }) => manager ?? []))];
  return preconditionError(
    "REMOVE_MADE_AGAIN",
    `Graph ${metadata.namespace}/${metadata.name} was made again while it was being removed` +
      (managers.length === 0 ? "" : `, by ${managers.join(", ")}`),
    "Stop what makes it (an Application of Argo CD, another GitOps tool, a request), then run it " +
      "again.",
  );
}

/** Objects that still belong to the graph of that name, as `kind/name`. */
export function remains(
  name: string,
  snapshot: Readonly<
    Record<"graphs" | "componentDeployments" | "deployments" | "pods", readonly KubeObject[]>
  >,
): string[] {
  const graphs = snapshot.graphs.filter((graph) => graph.metadata.name === name);
  const components = snapshot.componentDeployments.filter((dcd) => hasOwner(dcd, GRAPH_KIND, name));
  const componentNames = new Set(components.map((dcd) => dcd.metadata.name));
  const deployments = snapshot.deployments.filter((deployment) =>
    // Once the DCD is gone only the label tells whose Deployment it was.
    hasOwner(deployment, COMPONENT_KIND, undefined, componentNames) || parentIs(deployment, name)
  );
  const pods = snapshot.pods.filter((pod) => parentIs(pod, name));
  return [...graphs, ...components, ...deployments, ...pods].map((object) =>
    `${object.kind}/${object.metadata.name}`
  );
}

function hasOwner(
  object: KubeObject,
  kind: string,
  name: string | undefined,
  names?: ReadonlySet<string>,
): boolean {
  return (object.metadata.ownerReferences ?? []).some((ref) =>
    ref.kind === kind && (ref.name === name || names?.has(ref.name) === true)
  );
}

function parentIs(object: KubeObject, name: string): boolean {
  return parentOf(object) === name;
}

/**
 * The graph of a pod or Deployment; undefined when it is of none. Every Dynamo container is told
 * its graph (operator 0.4.1 to 1.6); labels differ by release.
 */
export function parentOf(object: KubeObject): string | undefined {
  const template = object.kind === "Deployment" ? object.spec?.template?.spec : object.spec;
  const containers: { env?: { name: string; value?: string }[] }[] = template?.containers ?? [];
  return containers.flatMap(({ env }) => env ?? [])
    .find((variable) => variable.name === "DYN_PARENT_DGD_K8S_NAME")?.value;
}

/** Options of {@link waitForRest}. */
export interface WaitForRestOptions extends Omit<RemoveGraphOptions, "name"> {
  /** Names of graphs that are gone. */
  readonly names: readonly string[];
}

/**
 * Waits until nothing is left of graphs that are gone; touches nothing. Returns what is left at
 * the end of the time, as `kind/name`.
 */
export async function waitForRest(
  ctx: Context,
  kube: Kube,
  { names, namespace, apiVersion, timeoutMs }: WaitForRestOptions,
): Promise<string[]> {
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)]);
  let left: string[] = [];
  for await (
    const snapshot of followObjects(kube, { kinds: graphKinds(apiVersion), namespace, signal })
  ) {
    left = names.flatMap((name) => remains(name, snapshot));
    if (left.length === 0) return [];
  }
  if (ctx.signal.aborted) throw interruptedError();
  return left;
}

/**
 * Deletes the LoRA adapters (DynamoModels) that a deployment of ours brought along; the operator
 * does not tie them to the graph. Returns how many there were.
 */
export async function removeAdapters(
  ctx: Context,
  kube: Kube,
  { namespace, name, timeoutMs }: Omit<RemoveGraphOptions, "apiVersion">,
): Promise<number> {
  const kind = { apiVersion: "nvidia.com/v1alpha1", kind: "DynamoModel" };
  const labelSelector = `app.kubernetes.io/managed-by=dynamo-eks,app.kubernetes.io/name=${name}`;
  let adapters: readonly KubeObject[];
  try {
    adapters = (await kube.list(kind, { namespace, labelSelector })).items;
  } catch (error) {
    // Early releases have no such kind.
    if (error instanceof TaskError && error.code === "KUBE_KIND_UNKNOWN") return 0;
    throw error;
  }
  await Promise.all(
    adapters.map(({ metadata }) =>
      removeObject(ctx, kube, { ...kind, namespace, name: metadata.name }, { timeoutMs })
    ),
  );
  return adapters.length;
}
