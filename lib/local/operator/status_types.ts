/**
 * Statuses of Dynamo's resources in both versions.
 *
 * @module
 */

/** A condition of a status. */
export interface Condition {
  /** What it is about. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: "True" | "False" | "Unknown";
  /** Why, in one word. */
  readonly reason: string;
  /** Why, for a person. */
  readonly message: string;
  /** When the status changed last. */
  readonly lastTransitionTime: string;
  /** Generation of the object that it speaks of. */
  readonly observedGeneration?: number;
}

/** Counts of one component in a status. */
export interface ComponentCounts {
  /** Kind of the workload. */
  readonly componentKind: "Deployment";
  /** Names of the workloads. */
  readonly componentNames?: readonly string[];
  /** Pods. */
  readonly replicas: number;
  /** Pods of the newest template. */
  readonly updatedReplicas: number;
  /** Pods that are ready. */
  readonly readyReplicas: number;
  /** Pods that have been ready long enough. */
  readonly availableReplicas: number;
  /** Dynamo namespace in which the processes register. */
  readonly runtimeNamespace?: string;
}

/** Progress of a worker change. */
export interface RollingUpdate {
  /** How far it is. */
  readonly phase: "Pending" | "InProgress" | "Completed";
  /** When it began. */
  readonly startTime?: string;
  /** When it ended. */
  readonly endTime?: string;
  /** Components that are done (v1beta1). */
  readonly updatedComponents?: readonly string[];
  /** Services that are done (v1alpha1). */
  readonly updatedServices?: readonly string[];
}

/** Status of a graph. */
export interface GraphStatus {
  /** `pending`, `successful` or `failed`. */
  readonly state?: string;
  /** Condition Ready. */
  readonly conditions?: readonly Condition[];
  /** Generation that the status speaks of. */
  readonly observedGeneration?: number;
  /** Counts by component (v1beta1). */
  readonly components?: Record<string, ComponentCounts>;
  /** Counts by service (v1alpha1). */
  readonly services?: Record<string, ComponentCounts & { readonly componentName: string }>;
  /** The last change of workers. */
  readonly rollingUpdate?: RollingUpdate;
  /** The last restart asked for. */
  readonly restart?: { readonly observedID?: string; readonly phase?: string };
}

/** Status of a component. */
export interface ComponentStatus {
  /** Conditions Available and DynamoComponentReady. */
  readonly conditions?: readonly Condition[];
  /** Generation that the status speaks of. */
  readonly observedGeneration?: number;
  /** Counts (v1beta1). */
  readonly component?: ComponentCounts;
  /** Counts (v1alpha1). */
  readonly service?: ComponentCounts & { readonly componentName: string };
}
