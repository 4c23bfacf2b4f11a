/**
 * Labels, annotations and fixed names of the real operator: what people select by.
 *
 * @module
 */

/** API group of Dynamo's kinds. */
export const GROUP = "nvidia.com";

/** Labels. */
export const LABEL = {
  component: "nvidia.com/dynamo-component",
  componentType: "nvidia.com/dynamo-component-type",
  subComponentType: "nvidia.com/dynamo-sub-component-type",
  namespace: "nvidia.com/dynamo-namespace",
  graph: "nvidia.com/dynamo-graph-deployment-name",
  workerHash: "nvidia.com/dynamo-worker-hash",
  discoveryBackend: "nvidia.com/dynamo-discovery-backend",
  discoveryEnabled: "nvidia.com/dynamo-discovery-enabled",
  metrics: "nvidia.com/metrics-enabled",
  selector: "nvidia.com/selector",
  componentPod: "nvidia.com/dynamo-component-pod",
} as const;

/** Annotations. */
export const ANNOTATION = {
  hash: "nvidia.com/last-applied-hash",
  generation: "nvidia.com/last-applied-generation",
  workerHash: "nvidia.com/current-worker-hash-v2",
  originVersion: "nvidia.com/dynamo-operator-origin-version",
  workloadProvider: "nvidia.com/workload-provider",
  enableMetrics: "nvidia.com/enable-metrics",
  strategy: "nvidia.com/deployment-strategy",
  maxSurge: "nvidia.com/deployment-rolling-update-max-surge",
  maxUnavailable: "nvidia.com/deployment-rolling-update-max-unavailable",
  discoveryBackend: "nvidia.com/dynamo-discovery-backend",
  kubeDiscoveryMode: "nvidia.com/dynamo-kube-discovery-mode",
  vllmExecutor: "nvidia.com/vllm-distributed-executor-backend",
  noPullSecrets: "nvidia.com/disable-image-pull-secret-discovery",
  restartAt: "nvidia.com/restartAt",
} as const;

/** Finalizer of graphs and components. */
export const FINALIZER = "nvidia.com/finalizer";

/** Service account of planners. */
export const PLANNER_ACCOUNT = "planner-serviceaccount";

/** ClusterRole that planners are bound to. */
export const PLANNER_CLUSTER_ROLE = "dynamo-platform-dynamo-operator-planner";

/** Name of the container that runs a component. */
export const MAIN_CONTAINER = "main";

/** Port of the frontend's HTTP API. */
export const HTTP_PORT = 8000;

/** Port of a worker's health and metrics. */
export const SYSTEM_PORT = 9090;

/** Name of a component's objects: graph and lower-case component, joined. */
export function componentName(graph: string, component: string): string {
  return `${graph}-${component.toLowerCase()}`;
}
