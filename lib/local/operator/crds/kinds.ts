/**
 * Dynamo's kinds by release: versions, short names, columns and schemas.
 *
 * @module
 */
import type { OperatorFeatures, Semver } from "../features.ts";
import { sinceOf } from "./component_v1alpha1.ts";
import {
  componentSpecV1Alpha1,
  componentSpecV1Beta1,
  graphSpecV1Alpha1,
  graphSpecV1Beta1,
} from "./graph_schemas.ts";
import {
  requestSpecV1Alpha1,
  requestSpecV1Beta1,
  requestStatusV1Alpha1,
  requestStatusV1Beta1,
} from "./request_schemas.ts";
import {
  adapterSpec,
  adapterStatus,
  modelSpec,
  modelStatus,
  workerMetadataSpec,
} from "./small_schemas.ts";
import type { Schema } from "./schema.ts";
import { componentStatusSchema, graphStatusSchema } from "./status_schemas.ts";

/** A column of `kubectl get`. */
export interface Column {
  /** Heading. */
  readonly name: string;
  /** Type of the value. */
  readonly type: "string" | "integer" | "date";
  /** Where the value is. */
  readonly jsonPath: string;
  /** What it says. */
  readonly description?: string;
  /** Above 0: only with `-o wide`. */
  readonly priority?: number;
}

/** One version of a kind. */
export interface VersionSpec {
  /** Name of the version. */
  readonly name: "v1alpha1" | "v1beta1";
  /** Whether the API server serves it. */
  readonly served: boolean;
  /** Whether objects are stored in it. */
  readonly storage: boolean;
  /** Whether its use is warned of. */
  readonly deprecated?: boolean;
  /** Schema of `spec`. */
  readonly spec: Schema;
  /** Schema of `status`; without one there is no such subresource. */
  readonly status?: Schema;
  /** Columns of `kubectl get`. */
  readonly columns: readonly Column[];
  /** Whether `kubectl scale` works. */
  readonly scale?: boolean;
}

/** A kind. */
export interface KindSpec {
  /** Name of the kind. */
  readonly kind: string;
  /** Name in paths. */
  readonly plural: string;
  /** Names for kubectl. */
  readonly shortNames: readonly string[];
  /** Versions, oldest first. */
  readonly versions: readonly VersionSpec[];
}

const AGE: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
const BACKEND: Column = {
  name: "Backend",
  type: "string",
  jsonPath: ".spec.backendFramework",
  description: "Backend framework (sglang, vllm, trtllm)",
};
const AVAILABLE: Column = {
  name: "Available",
  type: "string",
  jsonPath: ".status.conditions[?(@.type=='Available')].status",
  description: "Available",
};

/** The kinds of a release. Its v1alpha1, where there is v1beta1, waits for a conversion webhook. */
export function kindsOf(version: Semver, features: OperatorFeatures): KindSpec[] {
  const since = sinceOf(version);
  const beta = since(1, 2);
  return [
    graphKind(version, features, beta),
    componentKind(version, beta),
    ...(since(0, 6) ? [requestKind(version)] : []),
    ...(since(0, 7) ? [modelKind()] : []),
    ...(since(0, 8) ? [adapterKind(beta)] : []),
    ...(since(1, 0) ? [workerMetadataKind()] : []),
  ];
}

function versions(
  beta: boolean,
  alphaVersion: Omit<VersionSpec, "name" | "served" | "storage">,
  betaVersion: () => Omit<VersionSpec, "name" | "served" | "storage">,
): VersionSpec[] {
  if (!beta) return [{ name: "v1alpha1", served: true, storage: true, ...alphaVersion }];
  return [
    { name: "v1alpha1", served: false, storage: false, deprecated: true, ...alphaVersion },
    { name: "v1beta1", served: true, storage: true, ...betaVersion() },
  ];
}

function graphKind(version: Semver, features: OperatorFeatures, beta: boolean): KindSpec {
  const columns: Column[] = sinceOf(version)(0, 9)
    ? [
      {
        name: "Ready",
        type: "string",
        jsonPath: '.status.conditions[?(@.type=="Ready")].status',
        description: "Ready status of the graph deployment",
      },
      BACKEND,
      AGE,
    ]
    : [];
  return {
    kind: "DynamoGraphDeployment",
    plural: "dynamographdeployments",
    shortNames: ["dgd"],
    versions: versions(beta, {
      spec: graphSpecV1Alpha1(version, features),
      status: graphStatusSchema(version, "nvidia.com/v1alpha1"),
      columns,
    }, () => ({
      spec: graphSpecV1Beta1(version, features),
      status: graphStatusSchema(version, "nvidia.com/v1beta1"),
      columns,
    })),
  };
}

