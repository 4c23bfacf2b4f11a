/**
 * Schemas of the objects that this project renders, by API version and release: the fields
 * that are used, and nothing besides.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import type { KubeObject } from "../kube/types.ts";
import type { JsonSchema } from "./json_schema.ts";
import { REQUEST_API_VERSION, REQUEST_KIND } from "./render_request.ts";

/** The schema of the object's kind, or undefined for kinds and versions that are not rendered. */
export function renderedSchema(object: KubeObject, release: Release): JsonSchema | undefined {
  if (object.kind === "PersistentVolumeClaim" && object.apiVersion === "v1") return CLAIM;
  if (object.kind === "DynamoModel" && object.apiVersion === "nvidia.com/v1alpha1") {
    return atLeast(release, 0, 7) ? MODEL : undefined;
  }
  if (object.kind === REQUEST_KIND && object.apiVersion === REQUEST_API_VERSION) {
    return atLeast(release, 1, 0) ? REQUEST : undefined;
  }
  if (object.kind !== "DynamoGraphDeployment" || object.apiVersion !== release.graphApiVersion) {
    return undefined;
  }
  return rooted(object.apiVersion === "nvidia.com/v1alpha1" ? v1alpha1(release) : v1beta1(release));
}

const TEXT: JsonSchema = { type: "string", minLength: 1 };
const TEXTS: JsonSchema = { type: "array", items: { type: "string" } };
const COUNT: JsonSchema = { type: "integer", minimum: 0 };
const FRAMEWORK: JsonSchema = { type: "string", enum: ["vllm", "sglang", "trtllm"] };

const QUANTITY: JsonSchema = {
  type: "string",
  pattern: "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
  patternErrorMessage: "a quantity written as text",
};

const LABEL_NAME: JsonSchema = {
  type: "string",
  maxLength: 63,
  pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
  patternErrorMessage: "lower-case letters, digits and '-'",
};

const OBJECT_NAME: JsonSchema = {
  type: "string",
  maxLength: 253,
  pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
  patternErrorMessage: "lower-case letters, digits, '-' and '.'",
};

const LABEL_VALUE: JsonSchema = {
  type: "string",
  maxLength: 63,
  pattern: "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
  patternErrorMessage: "the value of a label: letters, digits, '-', '_' and '.'",
};

const MANAGED_BY = "app.kubernetes.io/managed-by";
const PART_OF = "app.kubernetes.io/part-of";

function object(properties: Record<string, JsonSchema>, required: string[] = []): JsonSchema {
  return { type: "object", additionalProperties: false, properties, required };
}

function map(values: JsonSchema): JsonSchema {
  return { type: "object", additionalProperties: values };
}

function list(items: JsonSchema): JsonSchema {
  return { type: "array", minItems: 1, items };
}

// Everything that is made has a namespace and carries the labels that cleanup goes by.
function metadata(name: JsonSchema): JsonSchema {
  return object({
    name,
    namespace: LABEL_NAME,
    labels: {
      type: "object",
      required: [MANAGED_BY, PART_OF],
      properties: { [MANAGED_BY]: { type: "string", enum: ["dynamo-eks"] } },
      additionalProperties: LABEL_VALUE,
    },
    annotations: map({ type: "string" }),
  }, ["name", "namespace", "labels"]);
}

function rooted(spec: JsonSchema, name: JsonSchema = LABEL_NAME): JsonSchema {
  return object({ apiVersion: TEXT, kind: TEXT, metadata: metadata(name), spec }, [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
  ]);
}

const CLAIM: JsonSchema = rooted(
  object({
    accessModes: list(TEXT),
    resources: object({ requests: object({ storage: QUANTITY }, ["storage"]) }, ["requests"]),
    storageClassName: OBJECT_NAME,
  }, ["accessModes", "resources"]),
  OBJECT_NAME,
);

const MODEL: JsonSchema = rooted(
  object({
    modelName: TEXT,
    baseModelName: TEXT,
    modelType: { type: "string", enum: ["lora"] },
    source: object({ uri: TEXT }, ["uri"]),
  }, ["modelName", "baseModelName", "modelType", "source"]),
);

const POSITIVE: JsonSchema = { type: "number", minimum: 0.001 };
const WHOLE: JsonSchema = { type: "integer", minimum: 1 };

