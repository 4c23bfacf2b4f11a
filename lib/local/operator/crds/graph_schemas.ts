/**
 * Schemas of DynamoGraphDeployment and DynamoComponentDeployment, by release.
 *
 * @module
 */
import type { OperatorFeatures, Semver } from "../features.ts";
import {
  claimFields,
  DOMAIN,
  FRAMEWORKS,
  MIN_AVAILABLE_RULES,
  multinode,
  type Owner,
  providerOverride,
  runtimeVersion,
  serviceFields,
  type Since,
  sinceFields,
  sinceOf,
} from "./component_v1alpha1.ts";
import { envVar, podTemplate } from "./core_types.ts";
import {
  componentRulesV1Beta1,
  graphRulesV1Alpha1,
  graphRulesV1Beta1,
  serviceRulesV1Alpha1,
} from "./rules.ts";
import {
  anyObject,
  boolean,
  integer,
  list,
  listBy,
  map,
  object,
  oneOf,
  quantity,
  type Rule,
  type Schema,
  string,
} from "./schema.ts";

function restart(): Schema {
  return object({
    id: string({ minLength: 1 }),
    strategy: object({
      order: list(string()),
      type: { type: "string", enum: ["Sequential", "Parallel"], default: "Sequential" },
    }),
  }, { required: ["id"] });
}

/** Spec of a v1alpha1 DynamoGraphDeployment. */
export function graphSpecV1Alpha1(version: Semver, features: OperatorFeatures): Schema {
  const since = sinceOf(version);
  const service = object(serviceFields(version, "graph"), {
    rules: [
      ...(since(1, 3) ? MIN_AVAILABLE_RULES : []),
      ...serviceRulesV1Alpha1(features),
    ],
  });
  const claim = object(claimFields(), {
    required: ["name"],
    rules: [{
      rule: "!has(self.create) || self.create == false || " +
        "(has(self.size) && has(self.storageClass) && has(self.volumeAccessMode))",
      message: "When create is true, size, storageClass, and volumeAccessMode are required",
    }],
  });
  return object({
    backendFramework: oneOf(...FRAMEWORKS),
    envs: list(envVar()),
    // Bounded, so that rules over it are cheap enough for the API server.
    services: { ...map(service), maxProperties: 25 },
    ...sinceFields(!since(0, 6), { dynamoGraph: string() }),
    ...sinceFields(since(0, 6), { pvcs: list(claim, { maxItems: 100 }) }),
    ...sinceFields(since(0, 9), { restart: restart() }),
    ...sinceFields(since(1, 1), {
      annotations: map(string()),
      labels: map(string()),
      topologyConstraint: anyObject(),
    }),
    ...sinceFields(since(1, 2), { experimental: anyObject() }),
    ...sinceFields(since(1, 3), { priorityClassName: string() }),
    ...sinceFields(since(1, 5), { providerOverride: providerOverride() }),
  }, { rules: graphRulesV1Alpha1(features, since(1, 3)) });
}

/** Spec of a v1alpha1 DynamoComponentDeployment. */
export function componentSpecV1Alpha1(version: Semver): Schema {
  const since = sinceOf(version);
  return object({
    ...serviceFields(version, "component"),
    backendFramework: oneOf(...FRAMEWORKS),
    ...sinceFields(!since(0, 6), { dynamoComponent: string(), dynamoTag: string() }),
  });
}

const TYPES = ["frontend", "worker", "prefill", "decode", "planner", "epp"];

function componentFields(since: Since, owner: Owner): Record<string, Schema> {
  return {
    compilationCache: object({ mountPath: string(), pvcName: string({ minLength: 1 }) }, {
      required: ["pvcName"],
    }),
    eppConfig: anyObject(),
    experimental: anyObject(),
    frontendSidecar: string(),
    globalDynamoNamespace: boolean(),
    modelRef: object({ name: string({ minLength: 1 }), revision: string() }, {
      required: ["name"],
    }),
    multinode: multinode(since, false, owner),
    name: string({
      minLength: 1,
      maxLength: 63,
      pattern: "^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$",
    }),
    podTemplate: podTemplate(),
    // The real webhook writes 1 where there is none.
    replicas: integer({ minimum: 0, default: 1 }),
    scalingAdapter: object({}),
    sharedMemorySize: quantity(),
    topologyConstraint: object({ packDomain: string({ pattern: DOMAIN }) }, {
      required: ["packDomain"],
    }),
    type: oneOf(...TYPES),
    ...sinceFields(since(1, 3), { minAvailable: integer({ minimum: 1 }) }),
    ...sinceFields(since(1, 4), { runtimeVersionOverride: runtimeVersion() }),
    ...sinceFields(owner === "graph" && since(1, 5), { providerOverride: providerOverride() }),
  };
}

function componentRules(since: Since): Rule[] {
  return [
    {
      rule: "!has(self.eppConfig) || (has(self.type) && self.type == 'epp')",
      message: "eppConfig may only be set when type is epp",
    },
    ...(since(1, 3) ? MIN_AVAILABLE_RULES : []),
  ];
}

/** Spec of a v1beta1 DynamoGraphDeployment. */
export function graphSpecV1Beta1(version: Semver, features: OperatorFeatures): Schema {
  const since = sinceOf(version);
  const component = object(componentFields(since, "graph"), {
    required: ["name"],
    rules: [...componentRules(since), ...componentRulesV1Beta1(features)],
  });
  return object({
    annotations: map(string()),
    backendFramework: oneOf(...FRAMEWORKS),
    components: listBy(["name"], component, {
      maxItems: 25,
      "x-kubernetes-validations": [
        {
          rule: "self.filter(c, has(c.type) && c.type == 'epp').size() <= 1",
          message: "at most one component may have type epp",
        },
        {
          rule: "self.all(c1, !has(c1.name) || self.filter(c2, has(c2.name) && " +
            "c2.name.lowerAscii() == c1.name.lowerAscii()).size() == 1)",
          message: "component names must be unique case-insensitively",
        },
      ],
    }),
    env: list(envVar()),
    experimental: anyObject(),
    labels: map(string()),
    restart: restart(),
    topologyConstraint: object({
      clusterTopologyName: string({ minLength: 1 }),
      packDomain: string({ pattern: DOMAIN }),
    }, { required: ["clusterTopologyName"] }),
    ...sinceFields(since(1, 3), { priorityClassName: string() }),
    ...sinceFields(since(1, 5), { providerOverride: providerOverride() }),
  }, { rules: graphRulesV1Beta1(features, since(1, 3)) });
}

/** Spec of a v1beta1 DynamoComponentDeployment. */
export function componentSpecV1Beta1(version: Semver): Schema {
  const since = sinceOf(version);
  return object(
    { ...componentFields(since, "component"), backendFramework: oneOf(...FRAMEWORKS) },
    { rules: componentRules(since) },
  );
}
