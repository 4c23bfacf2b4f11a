/**
 * What a deployed graph looks like in the cluster, read from its objects.
 * Pure: objects in, state out.
 *
 * @module
 */
import type { GraphApiVersion } from "../blueprint/types.ts";
import { isRolledOut } from "../kube/rolled_out.ts";
import type { KubeObject } from "../kube/types.ts";
import type { ComponentObjects } from "./diagnosis/types.ts";
import { type PodState, podState } from "./pod_state.ts";

/** Kind of a deployed graph. */
export const GRAPH_KIND = "DynamoGraphDeployment";

/** Kind the operator makes of each component. */
export const COMPONENT_KIND = "DynamoComponentDeployment";

/** One component as the graph's spec asks for it. */
export interface WantedComponent {
  /** Name in the graph, for example `VllmDecodeWorker`. */
  readonly name: string;
  /** frontend, worker, prefill, decode, planner, main; undefined when the graph says none. */
  readonly type: string | undefined;
  /** Replicas asked for. */
  readonly replicas: number;
  /** Image of the main container, when the graph names one. */
  readonly image: string | undefined;
  /** The main container as the graph has it, in the form of a pod's. */
  readonly container?: KubeObject;
}

/** One component as it is. */
export interface ComponentState extends WantedComponent {
  /** Pods ready. */
  readonly ready: number;
  /** Pods of the present version; fewer than all while a rolling update goes on. */
  readonly updated: number;
  /** Whether the cluster has caught up with the spec. */
  readonly settled: boolean;
  /** The component's pods, oldest first. */
  readonly pods: readonly PodState[];
  /** In a few words: `1 of 2 ready`, `Pending: Insufficient nvidia.com/gpu`. */
  readonly phrase: string;
}

/** A graph as it is. */
export interface GraphState {
  /** Name of the graph. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** API version it was read in. */
  readonly apiVersion: string;
  /** Seconds since the epoch are not kept: the text as the API has it. */
  readonly createdAt: string | undefined;
  /** `status.state` as the operator wrote it; `unknown` before that. */
  readonly state: string;
  /** Reason and message of the Ready condition. */
  readonly reason: string;
  /** Message of the Ready condition. */
  readonly message: string;
  /** Whether operator and workloads agree that all is ready, for the current generation. */
  readonly ready: boolean;
  /** Its components, in the order of the spec. */
  readonly components: readonly ComponentState[];
  /** Whether the objects carry our label. */
  readonly ours: boolean;
}

/** Objects of one namespace that {@link graphState} reads. */
export interface GraphObjects {
  /** The graph itself. */
  readonly graph: KubeObject;
  /** The operator's objects, one a component. */
  readonly componentDeployments: readonly KubeObject[];
  /** Deployments of the namespace. */
  readonly deployments: readonly KubeObject[];
  /** Pods of the namespace. */
  readonly pods: readonly KubeObject[];
}

/** Components that a graph's spec asks for, in either API version. */
export function wantedComponents(graph: KubeObject): WantedComponent[] {
  const spec = graph.spec ?? {};
  if (graph.apiVersion === ("nvidia.com/v1beta1" satisfies GraphApiVersion)) {
    return (spec.components ?? []).map((component: KubeObject) => ({
      name: component.name,
      type: component.type,
      replicas: component.replicas ?? 1,
      ...mainContainer(
        component.podTemplate?.spec?.containers?.find((c: KubeObject) => c.name === "main"),
      ),
    }));
  }
  return Object.entries<KubeObject>(spec.services ?? {}).map(([name, service]) => ({
    name,
    type: service.componentType,
    replicas: service.replicas ?? 1,
    ...mainContainer(service.extraPodSpec?.mainContainer),
  }));
}

function mainContainer(
  container: KubeObject | undefined,
): Pick<WantedComponent, "image" | "container"> {
  return container === undefined ? { image: undefined } : { image: container.image, container };
}

/** Computes the state of a graph from its objects. */
export function graphState(objects: GraphObjects): GraphState {
  const { graph } = objects;
  const ready = readyCondition(graph);
  const components = wantedComponents(graph).map((wanted) => componentState(wanted, objects));
  return {
    name: graph.metadata.name,
    namespace: graph.metadata.namespace ?? "",
    apiVersion: graph.apiVersion,
    createdAt: graph.metadata.creationTimestamp,
    state: graph.status?.state || "unknown",
    reason: ready?.reason ?? "",
    message: ready?.message ?? "",
    ready: operatorSaysReady(graph) && components.every((component) => component.settled),
    components,
    ours: graph.metadata.labels?.["app.kubernetes.io/managed-by"] === "dynamo-eks",
  };
}

function readyCondition(graph: KubeObject): KubeObject | undefined {
  return (graph.status?.conditions ?? []).find((c: KubeObject) => c.type === "Ready");
}

