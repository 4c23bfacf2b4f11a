/**
 * Schemas of DynamoGraphDeploymentRequest. No controller acts on requests here; they are
 * accepted so that manifests which carry one can be applied.
 *
 * @module
 */
import { conditions } from "./core_types.ts";
import {
  anyObject,
  boolean,
  integer,
  long,
  map,
  number,
  object,
  oneOf,
  type Schema,
  string,
} from "./schema.ts";

/** Spec of v1alpha1. */
export function requestSpecV1Alpha1(): Schema {
  return object({
    autoApply: boolean({ default: false }),
    backend: oneOf("vllm", "sglang", "trtllm"),
    deploymentOverrides: object({
      annotations: map(string()),
      labels: map(string()),
      name: string(),
      namespace: string(),
      workersImage: string(),
    }),
    enableGpuDiscovery: boolean(),
    model: string(),
    profilingConfig: anyObject(),
    useMocker: boolean(),
  }, { required: ["backend", "model", "profilingConfig"] });
}

/** Status of v1alpha1. */
export function requestStatusV1Alpha1(): Schema {
  return object({
    backend: string(),
    conditions: conditions(),
    deployment: object({
      created: boolean(),
      name: string(),
      namespace: string(),
      state: string(),
    }),
    generatedDeployment: anyObject(),
    observedGeneration: long(),
    profilingResults: string(),
    state: string(),
  });
}

/** Spec of v1beta1. */
export function requestSpecV1Beta1(): Schema {
  return object({
    autoApply: boolean({ default: true }),
    backend: oneOf("auto", "vllm", "sglang", "trtllm"),
    features: anyObject(),
    hardware: object({
      gpuSku: string(),
      interconnect: string(),
      numGpusPerNode: integer(),
      rdma: boolean(),
      totalGpus: integer(),
      vramMb: number(),
    }),
    image: string(),
    model: string({ minLength: 1 }),
    modelCache: object({
      pvcModelPath: string(),
      pvcMountPath: string({ default: "/opt/model-cache" }),
      pvcName: string(),
    }),
    overrides: anyObject(),
    runtimeVersionOverride: string(),
    searchStrategy: oneOf("rapid", "thorough"),
    sla: object({
      e2eLatency: number(),
      itl: number(),
      optimizationType: oneOf("latency", "throughput"),
      ttft: number(),
    }),
    workload: object({
      concurrency: number(),
      isl: integer({ default: 4000 }),
      osl: integer({ default: 1000 }),
      requestRate: number(),
    }),
  }, { required: ["model"] });
}

/** Status of v1beta1. */
export function requestStatusV1Beta1(): Schema {
  return object({
    conditions: conditions(),
    deploymentInfo: object({ availableReplicas: integer(), replicas: integer() }),
    dgdName: string(),
    observedGeneration: long(),
    phase: oneOf("Pending", "Profiling", "Ready", "Deploying", "Deployed", "Failed"),
    profilingJobName: string(),
    profilingPhase: string(),
    profilingResults: anyObject(),
  });
}
