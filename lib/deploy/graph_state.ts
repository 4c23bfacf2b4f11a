/**
 * What a deployed graph looks like in the cluster, read from its objects.
 * Pure: objects in, state out.
 *
 * @module
 */
import type { GraphApiVersion } from "../blueprint/types.ts";
import type { KubeObject } from "../kube/types.ts";
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
}

/** One component as it is. */
export interface ComponentState extends WantedComponent {
  /** Pods ready. */
  readonly ready: number;
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
      image: component.podTemplate?.spec?.containers?.find((c: KubeObject) => c.name === "main")
        ?.image,
    }));
  }
  return Object.entries<KubeObject>(spec.services ?? {}).map(([name, service]) => ({
    name,
    type: service.componentType,
    replicas: service.replicas ?? 1,
    image: service.extraPodSpec?.mainContainer?.image,
  }));
}

/** Computes the state of a graph from its objects. */
export function graphState(objects: GraphObjects): GraphState {
  const { graph } = objects;
  const ready = (graph.status?.conditions ?? []).find((c: KubeObject) => c.type === "Ready");
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

// 0.4.1 writes no observedGeneration; there the comparison of spec and Deployment has to do.
function operatorSaysReady(graph: KubeObject): boolean {
  const status = graph.status ?? {};
  const condition = (status.conditions ?? []).find((c: KubeObject) => c.type === "Ready");
  const observed = condition?.observedGeneration ?? status.observedGeneration;
  if (observed !== undefined && observed !== graph.metadata.generation) return false;
  return status.state === "successful" || condition?.status === "True";
}

function componentState(wanted: WantedComponent, objects: GraphObjects): ComponentState {
  const owned = objects.componentDeployments.filter((dcd) =>
    isOwnedBy(dcd, objects.graph) && componentName(dcd) === wanted.name
  );
  const deployments = objects.deployments.filter((deployment) =>
    owned.some((dcd) => isOwnedBy(deployment, dcd))
  );
  const names = new Set(deployments.map((deployment) => deployment.metadata.name));
  const pods = objects.pods
    .filter((pod) => names.has(pod.metadata.labels?.["nvidia.com/selector"] ?? ""))
    .map(podState)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const ready = pods.filter((pod) => pod.ready && !pod.terminating).length;
  const settled = deployments.some((deployment) => hasCaughtUp(deployment, wanted)) &&
    ready >= wanted.replicas;
  return { ...wanted, ready, settled, pods, phrase: phrase(wanted, ready, pods) };
}

function componentName(dcd: KubeObject): string {
  return dcd.metadata.labels?.["nvidia.com/dynamo-component"] ?? dcd.spec?.serviceName ??
    dcd.spec?.name ?? "";
}

function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some((ref) => ref.uid === owner.metadata.uid);
}

// A ready Deployment of the old spec must not count for the new one.
function hasCaughtUp(deployment: KubeObject, wanted: WantedComponent): boolean {
  const { spec, status } = deployment;
  if ((status?.observedGeneration ?? 0) < (deployment.metadata.generation ?? 0)) return false;
  if ((spec?.replicas ?? 1) !== wanted.replicas) return false;
  const main = spec?.template?.spec?.containers?.find((c: KubeObject) => c.name === "main");
  if (wanted.image !== undefined && main?.image !== wanted.image) return false;
  const enough = (count: number | undefined) => (count ?? 0) >= wanted.replicas;
  return wanted.replicas === 0 ||
    (enough(status?.updatedReplicas) && enough(status?.readyReplicas));
}

function phrase(wanted: WantedComponent, ready: number, pods: readonly PodState[]): string {
  const troubled = pods.find((pod) => !pod.ready && !pod.terminating && pod.phrase !== "");
  const count = `${ready} of ${wanted.replicas} ready`;
  if (ready >= wanted.replicas || troubled === undefined) return count;
  return `${count}, ${troubled.phrase}`;
}
