/**
 * What is wrong with a graph that does not come up: the shape of a diagnosis, and the objects it
 * is read from.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";

/** One thing that keeps a component from being ready. */
export interface Diagnosis {
  /** Stable, upper-case identifier; `lib/deploy/operating.md` lists them. */
  readonly code: string;
  /** Component (or, for the operator's own troubles, graph) that it is about. */
  readonly component: string;
  /** What is wrong, in plain words, with the names and numbers that matter. */
  readonly cause: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether waiting cannot mend it. */
  readonly final: boolean;
  /** Milliseconds that a final diagnosis has to stand before a wait is given up. */
  readonly graceMs: number;
}

/** One component with the objects that belong to it. */
export interface ComponentObjects {
  /** Name in the graph. */
  readonly name: string;
  /** The operator's objects for it. */
  readonly componentDeployments: readonly KubeObject[];
  /** Its Deployments; during a rolling update of workers there may be two. */
  readonly deployments: readonly KubeObject[];
  /** Its pods. */
  readonly pods: readonly KubeObject[];
}

/** An operator for Dynamo's graphs. */
export interface OperatorFact {
  /** Its Deployment, as `namespace/name`. */
  readonly name: string;
  /** Pods of it that are ready. */
  readonly ready: number;
}

/**
 * Everything that a diagnosis is read from. What may not be read, or is not served, is undefined:
 * an empty list means that there is none.
 */
export interface ClusterFacts {
  /** The graph. */
  readonly graph: KubeObject;
  /** Its components. */
  readonly components: readonly ComponentObjects[];
  /** Events of the namespace, and those of NodeClaims. */
  readonly events: readonly KubeObject[];
  /** Pods of the namespace. */
  readonly pods: readonly KubeObject[];
  /** PersistentVolumeClaims of the namespace. */
  readonly claims: readonly KubeObject[];
  /** Nodes of the cluster. */
  readonly nodes: readonly KubeObject[] | undefined;
  /** Karpenter's node pools; undefined where there is no Karpenter. */
  readonly nodePools: readonly KubeObject[] | undefined;
  /** Karpenter's orders for nodes. */
  readonly nodeClaims: readonly KubeObject[] | undefined;
  /** Storage classes of the cluster. */
  readonly storageClasses: readonly KubeObject[] | undefined;
  /** Operators that look after the namespace; undefined while nobody has looked. */
  readonly operators: readonly OperatorFact[] | undefined;
  /** Last log lines of containers, oldest first, by {@link logKey}. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
}

/** Key of a container's log: each start has one of its own. */
export function logKey(pod: string, container: string, restart: number): string {
  return `${pod}/${container}/${restart}`;
}
