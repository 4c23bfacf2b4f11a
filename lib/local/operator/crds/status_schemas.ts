/**
 * Schemas of the statuses of graphs and components.
 *
 * @module
 */
import type { GraphApiVersion } from "../../../blueprint/types.ts";
import type { Semver } from "../features.ts";
import { sinceFields, sinceOf } from "./component_v1alpha1.ts";
import { conditions } from "./core_types.ts";
import {
  anyObject,
  integer,
  list,
  long,
  map,
  number,
  object,
  oneOf,
  type Schema,
  string,
  time,
} from "./schema.ts";

/** Counts of one component. */
function counts(version: Semver, api: GraphApiVersion): Schema {
  const since = sinceOf(version);
  const count = () => integer({ minimum: 0 });
  const alpha = api === "nvidia.com/v1alpha1";
  return object({
    availableReplicas: count(),
    componentKind: oneOf("PodClique", "PodCliqueScalingGroup", "Deployment", "LeaderWorkerSet"),
    ...sinceFields(alpha, { componentName: string() }),
    ...sinceFields(since(1, 0), { componentNames: list(string()) }),
    readyReplicas: count(),
    replicas: count(),
    ...sinceFields(since(1, 3), { runtimeNamespace: string(), scheduledReplicas: count() }),
    updatedReplicas: count(),
  }, {
    required: alpha
      ? ["componentKind", "componentName", "replicas", "updatedReplicas"]
      : ["componentKind", "replicas", "updatedReplicas"],
  });
}

/** Status of a DynamoGraphDeployment. */
export function graphStatusSchema(version: Semver, api: GraphApiVersion): Schema {
  const since = sinceOf(version);
  const beta = api === "nvidia.com/v1beta1";
  return object({
    conditions: conditions(),
    state: since(1, 0)
      ? {
        type: "string",
        enum: ["initializing", "pending", "successful", "failed"],
        default: "initializing",
      }
      : string(),
    ...sinceFields(since(0, 8), {
      [beta ? "components" : "services"]: map(counts(version, api)),
    }),
    ...sinceFields(since(0, 9), {
      checkpoints: map(anyObject()),
      restart: object({ inProgress: list(string()), observedID: string(), phase: string() }),
    }),
    ...sinceFields(since(1, 0), {
      observedGeneration: long(),
      rollingUpdate: object({
        endTime: time(),
        phase: oneOf("Pending", "InProgress", "Completed", "Failed", ""),
        startTime: time(),
        [beta ? "updatedComponents" : "updatedServices"]: list(string()),
      }),
    }),
    ...sinceFields(since(1, 4), {
      placement: object({
        score: number({ minimum: 0, maximum: 1 }),
        state: oneOf("Reported", "Partial", "Unsupported", "Unknown"),
      }),
    }),
  }, since(1, 0) ? { required: ["state"] } : {});
}

/** Status of a DynamoComponentDeployment. */
export function componentStatusSchema(version: Semver, api: GraphApiVersion): Schema {
  const since = sinceOf(version);
  const beta = api === "nvidia.com/v1beta1";
  return object({
    conditions: conditions(),
    ...sinceFields(!beta, { podSelector: map(string()) }),
    ...sinceFields(since(0, 8), { [beta ? "component" : "service"]: counts(version, api) }),
    ...sinceFields(since(0, 9), { observedGeneration: long() }),
  }, beta ? {} : { required: ["conditions"] });
}
