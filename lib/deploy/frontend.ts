/**
 * Reaching a deployed graph's HTTP endpoint through a port-forward of our own.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { forwardPort, resolveServicePod } from "../kube/port_forward.ts";
import type { Kube, PortForwarder } from "../kube/types.ts";
import type { GraphState } from "./graph_state.ts";

/** Port of Dynamo's frontend and its Service. */
export const FRONTEND_PORT = 8000;

/** Name of the graph's HTTP Service (`<graph>-<frontend component>`), or undefined for graphs without one. */
export function frontendService(graph: GraphState): string | undefined {
  const frontend = graph.components.find((component) => component.type === "frontend");
  return frontend === undefined ? undefined : `${graph.name}-${frontend.name.toLowerCase()}`;
}

/**
 * As {@link frontendService}, for what needs one.
 *
 * @throws {TaskError} FRONTEND_MISSING (exit code 3) for graphs that speak no HTTP.
 */
export function requireFrontend(graph: GraphState, what: string): string {
  const service = frontendService(graph);
  if (service !== undefined) return service;
  throw preconditionError(
    "FRONTEND_MISSING",
    `Graph "${graph.name}" has no frontend: there is no HTTP endpoint to ${what}`,
    `\`deno task test ${graph.name}\` tries it by its own protocol.`,
  );
}

/** Opens a port-forward to a Service of the graph on a free local port (or the given one). */
export function forwardFrontend(
  ctx: Context,
  kube: Kube,
  where: {
    readonly namespace: string;
    readonly service: string;
    readonly localPort?: number;
    /** Says why connections failed with `--verbose` only. */
    readonly quiet?: boolean;
  },
): Promise<PortForwarder> {
  const pod = () =>
    resolveServicePod(kube, {
      namespace: where.namespace,
      service: where.service,
      port: FRONTEND_PORT,
    });
  return forwardPort(ctx, kube, {
    pod,
    port: FRONTEND_PORT,
    quiet: where.quiet,
    ...(where.localPort === undefined ? {} : { localPort: where.localPort }),
  });
}
