/**
 * The shape of `deno task describe --output json`.
 *
 * @module
 */
import type { Diagnosis } from "./diagnosis/types.ts";
import type { GraphStatus, Status } from "./status.ts";

/** One event. */
export interface DescribedEvent {
  /** When it was last seen, RFC 3339. */
  readonly time: string;
  /** Normal or Warning. */
  readonly type: string;
  /** Reason. */
  readonly reason: string;
  /** `Pod/name`. */
  readonly object: string;
  /** Message. */
  readonly message: string;
  /** How often. */
  readonly count: number;
}

/** One container of a pod. */
export interface DescribedContainer {
  /** Name of the container. */
  readonly name: string;
  /** Image. */
  readonly image: string;
  /** `running`, or why it is not. */
  readonly state: string;
  /** Why the start before it ended; null when there was none. */
  readonly lastEnd: string | null;
  /** Restarts. */
  readonly restarts: number;
  /** Requests and limits. */
  readonly resources: Readonly<Record<string, unknown>>;
}

/** One pod of the graph. */
export interface DescribedPod {
  /** Name of the pod. */
  readonly name: string;
  /** Component. */
  readonly component: string;
  /** Node; null before it has one. */
  readonly node: string | null;
  /** Phase as Kubernetes has it. */
  readonly phase: string;
  /** Whether it is ready. */
  readonly ready: boolean;
  /** Containers, those that run first in front. */
  readonly containers: readonly DescribedContainer[];
}

/** Last lines of a container. */
export interface DescribedLog {
  /** Pod. */
  readonly pod: string;
  /** Container. */
  readonly container: string;
  /** Whether of the start before the present one. */
  readonly previous: boolean;
  /** Lines, oldest first. */
  readonly lines: readonly string[];
}

/** A condition of an object. */
export interface DescribedCondition {
  /** Type. */
  readonly type: string;
  /** True, False or Unknown. */
  readonly status: string;
  /** Reason. */
  readonly reason: string;
  /** Message. */
  readonly message: string;
}

/** The shape of `deno task describe --output json`: no secret is in it. */
export interface Description {
  /** Where, with versions. */
  readonly target: Status["target"];
  /** The operator; null when it is not in the namespace. */
  readonly operator: Status["operator"];
  /** The graph's state, endpoint and cost. */
  readonly graph: GraphStatus;
  /** Its conditions. */
  readonly conditions: readonly DescribedCondition[];
  /** What keeps it from being ready. */
  readonly diagnoses: readonly Diagnosis[];
  /** Its pods. */
  readonly pods: readonly DescribedPod[];
  /** Claims for storage in the namespace. */
  readonly claims: readonly {
    readonly name: string;
    readonly phase: string;
    readonly storageClass: string;
    readonly size: string;
  }[];
  /** Nodes that its pods run on. */
  readonly nodes: readonly {
    readonly name: string;
    readonly kubelet: string;
    readonly conditions: readonly DescribedCondition[];
  }[];
  /** Events about the graph and what belongs to it, oldest first. */
  readonly events: readonly DescribedEvent[];
  /** Last lines of containers that are not ready. */
  readonly logs: readonly DescribedLog[];
}
