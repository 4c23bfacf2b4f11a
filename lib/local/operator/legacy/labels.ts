/**
 * Before 0.8: the one label map shared by a component's Deployment, pods and Service.
 *
 * @module
 */
import { ANNOTATION, LABEL } from "../names.ts";
import type { Component } from "../types.ts";

/** Labels of the Deployment, its pods and the Service. */
export function legacyLabels(component: Component): Record<string, string> {
  const spec = component.spec;
  const metrics = spec.annotations?.[ANNOTATION.enableMetrics] !== "false";
  return {
    ...spec.labels,
    ...(spec.componentType ? { [LABEL.componentType]: spec.componentType } : {}),
    ...(spec.subComponentType ? { [LABEL.subComponentType]: spec.subComponentType } : {}),
    ...(metrics ? { [LABEL.metrics]: "true" } : {}),
    [LABEL.selector]: component.metadata.name,
    ...spec.extraPodMetadata?.labels,
  };
}
