/**
 * What node pools, GPU memory and tokens say to a graph before anything is touched.
 *
 * @module
 */
import type { NodePool } from "../blueprint/types.ts";
import { EXIT, preconditionError } from "../cli/errors.ts";
import { checkFit } from "../graph/checks.ts";
import { errorsOf, problemText, throwProblems } from "../graph/problems.ts";
import type { Graph } from "../graph/types.ts";

/** Where the graph goes. */
export interface FitOptions {
  /** The blueprint's node pools. */
  readonly nodePools: readonly NodePool[];
  /** Whether `HF_TOKEN` is set. */
  readonly tokenGiven: boolean;
  /** The embedded cluster: GPUs and models are simulated, so they stop nothing. */
  readonly embedded: boolean;
  /** Whether the graph is only shown. */
  readonly dryRun: boolean;
}

const SEVERAL_NODES =
  "pods that span several nodes come from Grove or LeaderWorkerSet, which the embedded cluster does not have";

/**
 * The warnings. On the embedded cluster only what would stop the graph on real nodes is worth a
 * line, and what the cluster cannot do.
 *
 * @throws {TaskError} GRAPH_UNFIT (exit code 3) when the graph cannot run on these nodes;
 * GRAPH_EMBEDDED (exit code 3) when the embedded cluster cannot run it.
 */
export function fitWarnings(graph: Graph, options: FitOptions): string[] {
  const problems = checkFit(graph, options);
  if (!options.embedded) {
    throwProblems(problems, {
      code: "GRAPH_UNFIT",
      subject: graph.source,
      exitCode: EXIT.precondition,
    });
    return problems.map(problemText);
  }
  const warnings = errorsOf(problems).map((problem) => `On real nodes: ${problemText(problem)}`);
  if (graph.request !== undefined) {
    warnings.push(
      "The request is kept and nothing acts on it: finding a graph takes NVIDIA's planner image, which the embedded cluster does not run",
    );
  }
  if (graph.components.some((component) => component.nodes > 1)) {
    if (!options.dryRun) {
      throw preconditionError(
        "GRAPH_EMBEDDED",
        `${graph.source}: ${SEVERAL_NODES}`,
        "Look at it with --dry-run --output yaml, or install --target eks.",
      );
    }
    warnings.push(`It cannot run here: ${SEVERAL_NODES}`);
  }
  return warnings;
}
