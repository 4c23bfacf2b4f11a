/**
 * Reaching a deployed graph's HTTP endpoint through a port-forward of our own.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
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

/** Opens a port-forward to a Service of the graph on a free local port (or the given one). */
export function forwardFrontend(
  ctx: Context,
  kube: Kube,
  where: { readonly namespace: string; readonly service: string; readonly localPort?: number },
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
    ...(where.localPort === undefined ? {} : { localPort: where.localPort }),
  });
}
