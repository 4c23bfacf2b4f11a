/**
 * hello-world has no HTTP endpoint: it is judged by what its client prints.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Kube } from "../kube/types.ts";
import type { GraphState } from "./graph_state.ts";

const TAIL_LINES = 200;
const READ_WITHIN_MS = 10_000;

/**
 * The last greeting that the client received from its worker, or undefined while there is
 * none. Dynamo's example streams lines that begin with "Hello".
 */
export async function greeting(
  ctx: Context,
  kube: Kube,
  graph: GraphState,
): Promise<string | undefined> {
  const client = graph.components.find((component) => component.type !== "worker");
  for (const pod of client?.pods ?? []) {
    if (pod.terminating) continue;
    const found = await lastGreeting(ctx, kube, { name: pod.name, namespace: graph.namespace });
    if (found !== undefined) return `the client received "${found}"`;
  }
  return undefined;
}

async function lastGreeting(
  ctx: Context,
  kube: Kube,
  pod: { name: string; namespace: string },
): Promise<string | undefined> {
  let last: string | undefined;
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(READ_WITHIN_MS)]);
  for await (const line of kube.logs(pod, { container: "main", tailLines: TAIL_LINES, signal })) {
    last = greetingIn(line) ?? last;
  }
  return last;
}

/** The greeting in a log line, if it holds one. */
export function greetingIn(line: string): string | undefined {
  return /\bHello\b[^\n"']*/.exec(line)?.[0].trim();
}
