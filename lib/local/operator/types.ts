/**
 * Dynamo's custom resources and the Deployment, as the controller sees them.
 *
 * @module
 */
import type { KubeObject, ObjectMeta } from "../../kube/types.ts";
import type { Json, PodTemplate } from "./pod_types.ts";
import type {
  ComponentV1Alpha1Spec,
  ComponentV1Beta1Spec,
  GraphV1Alpha1Spec,
  GraphV1Beta1Spec,
} from "./spec_types.ts";
import type { ComponentStatus, GraphStatus } from "./status_types.ts";

export type * from "./pod_types.ts";
export type * from "./spec_types.ts";
export type * from "./status_types.ts";

/** A DynamoGraphDeployment of either version. */
export interface Graph extends KubeObject {
  /** What is asked for. */
  spec?: GraphV1Alpha1Spec & GraphV1Beta1Spec;
  /** What is. */
  status?: GraphStatus;
}

/** A DynamoComponentDeployment of either version. */
export interface Component extends KubeObject {
  /** What is asked for. */
  spec: Partial<ComponentV1Alpha1Spec & ComponentV1Beta1Spec>;
  /** What is. */
  status?: ComponentStatus;
}

/** A Deployment, the parts that are read. */
export interface Deployment extends KubeObject {
  /** What is asked for. */
  spec: { replicas?: number; selector: Json; template: PodTemplate; strategy?: Json };
  /** What is. */
  status?: {
    /** Generation that the status speaks of. */
    observedGeneration?: number;
    /** Pods. */
    replicas?: number;
    /** Pods of the newest template. */
    updatedReplicas?: number;
    /** Pods that are ready. */
    readyReplicas?: number;
    /** Pods that have been ready long enough. */
    availableReplicas?: number;
    /** Conditions. */
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Namespace of a namespaced object. */
export function namespaceOf(object: { metadata: ObjectMeta }): string {
  return object.metadata.namespace ?? "default";
}
