/**
 * From 0.8: the Deployment and the Service of a component.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { toComponent } from "../convert/to_component.ts";
import type { OperatorFeatures } from "../features.ts";
import { prune, unlessEmpty } from "../json.ts";
import type { Surroundings } from "../legacy/pod_spec.ts";
import { ANNOTATION, HTTP_PORT, LABEL, SYSTEM_PORT } from "../names.ts";
import { controllerName, controllerRef } from "../owner.ts";
import { rolloutStrategy } from "../rollout_strategy.ts";
import {
  type Component,
  type ComponentSpec,
  type Deployment,
  namespaceOf,
  type PodTemplate,
} from "../types.ts";
import { isInherited } from "./graph_model.ts";
import { type ComponentInGraph, currentPodSpec } from "./pod_spec.ts";

/** A component's object read back into names and its v1beta1 spec. */
export function readComponent(object: Component): ComponentInGraph {
  const labels = object.metadata.labels ?? {};
  const spec = object.spec;
  const component: ComponentSpec = object.apiVersion === "nvidia.com/v1beta1"
    ? { ...spec, name: spec.name ?? labels[LABEL.component] ?? object.metadata.name }
    : toComponent(spec.serviceName ?? object.metadata.name, spec);
  return {
    component,
    graph: labels[LABEL.graph] ?? controllerName(object, "DynamoGraphDeployment") ??
      object.metadata.name,
    namespace: namespaceOf(object),
    dynamoNamespace: labels[LABEL.namespace] ?? spec.dynamoNamespace ?? "dynamo",
    hash: labels[LABEL.workerHash],
    framework: spec.backendFramework,
  };
}

/** The component's Deployment. @throws {TaskError} for contradictions in the spec. */
export function currentDeployment(
  object: Component,
  features: OperatorFeatures,
  around: Surroundings,
): Deployment {
  const one = readComponent(object);
  const { component } = one;
  const template = component.podTemplate?.metadata;
  const metrics = template?.annotations?.[ANNOTATION.enableMetrics] !== "false";
  const noSecrets = template?.annotations?.[ANNOTATION.noPullSecrets] === "true";
  const labels = {
    ...template?.labels,
    [LABEL.component]: component.name,
    ...(component.type === undefined ? {} : { [LABEL.componentType]: component.type }),
    [LABEL.discoveryBackend]: "kubernetes",
    [LABEL.discoveryEnabled]: "true",
    [LABEL.graph]: one.graph,
    [LABEL.namespace]: one.dynamoNamespace,
    ...(one.hash === undefined ? {} : { [LABEL.workerHash]: one.hash }),
    ...(metrics ? { [LABEL.metrics]: "true" } : {}),
    [LABEL.selector]: object.metadata.name,
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(object, object.metadata.labels ?? {}),
    spec: {
      replicas: component.replicas ?? 1,
      selector: { matchLabels: { [LABEL.selector]: object.metadata.name } },
      strategy: rolloutStrategy(template?.annotations),
      template: {
        metadata: prune<NonNullable<PodTemplate["metadata"]>>({
          labels,
          annotations: ownAnnotations(object),
        }),
        spec: currentPodSpec(one, features, noSecrets ? { ...around, pullSecrets: [] } : around),
      },
    },
  };
}

/** The component's Service: every component has one, for discovery. */
export function currentService(object: Component): KubeObject {
  const one = readComponent(object);
  const port = one.component.type === "frontend"
    ? { name: "http", port: HTTP_PORT, protocol: "TCP", targetPort: "http" }
    : { name: "system", port: SYSTEM_PORT, protocol: "TCP", targetPort: "system" };
  const meta = metadata(object, {
    ...object.metadata.labels,
    [LABEL.discoveryBackend]: "kubernetes",
    [LABEL.discoveryEnabled]: "true",
  });
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta, name: meta.name.replaceAll(".", "-") },
    spec: {
      type: "ClusterIP",
      ports: [port],
      // Without the hash: both generations of workers answer during a rolling update.
      selector: {
        [LABEL.component]: one.component.name,
        [LABEL.componentType]: one.component.type ?? "",
        [LABEL.namespace]: one.dynamoNamespace,
      },
    },
  };
}

function ownAnnotations(object: Component): Record<string, string> | undefined {
  const all = readComponent(object).component.podTemplate?.metadata?.annotations ?? {};
  return unlessEmpty(
    Object.fromEntries(Object.entries(all).filter(([key]) => !isInherited(key))),
  );
}

function metadata(object: Component, labels: Record<string, string>): KubeObject["metadata"] {
  const annotations = ownAnnotations(object);
  return {
    name: object.metadata.name,
    namespace: namespaceOf(object),
    labels,
    ...(annotations === undefined ? {} : { annotations }),
    ownerReferences: [controllerRef(object)],
  };
}
