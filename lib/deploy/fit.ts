/**
 * What node pools, GPU memory and tokens say to a graph before anything is touched.
 *
 * @module
 */
import type { NodePool } from "../blueprint/types.ts";
import { EXIT } from "../cli/errors.ts";
import { checkFit } from "../graph/checks.ts";
import { errorsOf, problemText, throwProblems } from "../graph/problems.ts";
import type { Graph } from "../graph/types.ts";

/** Where the graph goes. */
export interface FitOptions {
  /** The blueprint's node pools. */
  readonly nodePools: readonly NodePool[];
  /** Whether `HF_TOKEN` is set. */
  readonly tokenGiven: boolean;
  /** Whether GPUs and models are only simulated: then nothing stops the graph here. */
  readonly simulated: boolean;
}

/**
 * The warnings. Where GPUs are simulated only what would stop the graph on real ones is worth a
 * line.
 *
 * @throws {TaskError} GRAPH_UNFIT (exit code 3) when the graph cannot run on these nodes.
 */
export function fitWarnings(graph: Graph, options: FitOptions): string[] {
  const problems = checkFit(graph, options);
  if (options.simulated) {
    return errorsOf(problems).map((problem) => `On real nodes: ${problemText(problem)}`);
  }
  throwProblems(problems, {
    code: "GRAPH_UNFIT",
    subject: graph.source,
    exitCode: EXIT.precondition,
  });
  return problems.map(problemText);
}
