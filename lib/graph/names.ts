/**
 * Names that the operator makes of a graph's name and its components' names, and their limits.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { type Component, type Graph, isEngine } from "./types.ts";

/** Longest name of a Service or value of a label. */
export const NAME_LIMIT = 63;

/** Longest graph and component name together where Grove makes the pods. */
export const GROVE_LIMIT = 45;

/** Port of a frontend's Service. */
export const FRONTEND_PORT = 8000;

/** Whether the text can name a graph: it becomes the first part of a Service's name. */
export function isDnsLabel(text: string): boolean {
  return text.length <= NAME_LIMIT && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

/** Name of what the operator makes for a component (Deployment, Service), without a worker hash. */
export function componentObjectName(graphName: string, componentName: string): string {
  return `${graphName}-${componentName.toLowerCase()}`.replaceAll(".", "-");
}

/** Length of the longest of these names; from 1.0 on those of workers end in a hash. */
export function componentNameLength(
  graphName: string,
  component: Pick<Component, "name" | "role">,
  release: Release,
): number {
  const hash = atLeast(release, 1, 0) && isEngine(component) ? "-01234567".length : 0;
  return componentObjectName(graphName, component.name).length + hash;
}

/**
 * Name of the graph that the operator makes for a DynamoGraphDeploymentRequest. The request does
 * not own it: delete the request first, then the graph.
 */
export function requestedGraphName(requestName: string): string {
  return `${requestName}-dgd`;
}

/** Dynamo's own namespace of a graph, which becomes a label. */
export function dynamoNamespace(graphName: string, namespace: string, release: Release): string {
  return atLeast(release, 0, 7) ? `${namespace}-${graphName}` : graphName;
}

/** Where a deployed graph is reached. */
export interface FrontendService {
  /** Name of the Service. */
  readonly serviceName: string;
  /** Port of the Service. */
  readonly port: number;
}

/**
 * The Service of the graph's frontend, or undefined when it has none (hello-world speaks no HTTP).
 * `name` is the deployed name when it is not the graph's own.
 */
export function graphFrontend(
  graph: Graph,
  _release: Release,
  name: string = graph.name,
): FrontendService | undefined {
  if (graph.request !== undefined) {
    // The operator's own graph for a request has a component Frontend.
    return {
      serviceName: componentObjectName(requestedGraphName(name), "Frontend"),
      port: FRONTEND_PORT,
    };
  }
  const frontend = graph.components.find((component) => component.role === "frontend");
  if (frontend === undefined) return undefined;
  return { serviceName: componentObjectName(name, frontend.name), port: FRONTEND_PORT };
}
