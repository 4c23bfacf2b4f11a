/**
 * DynamoGraphDeployment in nvidia.com/v1beta1: releases from 1.2 on.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { limitsWithEfa } from "./efa.ts";
import { frameworkOf, modelReference } from "./engines.ts";
import { hasVersionTag } from "./images.ts";
import { type DeployedNames, mainContainer, podPlacement } from "./render_pod.ts";
import type { Component, Graph } from "./types.ts";

/** The `spec`. */
export function specV1beta1(
  graph: Graph,
  release: Release,
  names: DeployedNames,
): Record<string, unknown> {
  return {
    ...frameworkOf(graph),
    components: graph.components.map((component) =>
      componentSpec(graph, component, release, names)
    ),
  };
}

function componentSpec(
  graph: Graph,
  component: Component,
  release: Release,
  names: DeployedNames,
): Record<string, unknown> {
  const main = mainContainer(graph, component, release, names);
  const resources = resourcesOf(component);
  return {
    name: component.name,
    // A client has no type: it gets neither probes nor ports.
    ...(component.role === "client" ? {} : { type: component.role }),
    replicas: component.replicas,
    ...modelReference(graph, component),
    ...(component.nodes > 1 ? { multinode: { nodeCount: component.nodes } } : {}),
    ...(component.sharedMemory === undefined ? {} : { sharedMemorySize: component.sharedMemory }),
    // Admission wants to know the version of an image whose tag does not say it.
    ...(hasVersionTag(main.image) || !atLeast(release, 1, 4)
      ? {}
      : { runtimeVersionOverride: plainVersion(release) }),
    podTemplate: {
      spec: {
        ...podPlacement(graph, component, names),
        containers: [{
          name: "main",
          ...main,
          ...(graph.tokenSecret === undefined
            ? {}
            : { envFrom: [{ secretRef: { name: graph.tokenSecret } }] }),
          ...(resources === undefined ? {} : { resources }),
        }],
      },
    },
  };
}

function plainVersion({ semver: { major, minor, patch } }: Release): string {
  return `${major}.${minor}.${patch}`;
}

function resourcesOf(component: Component): Record<string, unknown> | undefined {
  const limits = {
    ...limitsWithEfa(component),
    ...(component.gpus > 0 ? { "nvidia.com/gpu": String(component.gpus) } : {}),
  };
  const result = {
    ...(Object.keys(component.requests).length === 0 ? {} : { requests: component.requests }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
  return Object.keys(result).length === 0 ? undefined : result;
}
