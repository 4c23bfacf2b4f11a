/**
 * Objects as a cluster has them, for tests of diagnoses.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import type { ClusterFacts, ComponentObjects } from "./types.ts";

/** A moment before all others of the tests. */
export const CREATED = "2026-03-01T10:00:00Z";

/** Parts of a pod that a test says. */
export interface TestPod {
  /** Name; `vllm-worker-7d9f-x2x` unless given. */
  readonly name?: string;
  /** Node it is bound to. */
  readonly node?: string;
  /** GPUs it asks for. */
  readonly gpus?: number;
  /** Node selector. */
  readonly selector?: Readonly<Record<string, string>>;
  /** Message of the scheduler; the pod is not scheduled then. */
  readonly unscheduled?: string;
  /** Status of its container `main`. */
  readonly main?: Readonly<Record<string, unknown>>;
  /** Image of its container. */
  readonly image?: string;
  /** Claims that it mounts. */
  readonly claims?: readonly string[];
  /** Memory limit of its container. */
  readonly memory?: string;
  /** Whether it is being deleted. */
  readonly deleted?: boolean;
}

/** A pod of the component `Worker` that is not ready. */
export function testPod(options: TestPod = {}): KubeObject {
  const { name = "vllm-worker-7d9f-x2x", node, gpus = 1, image = "nvcr.io/a/vllm-runtime:1" } =
    options;
  const scheduled = options.unscheduled === undefined ? { type: "PodScheduled", status: "True" } : {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message: options.unscheduled,
  };
  const limits = {
    "nvidia.com/gpu": String(gpus),
    ...(options.memory === undefined ? {} : { memory: options.memory }),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "dynamo-cloud",
      uid: `uid-${name}`,
      creationTimestamp: CREATED,
      ...(options.deleted === true ? { deletionTimestamp: CREATED } : {}),
    },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      nodeSelector: options.selector ?? {},
      containers: [{ name: "main", image, resources: { limits } }],
      volumes: (options.claims ?? []).map((claimName) => ({
        name: claimName,
        persistentVolumeClaim: { claimName },
      })),
    },
    status: {
      phase: "Pending",
      conditions: [scheduled, { type: "Ready", status: "False" }],
      ...(options.main === undefined ? {} : {
        containerStatuses: [{
          name: "main",
          image,
          restartCount: 0,
          lastState: {},
          ...options.main,
        }],
      }),
    },
  };
}

/** An event about an object. */
export function testEvent(
  about: KubeObject,
  reason: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): KubeObject {
  const { name, uid } = about.metadata;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${reason}`, namespace: "dynamo-cloud" },
    involvedObject: { kind: about.kind, name, ...(uid === undefined ? {} : { uid }) },
    type: "Warning",
    reason,
    message,
    lastTimestamp: "2026-03-01T10:01:00Z",
    ...more,
  };
}

/** A node of a pool. */
export function testNode(name: string, pool: string, gpus: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "karpenter.sh/nodepool": pool } },
    status: { allocatable: { "nvidia.com/gpu": String(gpus) } },
  };
}

/** A graph with one component, `Worker`, and these pods. */
export function testFacts(
  pods: readonly KubeObject[],
  more: Partial<ClusterFacts> = {},
): ClusterFacts {
  const component: ComponentObjects = {
    name: "Worker",
    componentDeployments: [],
    deployments: [],
    pods,
  };
  return {
    graph: {
      apiVersion: "nvidia.com/v1beta1",
      kind: "DynamoGraphDeployment",
      metadata: { name: "vllm", namespace: "dynamo-cloud", generation: 1 },
      status: { state: "pending", observedGeneration: 1 },
    },
    components: [component],
    events: [],
    pods,
    claims: [],
    nodes: undefined,
    nodePools: undefined,
    nodeClaims: undefined,
    storageClasses: undefined,
    operators: undefined,
    logs: new Map(),
    ...more,
  };
}
