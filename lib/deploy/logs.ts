/**
 * Logs of a graph's pods, merged.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError, usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import type { Kube, LogOptions } from "../kube/types.ts";
import type { GraphState } from "./graph_state.ts";
import { followGraphLogs, MAIN_CONTAINER } from "./log_follow.ts";
import { type PodLine, timedLine } from "./log_lines.ts";

/** Which lines. */
export interface GraphLogOptions
  extends Pick<LogOptions, "follow" | "previous" | "tailLines" | "sinceSeconds"> {
  /** Only this component. */
  readonly component?: string | undefined;
  /** Only lines that match. */
  readonly grep?: RegExp | undefined;
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

/**
 * Calls `onLine` with every line, pods side by side, until all have ended; with `follow` until the
 * graph is gone or the task is interrupted.
 *
 * @throws {TaskError} COMPONENT_UNKNOWN (exit code 2); LOGS_UNREADABLE when no pod's log can be read.
 */
export async function streamLogs(
  ctx: Context,
  kube: Kube,
  graph: GraphState,
  options: GraphLogOptions,
  onLine: (line: PodLine) => void,
): Promise<void> {
  const { component, grep, follow, ...logOptions } = options;
  const pods = logPods(graph, component);
  const matching = (line: PodLine) => {
    if (grep === undefined || grep.test(line.line)) onLine(line);
  };
  if (follow === true) {
    const wanted = component?.toLowerCase();
    return await followGraphLogs(ctx, kube, {
      namespace: graph.namespace,
      name: graph.name,
      apiVersion: graph.apiVersion,
      wanted: (name) => wanted === undefined || name.toLowerCase() === wanted,
      first: logOptions,
      signal: ctx.signal,
      onLine: matching,
    });
  }
  const failures: string[] = [];
  await Promise.all(pods.map(async (source) => {
    try {
      const lines = kube.logs({ name: source.pod, namespace: graph.namespace }, {
        ...logOptions,
        container: MAIN_CONTAINER,
        timestamps: true,
        signal: ctx.signal,
      });
      for await (const line of lines) {
        const { time, text } = timedLine(line);
        matching({ ...source, line: text, time });
      }
    } catch (error) {
      if (ctx.signal.aborted) return;
      failures.push(`${source.pod}: ${messageOf(error)}`);
    }
  }));
  if (failures.length > 0 && failures.length === pods.length) {
    throw new TaskError({
      code: "LOGS_UNREADABLE",
      message: `No log of graph ${graph.name} can be read`,
      evidence: failures,
      hint: logOptions.previous === true
        ? "--previous is the container before its last restart: status shows restarts."
        : `deno task describe ${graph.name} shows why its pods have not started.`,
    });
  }
  for (const failure of failures) ctx.ui.warn(failure);
}
