/**
 * Schema of a service of a v1alpha1 graph, by release.
 *
 * @module
 */
import type { Semver } from "../features.ts";
import { envVar, extraPodSpec, probe } from "./core_types.ts";
import {
  anyObject,
  anyObjects,
  boolean,
  integer,
  list,
  map,
  object,
  quantity,
  type Rule,
  type Schema,
  string,
  withRules,
} from "./schema.ts";

/** Whether a release is at least `major.minor`. */
export type Since = (major: number, minor: number) => boolean;

/** Builds {@link Since} for a version. */
export function sinceOf(version: Semver): Since {
  return (major, minor) =>
    version.major > major || (version.major === major && version.minor >= minor);
}

/** Names of the inference engines. */
export const FRAMEWORKS = ["sglang", "vllm", "trtllm"];

/** Rule that `minAvailable` fits the replicas and stays as it is. */
export const MIN_AVAILABLE_RULES: readonly Rule[] = [
  {
    rule: "!has(self.minAvailable) || (has(self.replicas) && self.replicas == 0) || " +
      "self.minAvailable <= (has(self.replicas) ? self.replicas : 1)",
    message: "minAvailable must be less than or equal to replicas unless replicas is 0",
  },
  {
    rule: "!has(oldSelf.minAvailable) || " +
      "(has(self.minAvailable) && self.minAvailable == oldSelf.minAvailable)",
    message: "minAvailable is immutable after creation",
  },
];

/** Pattern of a topology domain. */
export const DOMAIN = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/** Fields that a release has, or none. */
export function sinceFields(
  present: boolean,
  fields: Record<string, Schema>,
): Record<string, Schema> {
  return present ? fields : {};
}

/** Whose fields: a graph has some that the component made from it lacks. */
export type Owner = "graph" | "component";

/** `nodeCount` of a component that spans nodes. */
export function multinode(since: Since, required: boolean, owner: Owner): Schema {
  const role = object({ providerOverride: providerOverride() });
  return object({
    nodeCount: integer({ minimum: 2, default: 2 }),
    ...sinceFields(owner === "graph" && since(1, 5), { leader: role, worker: role }),
  }, required ? { required: ["nodeCount"] } : {});
}

/** Settings handed to an orchestrator as they are. */
export function providerOverride(): Schema {
  return object({
    apiVersion: string({ minLength: 1 }),
    target: string(),
    value: anyObject(),
  }, { required: ["apiVersion", "value"] });
}

function resources(since: Since): Schema {
  const item = object({
    cpu: string(),
    custom: map(string()),
    gpu: string(),
    ...sinceFields(since(0, 7), { gpuType: string() }),
    memory: string(),
  });
  return object({
    ...sinceFields(since(0, 6), { claims: anyObjects() }),
    limits: item,
    requests: item,
  });
}

/** A claim: the service's own before 0.6, the graph's since. */
export function claimFields(): Record<string, Schema> {
  return {
    create: boolean(),
    name: string(),
    size: quantity(),
    storageClass: string(),
    volumeAccessMode: string(),
  };
}

function ingress(): Schema {
  return object({
    annotations: map(string()),
    enabled: boolean(),
    host: string(),
    hostPrefix: string(),
    hostSuffix: string(),
    ingressControllerClassName: string(),
    labels: map(string()),
    tls: object({ secretName: string() }),
    useVirtualService: boolean(),
    virtualServiceGateway: string(),
  });
}

/** Fields that a service of a graph and a component have in common. */
export function serviceFields(version: Semver, owner: Owner): Record<string, Schema> {
  const since = sinceOf(version);
  return {
    annotations: map(string()),
    autoscaling: object({
      behavior: anyObject(),
      enabled: boolean(),
      maxReplicas: { type: "integer" },
      metrics: anyObjects(),
      minReplicas: { type: "integer" },
    }),
    componentType: string(),
    dynamoNamespace: string(),
    envFromSecret: string(),
    envs: list(envVar()),
    extraPodMetadata: object({ annotations: map(string()), labels: map(string()) }),
    extraPodSpec: extraPodSpec(),
    ingress: ingress(),
    labels: map(string()),
    livenessProbe: probe(),
    multinode: multinode(since, true, owner),
    readinessProbe: probe(),
    replicas: integer(since(0, 8) ? { minimum: 0 } : {}),
    resources: resources(since),
    serviceName: string(),
    sharedMemory: sharedMemory(since),
    ...sinceFields(!since(0, 6), { pvc: object({ ...claimFields(), mountPoint: string() }) }),
    ...sinceFields(since(0, 6), {
      subComponentType: string(),
      volumeMounts: list(object({
        mountPoint: string(),
        name: string(),
        useAsCompilationCache: boolean({ default: false }),
      }, { required: ["name"] })),
    }),
    ...sinceFields(since(0, 7), {
      globalDynamoNamespace: boolean(),
      modelRef: object({ name: string(), revision: string() }, { required: ["name"] }),
    }),
    ...sinceFields(since(0, 8), {
      scalingAdapter: object({
        [since(0, 9) ? "enabled" : "disable"]: boolean({ default: false }),
      }),
    }),
    ...sinceFields(since(0, 9), { checkpoint: anyObject(), eppConfig: anyObject() }),
    ...sinceFields(since(1, 0), {
      frontendSidecar: object({
        args: list(string()),
        envFromSecret: string(),
        envs: list(envVar()),
        image: string(),
      }, { required: ["image"] }),
    }),
    ...sinceFields(since(1, 1), {
      failover: anyObject(),
      gpuMemoryService: anyObject(),
      topologyConstraint: object({ packDomain: string({ pattern: DOMAIN }) }, {
        required: ["packDomain"],
      }),
    }),
    ...sinceFields(since(1, 3), { minAvailable: integer({ minimum: 1 }) }),
    ...sinceFields(since(1, 4), { runtimeVersionOverride: runtimeVersion() }),
    ...sinceFields(owner === "graph" && since(1, 5), { providerOverride: providerOverride() }),
  };
}

function sharedMemory(since: Since): Schema {
  return {
    ...object({ disabled: boolean(), size: quantity() }),
    ...withRules(
      since(1, 2)
        ? [{
          rule: "(has(self.disabled) && self.disabled) || " +
            "(has(self.size) && quantity(self.size).isGreaterThan(quantity('0')))",
          message: "size is required when disabled is false",
        }]
        : [],
    ),
  };
}

/** A version of the runtime inside an image. */
export function runtimeVersion(): Schema {
  const part = "(0|[1-9][0-9]{0,3})";
  return string({ pattern: `^${part}\\.${part}\\.${part}$` });
}
