/**
 * What to show when a graph does not come up: the operator's words, then each troubled pod's
 * events, conditions and last log lines.
 *
 * @module
 */
import { explainPod } from "../kube/events.ts";
import { oneLine } from "./diagnosis/objects.ts";
import type { Kube } from "../kube/types.ts";
import type { GraphState } from "./graph_state.ts";
import { listGraphs } from "./graphs.ts";

const MOST_PODS = 3;

/**
 * Lines of evidence about a graph, the pods of `first` (a component) before others; never throws,
 * as it is called when something failed already.
 */
export async function graphEvidence(
  kube: Kube,
  where: { readonly namespace: string; readonly name: string; readonly apiVersion: string },
  known: GraphState | undefined,
  first?: string,
): Promise<string[]> {
  try {
    const state = known ??
      (await listGraphs(kube, where)).find((graph) => graph.name === where.name);
    if (state === undefined) return ["the graph is not in the cluster"];
    const lines = [
      oneLine(`graph ${state.name}: ${state.state}${state.message ? `, ${state.message}` : ""}`),
    ];
    for (const component of state.components) {
      lines.push(oneLine(`${component.name}: ${component.phrase}`));
    }
    const rank = (name: string) => name === first ? 0 : 1;
    const pods = state.components.toSorted((a, b) => rank(a.name) - rank(b.name))
      .flatMap((component) => component.pods);
    const troubled = pods.filter((pod) => !pod.ready);
    for (const pod of (troubled.length > 0 ? troubled : pods).slice(0, MOST_PODS)) {
      lines.push(...await explainPod(kube, { name: pod.name, namespace: where.namespace }));
    }
    return lines;
  } catch (error) {
    return [`no evidence could be read: ${error instanceof Error ? error.message : error}`];
  }
}
