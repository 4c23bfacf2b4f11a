/**
 * DynamoGraphDeployment in nvidia.com/v1alpha1: releases before 1.2.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { limitsWithEfa } from "./efa.ts";
import { frameworkOf, modelReference } from "./engines.ts";
import { type DeployedNames, mainContainer, podPlacement } from "./render_pod.ts";
import { type Component, type Graph, isEngine, type Quantities, type Role } from "./types.ts";

/** The `spec`. */
export function specV1alpha1(
  graph: Graph,
  release: Release,
  names: DeployedNames,
): Record<string, unknown> {
  return {
    ...frameworkOf(graph),
    services: Object.fromEntries(
      graph.components.map((
        component,
      ) => [component.name, service(graph, component, release, names)]),
    ),
  };
}

function service(
  graph: Graph,
  component: Component,
  release: Release,
  names: DeployedNames,
): Record<string, unknown> {
  const sub = component.role === "prefill" || component.role === "decode"
    ? component.role
    : undefined;
  const resources = resourcesOf(component);
  return {
    componentType: componentType(component.role),
    ...(sub === undefined || !atLeast(release, 0, 6) ? {} : { subComponentType: sub }),
    ...(atLeast(release, 0, 7) ? {} : { dynamoNamespace: names.name }),
    replicas: component.replicas,
    ...modelReference(graph, component),
    ...(component.nodes > 1 ? { multinode: { nodeCount: component.nodes } } : {}),
    ...(graph.tokenSecret === undefined ? {} : { envFromSecret: graph.tokenSecret }),
    ...(resources === undefined ? {} : { resources }),
    ...(component.sharedMemory === undefined
      ? {}
      : { sharedMemory: { size: component.sharedMemory } }),
    extraPodSpec: {
      ...podPlacement(graph, component, names),
      mainContainer: mainContainer(graph, component, release, names),
    },
  };
}

// `main` is the type that gets neither a Service nor probes.
function componentType(role: Role): string {
  if (isEngine({ role })) return "worker";
  return role === "client" ? "main" : role;
}

function resourcesOf(component: Component): Record<string, unknown> | undefined {
  const requests = group(component.requests);
  const limits = {
    ...group(limitsWithEfa(component)),
    ...(component.gpus > 0 ? { gpu: String(component.gpus) } : {}),
  };
  const result = {
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
  return Object.keys(result).length === 0 ? undefined : result;
}

// Everything but CPU and memory goes below `custom`.
function group(quantities: Quantities): Record<string, unknown> {
  const { cpu, memory, ...custom } = quantities;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(Object.keys(custom).length === 0 ? {} : { custom }),
  };
}
