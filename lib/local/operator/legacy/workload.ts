/**
 * Before 0.8: the Deployment and the Service of a component.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import type { OperatorFeatures } from "../features.ts";
import { prune, unlessEmpty } from "../json.ts";
import { HTTP_PORT, LABEL } from "../names.ts";
import { controllerRef } from "../owner.ts";
import { rolloutStrategy } from "../rollout_strategy.ts";
import { type Component, type Deployment, namespaceOf, type PodTemplate } from "../types.ts";
import { legacyLabels } from "./labels.ts";
import { legacyPodSpec, type Surroundings } from "./pod_spec.ts";

/** The component's Deployment. @throws {TaskError} for contradictions in the spec. */
export function legacyDeployment(
  component: Component,
  features: OperatorFeatures,
  around: Surroundings,
): Deployment {
  const labels = legacyLabels(component);
  const annotations = unlessEmpty(component.spec.extraPodMetadata?.annotations);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(component, labels, annotations),
    spec: {
      replicas: component.spec.replicas ?? 1,
      selector: { matchLabels: { [LABEL.selector]: component.metadata.name } },
      strategy: rolloutStrategy(component.spec.annotations),
      template: {
        metadata: prune<NonNullable<PodTemplate["metadata"]>>({ labels, annotations }),
        spec: legacyPodSpec(component, features, around),
      },
    },
  };
}

/** The Service of a frontend; other components have none. */
export function legacyService(component: Component): KubeObject | undefined {
  if (component.spec.componentType !== "frontend") return undefined;
  const labels = legacyLabels(component);
  const annotations = unlessEmpty(component.spec.extraPodMetadata?.annotations);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(component, labels, annotations),
    spec: {
      type: "ClusterIP",
      ports: [{ name: "http", port: HTTP_PORT, protocol: "TCP", targetPort: "http" }],
      selector: labels,
    },
  };
}

function metadata(
  component: Component,
  labels: Record<string, string>,
  annotations: Record<string, string> | undefined,
): KubeObject["metadata"] {
  return {
    name: component.metadata.name,
    namespace: namespaceOf(component),
    labels,
    ...(annotations === undefined ? {} : { annotations }),
    ownerReferences: [controllerRef(component)],
  };
}
