/**
 * Schemas of the small kinds: scaling adapter, model, worker metadata.
 *
 * @module
 */
import { conditions } from "./core_types.ts";
import { anyObject, anyObjects, integer, object, type Schema, string, time } from "./schema.ts";

/** Spec of a DynamoGraphDeploymentScalingAdapter; `field` names the component. */
export function adapterSpec(field: "serviceName" | "componentName"): Schema {
  return object({
    dgdRef: object({ name: string({ minLength: 1 }), [field]: string({ minLength: 1 }) }, {
      required: ["name", field],
    }),
    replicas: integer({ minimum: 0 }),
  }, { required: ["dgdRef", "replicas"] });
}

/** Its status. */
export function adapterStatus(field: "serviceName" | "componentName"): Schema {
  return object(
    { lastScaleTime: time(), replicas: integer(), selector: string() },
    field === "componentName" ? { required: ["replicas"] } : {},
  );
}

/** Spec of a DynamoModel. */
export function modelSpec(): Schema {
  return object({
    baseModelName: string(),
    modelName: string(),
    modelType: string(),
    source: anyObject(),
  }, { required: ["baseModelName", "modelName"] });
}

/** Its status. */
export function modelStatus(): Schema {
  return object({
    conditions: conditions(),
    endpoints: anyObjects(),
    readyEndpoints: { type: "integer" },
    totalEndpoints: { type: "integer" },
  });
}

/** Spec of a DynamoWorkerMetadata: what a worker says about itself. */
export function workerMetadataSpec(): Schema {
  return object({ data: anyObject() }, { required: ["data"] });
}
