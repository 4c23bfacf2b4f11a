/**
 * Conversion of whole objects between v1alpha1 and v1beta1. What one version cannot say is
 * kept in an annotation, so that an object comes back as it went.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { specError } from "../errors.ts";
import { canonicalJson, hashOf, prune } from "../json.ts";
import { LABEL } from "../names.ts";
import type {
  Component,
  ComponentCounts,
  ComponentSpec,
  Graph,
  GraphStatus,
  RollingUpdate,
  ServiceSpec,
} from "../types.ts";
import { toComponent } from "./to_component.ts";
import { toService } from "./to_service.ts";

/** Annotation with the spec as it was in the other version, and a hash of what it became. */
export const KEPT_SPEC = "nvidia.com/dynamo-eks-kept-spec";

type Json = Record<string, unknown>;

/**
 * The object in another version of its kind.
 *
 * @throws {TaskError} for kinds that have no other version here.
 */
export function convertObject(object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  const beta = apiVersion === "nvidia.com/v1beta1";
  switch (object.kind) {
    case "DynamoGraphDeployment":
      return convertKept(object, apiVersion, beta ? graphToBeta : graphToAlpha, {
        status: (status) => graphStatusTo(beta, status),
      });
    case "DynamoComponentDeployment":
      return convertKept(
        object,
        apiVersion,
        beta ? (spec) => componentToBeta(object, spec) : componentToAlpha,
        { status: (status) => componentStatusTo(beta, status, object.metadata.name) },
      );
    case "DynamoGraphDeploymentScalingAdapter":
      return { ...object, apiVersion, spec: adapterTo(beta, object["spec"]) };
    default:
      throw specError(`${object.kind} cannot be converted to ${apiVersion}`);
  }
}

interface Kept {
  /** Version of the spec in here. */
  readonly apiVersion: string;
  /** Hash of the converted spec that belongs to it. */
  readonly of: string;
  readonly spec: Json;
}

/** Converts the spec, or takes the kept one when the converted spec is still what it was. */
function convertKept(
  object: KubeObject,
  apiVersion: string,
  convert: (spec: Json) => Json,
  parts: { readonly status: (status: Json) => Json },
): KubeObject {
  const { [KEPT_SPEC]: text, ...annotations } = object.metadata.annotations ?? {};
  const kept = readKept(text);
  const spec: Json = object["spec"] ?? {};
  const status = object["status"] === undefined ? {} : { status: parts.status(object["status"]) };
  if (kept?.apiVersion === apiVersion && kept.of === specHash(spec)) {
    const metadata = { ...object.metadata, annotations };
    return { ...object, ...status, apiVersion, metadata, spec: kept.spec };
  }
  const converted = convert(spec);
  const note: Kept = { apiVersion: object.apiVersion, of: specHash(converted), spec };
  const metadata = {
    ...object.metadata,
    annotations: { ...annotations, [KEPT_SPEC]: canonicalJson(note) },
  };
  return { ...object, ...status, apiVersion, metadata, spec: converted };
}

function readKept(text: string | undefined): Kept | undefined {
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text);
    return typeof kept?.of === "string" && typeof kept?.spec === "object" ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Hash of a spec, whether the server has filled in its defaults or not. */
function specHash(spec: Json): string {
  const filled = (component: Json): Json => ({ replicas: 1, ...component });
  const { components, services } = spec as {
    components?: readonly Json[];
    services?: Record<string, Json>;
  };
  if (components !== undefined) return hashOf({ ...spec, components: components.map(filled) });
  if (services === undefined) return hashOf(filled(spec));
  return hashOf(spec);
}

function graphToBeta(spec: Json): Json {
  const { services, envs, pvcs: _pvcs, topologyConstraint, ...rest } = spec as Json & {
    services?: Record<string, ServiceSpec>;
  };
  const components = Object.entries(services ?? {}).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, service]) => toComponent(name, service));
  return prune<Json>({
    ...rest,
    env: envs,
    components,
    topologyConstraint: renamed(topologyConstraint, "topologyProfile", "clusterTopologyName"),
  });
}

function graphToAlpha(spec: Json): Json {
  const { components, env, topologyConstraint, ...rest } = spec as Json & {
    components?: readonly ComponentSpec[];
  };
  return prune<Json>({
    ...rest,
    envs: env,
    services: Object.fromEntries(
      (components ?? []).map((component) => [component.name, toService(component)]),
    ),
    topologyConstraint: renamed(topologyConstraint, "clusterTopologyName", "topologyProfile"),
  });
}

function renamed(value: unknown, from: string, to: string): unknown {
  if (value === null || typeof value !== "object") return value;
  const { [from]: moved, ...rest } = value as Json;
  return prune<Json>({ ...rest, [to]: moved });
}

function componentToBeta(object: KubeObject, spec: Json): Json {
  const { backendFramework, serviceName } = spec as Component["spec"];
  const name = serviceName ?? object.metadata.labels?.[LABEL.component] ?? object.metadata.name;
  return prune<Json>({ ...toComponent(name, spec as ServiceSpec), backendFramework });
}

function componentToAlpha(spec: Json): Json {
  const { backendFramework, ...component } = spec as Json & ComponentSpec;
  return prune<Json>({
    ...toService(component),
    backendFramework,
    serviceName: component.name,
  });
}

function graphStatusTo(beta: boolean, status: Json): Json {
  const { components, services, rollingUpdate, ...rest } = status as Json & GraphStatus;
  const counts = Object.entries(components ?? services ?? {}).map(([name, one]) =>
    [name, countsTo(beta, one)] as const
  );
  const known = components !== undefined || services !== undefined;
  return prune<Json>({
    ...rest,
    ...(known ? { [beta ? "components" : "services"]: Object.fromEntries(counts) } : {}),
    rollingUpdate: rollingUpdate === undefined ? undefined : rollingUpdateTo(beta, rollingUpdate),
  });
}

function rollingUpdateTo(beta: boolean, rolling: RollingUpdate): Json {
  const { updatedComponents, updatedServices, ...rest } = rolling;
  return prune<Json>({
    ...rest,
    [beta ? "updatedComponents" : "updatedServices"]: updatedComponents ?? updatedServices,
  });
}

function componentStatusTo(beta: boolean, status: Json, name: string): Json {
  const { component, service, podSelector: _selector, ...rest } = status;
  const counts = (component ?? service) as ComponentCounts | undefined;
  return prune<Json>({
    ...rest,
    // v1alpha1 insists on conditions.
    ...(beta ? {} : { conditions: rest["conditions"] ?? [] }),
    [beta ? "component" : "service"]: counts === undefined
      ? undefined
      : countsTo(beta, counts, name),
  });
}

function countsTo(beta: boolean, counts: ComponentCounts, name?: string): Json {
  const { componentName, ...rest } = counts as ComponentCounts & { componentName?: string };
  if (beta) return rest as unknown as Json;
  return {
    ...rest,
    componentName: componentName ?? name ?? counts.componentNames?.[0] ?? "",
  } as unknown as Json;
}

function adapterTo(beta: boolean, spec: Json): Json {
  const from = beta ? "serviceName" : "componentName";
  const to = beta ? "componentName" : "serviceName";
  return { ...spec, dgdRef: renamed(spec["dgdRef"], from, to) };
}

/** Converts a list of objects; the first that cannot be ends it. */
export function convertAll(objects: readonly KubeObject[], apiVersion: string): KubeObject[] {
  return objects.map((object) => convertObject(object, apiVersion)) as Graph[];
}
