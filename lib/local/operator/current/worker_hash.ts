/**
 * From 1.0: the hash that names a generation of workers. Any change of a worker's template
 * changes it for all workers of the graph; a change of replicas does not.
 *
 * @module
 */
import { hashOf } from "../json.ts";
import type { ComponentSpec, Graph } from "../types.ts";
import { dynamoNamespace, isWorker } from "./graph_model.ts";

/** Eight hex digits, or undefined when the graph has no workers. Not the real operator's digits. */
export function workerHash(
  graph: Graph,
  components: readonly ComponentSpec[],
  framework: string | undefined,
): string | undefined {
  const workers = components.filter(isWorker)
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map((component) => {
      const { replicas: _r, minAvailable: _m, scalingAdapter: _s, ...template } = component;
      return { ...template, dynamoNamespace: dynamoNamespace(graph, component) };
    });
  if (workers.length === 0) return undefined;
  return hashOf({ framework, workers }).slice(0, 8);
}
