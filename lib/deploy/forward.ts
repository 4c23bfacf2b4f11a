/**
 * A graph's frontend at a port of this machine, open until interrupted.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interrupted } from "../cli/interrupted.ts";
import { forwardFrontend, FRONTEND_PORT, requireFrontend } from "./frontend.ts";
import type { GraphState } from "./graph_state.ts";
import type { GraphSession } from "./session.ts";

/** Options of {@link forwardGraph}. */
export interface ForwardGraphOptions {
  /** Port on 127.0.0.1; a free one when undefined. */
  readonly localPort: number | undefined;
  /** Prints one JSON object instead of the URL. */
  readonly json: boolean;
}

/**
 * Forwards, prints the URL, and returns when the task is interrupted. When the frontend's pod is
 * gone, the next connection goes to another one.
 *
 * @throws {TaskError} FRONTEND_MISSING for graphs without an HTTP endpoint, PORT_TAKEN, or when no
 *   pod of the frontend is ready.
 */
export async function forwardGraph(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
  options: ForwardGraphOptions,
): Promise<void> {
  const service = requireFrontend(graph, "forward to");
  const { namespace } = graph;
  const forwarder = await forwardFrontend(ctx, session.kube, {
    namespace,
    service,
    ...(options.localPort === undefined ? {} : { localPort: options.localPort }),
  });
  try {
    const { url } = forwarder;
    ctx.ui.out(
      options.json
        ? JSON.stringify({ graph: graph.name, url, namespace, service, port: FRONTEND_PORT })
        : url,
    );
    ctx.ui.info(`  Forwarding to ${namespace}/${service}; Ctrl-C ends it`);
    await interrupted(ctx.signal);
  } finally {
    await forwarder.close();
  }
}
