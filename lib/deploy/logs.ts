/**
 * Logs of a graph's pods, merged.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import type { Kube, LogOptions } from "../kube/types.ts";
import type { GraphState } from "./graph_state.ts";

/** Which lines. */
export interface GraphLogOptions extends Omit<LogOptions, "signal" | "container"> {
  /** Only this component. */
  readonly component?: string | undefined;
}

/** One line of a pod. */
export interface PodLine {
  /** Component the pod belongs to. */
  readonly component: string;
  /** Name of the pod. */
  readonly pod: string;
  /** The line, without its end. */
  readonly line: string;
}

/**
 * The pods whose lines are wanted.
 *
 * @throws {TaskError} COMPONENT_UNKNOWN (exit code 2) with the graph's components.
 */
export function logPods(
  graph: GraphState,
  component: string | undefined,
): { component: string; pod: string }[] {
  const names = graph.components.map((known) => known.name);
  const wanted = component?.toLowerCase();
  if (wanted !== undefined && !names.some((name) => name.toLowerCase() === wanted)) {
    throw usageError(
      "COMPONENT_UNKNOWN",
      `Graph ${graph.name} has no component "${component}". ${didYouMean(component ?? "", names)}`
        .trim(),
      `Components: ${names.join(", ")}.`,
    );
  }
  return graph.components
    .filter((known) => wanted === undefined || known.name.toLowerCase() === wanted)
    .flatMap((known) => known.pods.map((pod) => ({ component: known.name, pod: pod.name })));
}

/** Calls `onLine` with every line, pods side by side, until all have ended or the task is interrupted. */
export async function streamLogs(
  ctx: Context,
  kube: Kube,
  graph: GraphState,
  options: GraphLogOptions,
  onLine: (line: PodLine) => void,
): Promise<void> {
  const { component, ...logOptions } = options;
  await Promise.all(
    logPods(graph, component).map(async (source) => {
      try {
        const lines = kube.logs({ name: source.pod, namespace: graph.namespace }, {
          ...logOptions,
          container: "main",
          signal: ctx.signal,
        });
        for await (const line of lines) onLine({ ...source, line });
      } catch (error) {
        if (ctx.signal.aborted) return;
        ctx.ui.warn(`${source.pod}: ${messageOf(error)}`);
      }
    }),
  );
}