function observedGeneration(graph: KubeObject): number | undefined {
  return readyCondition(graph)?.observedGeneration ?? graph.status?.observedGeneration;
}

// 0.4.1 writes no observedGeneration; there the comparison of spec and Deployment has to do.
function operatorSaysReady(graph: KubeObject): boolean {
  const status = graph.status ?? {};
  const condition = readyCondition(graph);
  const observed = observedGeneration(graph);
  if (observed !== undefined && observed !== graph.metadata.generation) return false;
  return status.state === "successful" || condition?.status === "True";
}

/** The objects of each component, in the order of the spec. */
export function componentObjects(objects: GraphObjects): ComponentObjects[] {
  return wantedComponents(objects.graph).map(({ name }) => objectsOf(name, objects));
}

function objectsOf(name: string, objects: GraphObjects): ComponentObjects {
  const componentDeployments = objects.componentDeployments.filter((dcd) =>
    isOwnedBy(dcd, objects.graph) && componentName(dcd) === name
  );
  const deployments = objects.deployments.filter((deployment) =>
    componentDeployments.some((dcd) => isOwnedBy(deployment, dcd))
  );
  const names = new Set(deployments.map((deployment) => deployment.metadata.name));
  const pods = objects.pods.filter((pod) =>
    names.has(pod.metadata.labels?.["nvidia.com/selector"] ?? "")
  );
  return { name, componentDeployments, deployments, pods };
}

function componentState(wanted: WantedComponent, objects: GraphObjects): ComponentState {
  const { deployments, pods: podObjects } = objectsOf(wanted.name, objects);
  const pods = podObjects.map(podState).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const ready = pods.filter((pod) => pod.ready && !pod.terminating).length;
  // What runs in the cluster is not repeated in what `status --output json` says.
  const { container: _, ...shown } = wanted;
  const compared = observedGeneration(objects.graph) === undefined ? wanted : shown;
  const current = deployments.filter((one) => isCurrent(one, compared));
  const updated = current.reduce((sum, one) => sum + (one.status?.updatedReplicas ?? 0), 0);
  const settled = current.some((one) => hasCaughtUp(one, wanted)) && ready >= wanted.replicas;
  const state = { ready, updated, settled, pods };
  return { ...shown, ...state, phrase: phrase(wanted, state) };
}

function componentName(dcd: KubeObject): string {
  return dcd.metadata.labels?.["nvidia.com/dynamo-component"] ?? dcd.spec?.serviceName ??
    dcd.spec?.name ?? "";
}

function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some((ref) => ref.uid === owner.metadata.uid);
}

// A ready Deployment of the old spec must not count for the new one. Early operators do not say
// which generation of the graph they speak of, so the containers are compared.
function isCurrent(deployment: KubeObject, wanted: WantedComponent): boolean {
  const main = deployment.spec?.template?.spec?.containers?.find((c: KubeObject) =>
    c.name === "main"
  );
  if (wanted.image !== undefined && main?.image !== wanted.image) return false;
  if (wanted.container === undefined) return true;
  const { args, env } = wanted.container;
  if (Array.isArray(args) && !sameWords(args, main?.args ?? [])) return false;
  return (env ?? []).every(({ name, value }: { name: string; value?: string }) =>
    value === undefined || OPERATORS_OWN.test(name) ||
    (main?.env ?? []).some((one: KubeObject) => one.name === name && one.value === value)
  );
}

// Variables whose value an operator may set over the graph's.
const OPERATORS_OWN = /^(DYN|DYNAMO|NIXL|POD|ETCD|NATS)_/;

// Operators put arguments of their own behind those of the graph, for several nodes.
function sameWords(wanted: readonly unknown[], present: readonly unknown[]): boolean {
  const all = present.join(" ");
  return wanted.every((word) => all.includes(String(word)));
}

function hasCaughtUp(deployment: KubeObject, wanted: WantedComponent): boolean {
  return (deployment.spec?.replicas ?? 1) === wanted.replicas && isRolledOut(deployment);
}

/** `1 of 2 ready`; pods of the version before are not counted as more than all. */
export function readyWords(ready: number, wanted: number): string {
  const more = ready - wanted;
  return more <= 0 ? `${ready} of ${wanted} ready` : `${wanted} of ${wanted} ready, ${more} to go`;
}

function phrase(
  wanted: WantedComponent,
  { ready, updated, settled, pods }: Omit<ComponentState, keyof WantedComponent | "phrase">,
): string {
  const troubled = pods.find((pod) => !pod.ready && !pod.terminating && pod.phrase !== "");
  const count = readyWords(ready, wanted.replicas);
  if (!settled && updated < wanted.replicas && ready > updated) {
    return `${count}, ${updated} of ${wanted.replicas} updated` +
      (troubled === undefined ? "" : `, ${troubled.phrase}`);
  }
  if (ready >= wanted.replicas || troubled === undefined) return count;
  return `${count}, ${troubled.phrase}`;
}