function componentKind(version: Semver, beta: boolean): KindSpec {
  const backend = sinceOf(version)(0, 9) ? [BACKEND] : [];
  return {
    kind: "DynamoComponentDeployment",
    plural: "dynamocomponentdeployments",
    shortNames: ["dcd"],
    versions: versions(beta, {
      spec: componentSpecV1Alpha1(version),
      status: componentStatusSchema(version, "nvidia.com/v1alpha1"),
      columns: [
        {
          name: "DynamoComponent",
          type: "string",
          jsonPath: ".spec.dynamoComponent",
          description: "Dynamo component",
        },
        AVAILABLE,
        ...backend,
        AGE,
      ],
    }, () => ({
      spec: componentSpecV1Beta1(version),
      status: componentStatusSchema(version, "nvidia.com/v1beta1"),
      columns: [AVAILABLE, ...backend, AGE],
    })),
  };
}

function column(name: string, jsonPath: string, type: Column["type"] = "string"): Column {
  return { name, type, jsonPath };
}

function requestKind(version: Semver): KindSpec {
  const alpha = {
    spec: requestSpecV1Alpha1(),
    status: requestStatusV1Alpha1(),
    columns: [
      column("Model", ".spec.model"),
      column("Backend", ".status.backend"),
      column("State", ".status.state"),
      column("DGD-State", ".status.deployment.state"),
      AGE,
    ],
  };
  return {
    kind: "DynamoGraphDeploymentRequest",
    plural: "dynamographdeploymentrequests",
    shortNames: ["dgdr"],
    versions: versions(sinceOf(version)(1, 0), alpha, () => ({
      spec: requestSpecV1Beta1(),
      status: requestStatusV1Beta1(),
      columns: [
        column("Model", ".spec.model"),
        column("Backend", ".spec.backend"),
        column("Phase", ".status.phase"),
        column("Profiling", ".status.profilingPhase"),
        column("Reason", '.status.conditions[?(@.type=="Succeeded")].reason'),
        column("Message", '.status.conditions[?(@.type=="Succeeded")].message'),
        column("DGD", ".status.dgdName"),
        AGE,
      ],
    })),
  };
}

function modelKind(): KindSpec {
  return {
    kind: "DynamoModel",
    plural: "dynamomodels",
    shortNames: ["dm"],
    versions: [{
      name: "v1alpha1",
      served: true,
      storage: true,
      spec: modelSpec(),
      status: modelStatus(),
      columns: [
        column("BaseModel", ".spec.baseModelName"),
        column("Type", ".spec.modelType"),
        column("Ready", ".status.readyEndpoints", "integer"),
        column("Total", ".status.totalEndpoints", "integer"),
        AGE,
      ],
    }],
  };
}

function adapterKind(beta: boolean): KindSpec {
  const columns = (name: string, field: string): Column[] => [
    column("DGD", ".spec.dgdRef.name"),
    column(name, `.spec.dgdRef.${field}`),
    column("REPLICAS", ".status.replicas", "integer"),
    { ...AGE, name: "AGE" },
  ];
  return {
    kind: "DynamoGraphDeploymentScalingAdapter",
    plural: "dynamographdeploymentscalingadapters",
    shortNames: ["dgdsa"],
    versions: versions(beta, {
      spec: adapterSpec("serviceName"),
      status: adapterStatus("serviceName"),
      columns: columns("SERVICE", "serviceName"),
      scale: true,
    }, () => ({
      spec: adapterSpec("componentName"),
      status: adapterStatus("componentName"),
      columns: columns("COMPONENT", "componentName"),
      scale: true,
    })),
  };
}

function workerMetadataKind(): KindSpec {
  return {
    kind: "DynamoWorkerMetadata",
    plural: "dynamoworkermetadatas",
    shortNames: ["dwm"],
    versions: [{
      name: "v1alpha1",
      served: true,
      storage: true,
      spec: workerMetadataSpec(),
      columns: [AGE],
    }],
  };
}