const REQUEST: JsonSchema = rooted(object({
  model: TEXT,
  backend: FRAMEWORK,
  image: TEXT,
  searchStrategy: { type: "string", enum: ["rapid", "thorough"] },
  autoApply: { type: "boolean" },
  sla: object({ ttft: POSITIVE, itl: POSITIVE, e2eLatency: POSITIVE }),
  workload: object({ isl: WHOLE, osl: WHOLE, concurrency: POSITIVE, requestRate: POSITIVE }),
  hardware: object({
    gpuSku: TEXT,
    vramMb: POSITIVE,
    totalGpus: WHOLE,
    numGpusPerNode: WHOLE,
  }),
  modelCache: object({ pvcName: OBJECT_NAME, pvcMountPath: TEXT }, ["pvcName", "pvcMountPath"]),
  features: object({ planner: { type: "object" } }),
}, ["model", "image"]));

const ENV: JsonSchema = list(object({
  name: TEXT,
  value: { type: "string" },
  valueFrom: object({ secretKeyRef: object({ name: OBJECT_NAME, key: TEXT }, ["name", "key"]) }),
}, ["name"]));

const CONTAINER: Record<string, JsonSchema> = {
  image: TEXT,
  workingDir: TEXT,
  command: TEXTS,
  args: TEXTS,
  env: ENV,
  volumeMounts: list(object({ name: LABEL_NAME, mountPath: TEXT }, ["name", "mountPath"])),
  securityContext: object({ capabilities: object({ add: TEXTS }, ["add"]) }),
};

const PLACEMENT: Record<string, JsonSchema> = {
  nodeSelector: map(LABEL_VALUE),
  tolerations: list(object({ key: TEXT, operator: TEXT, value: TEXT, effect: TEXT })),
  affinity: object({ podAffinity: { type: "object" } }),
  volumes: list(object({
    name: LABEL_NAME,
    persistentVolumeClaim: object({ claimName: OBJECT_NAME }, ["claimName"]),
  }, ["name"])),
};

const MODEL_REFERENCE: JsonSchema = object({ name: TEXT }, ["name"]);

const MULTINODE: JsonSchema = object({ nodeCount: { type: "integer", minimum: 2 } }, ["nodeCount"]);

function v1alpha1(release: Release): JsonSchema {
  const group = object({ cpu: QUANTITY, memory: QUANTITY, gpu: QUANTITY, custom: map(QUANTITY) });
  const service = object({
    componentType: { type: "string", enum: ["frontend", "worker", "planner", "main"] },
    ...(atLeast(release, 0, 6)
      ? { subComponentType: { type: "string", enum: ["prefill", "decode"] } }
      : {}),
    ...(atLeast(release, 0, 7) ? {} : { dynamoNamespace: LABEL_NAME }),
    replicas: COUNT,
    ...(atLeast(release, 0, 7) ? { modelRef: MODEL_REFERENCE } : {}),
    multinode: MULTINODE,
    envFromSecret: OBJECT_NAME,
    resources: object({ requests: group, limits: group }),
    sharedMemory: object({ size: QUANTITY }),
    extraPodSpec: object(
      { ...PLACEMENT, mainContainer: object(CONTAINER, ["image"]) },
      ["mainContainer"],
    ),
  }, ["componentType", "replicas", "extraPodSpec"]);
  return object({ backendFramework: FRAMEWORK, services: map(service) }, ["services"]);
}

function v1beta1(release: Release): JsonSchema {
  const main = object({
    ...CONTAINER,
    name: { type: "string", enum: ["main"] },
    envFrom: list(object({ secretRef: object({ name: OBJECT_NAME }, ["name"]) }, ["secretRef"])),
    resources: object({ requests: map(QUANTITY), limits: map(QUANTITY) }),
  }, ["name", "image"]);
  const component = object({
    name: {
      type: "string",
      maxLength: 63,
      pattern: "^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$",
      patternErrorMessage: "letters, digits and '-'",
    },
    type: { type: "string", enum: ["frontend", "worker", "prefill", "decode", "planner"] },
    replicas: COUNT,
    modelRef: MODEL_REFERENCE,
    multinode: MULTINODE,
    sharedMemorySize: QUANTITY,
    ...(atLeast(release, 1, 4) ? { runtimeVersionOverride: TEXT } : {}),
    podTemplate: object(
      { spec: object({ ...PLACEMENT, containers: list(main) }, ["containers"]) },
      ["spec"],
    ),
  }, ["name", "podTemplate"]);
  return object({
    backendFramework: FRAMEWORK,
    components: { type: "array", minItems: 1, maxItems: 25, items: component },
  }, ["components"]);
}
