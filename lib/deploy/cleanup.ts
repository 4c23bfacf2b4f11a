/**
 * Taking things away, in the order of their dependencies, ours only.
 *
 * @module
 */
import { resolveRelease } from "../blueprint/release.ts";
import type { Context } from "../cli/context.ts";
import type { Plan, Step } from "../cli/plan.ts";
import { preconditionError } from "../cli/errors.ts";
import { localDeleteSteps } from "../local/delete.ts";
import {
  forgetTarget,
  openTarget,
  recallTarget,
  resolveTarget,
  type Target,
  type TargetChoice,
} from "../target/target.ts";
import type { GraphState } from "./graph_state.ts";
import { listGraphs, pickGraph } from "./graphs.ts";
import { removeGraph } from "./remove.ts";
import { type SharedConnection, sharedConnection } from "./session.ts";

/** What should go. */
export type CleanupLevel =
  | { readonly kind: "graph"; readonly name: string }
  | { readonly kind: "graphs" }
  | { readonly kind: "all"; readonly cache: boolean };

/** A plan with the connection that its steps use. */
export interface PreparedCleanup extends AsyncDisposable {
  /** What will go. */
  readonly plan: Plan;
}

const REMOVE_TIMEOUT_MS = 120_000;

/** Plans a cleanup; graphs that do not carry our label stay. */
export async function planCleanup(
  ctx: Context,
  level: CleanupLevel,
  choice: TargetChoice,
): Promise<PreparedCleanup> {
  const target = level.kind === "all" && await recallTarget(ctx) === undefined
    ? undefined
    : await resolveTarget(ctx, choice);
  const connection = target === undefined ? undefined : sharedConnection(ctx, target);
  const steps: Step[] = [];
  const warnings: string[] = [];
  if (target !== undefined && level.kind !== "all") {
    const graphs = await graphsOf(ctx, target);
    const wanted = level.kind === "graph" ? [pickGraph(graphs, level.name)] : graphs;
    for (const graph of wanted) {
      if (graph.ours) steps.push(graphStep(target, graph, connection!));
      else warnings.push(`Graph ${graph.name} was not made by these tasks and stays`);
    }
  }
  if (level.kind === "all") steps.push(...await everythingSteps(ctx, target, level.cache));
  return {
    plan: {
      task: "cleanup",
      facts: { target: target?.kind ?? "local", namespace: target?.namespace ?? "-" },
      warnings,
      steps,
    },
    [Symbol.asyncDispose]: () => connection?.[Symbol.asyncDispose]() ?? Promise.resolve(),
  };
}

async function graphsOf(ctx: Context, target: Target): Promise<GraphState[]> {
  const kube = await openTarget(ctx, target);
  try {
    const { graphApiVersion } = resolveRelease(target.release);
    return await listGraphs(kube, { namespace: target.namespace, apiVersion: graphApiVersion });
  } finally {
    kube.close();
  }
}

function graphStep(target: Target, graph: GraphState, connection: SharedConnection): Step {
  const { namespace, name, apiVersion } = graph;
  return {
    id: `graph-${name}`,
    title: `Remove graph ${name}`,
    touches: [
      `graph ${target.namespace}/${name}`,
      ...graph.components.flatMap((component) =>
        component.pods.map((pod) => `pod ${namespace}/${pod.name}`)
      ),
    ],
    deadlineMs: REMOVE_TIMEOUT_MS + 30_000,
    run: async (ctx, ui) => {
      const kube = await connection.connect();
      const options = { namespace, name, apiVersion, timeoutMs: REMOVE_TIMEOUT_MS };
      return await removeGraph(ctx, kube, options, ui) ? undefined : "was already gone";
    },
  };
}

// The embedded cluster goes as a whole: its processes, ports and folders.
async function everythingSteps(
  ctx: Context,
  target: Target | undefined,
  cache: boolean,
): Promise<Step[]> {
  if (target !== undefined && target.kind !== "local") {
    throw preconditionError(
      "CLEANUP_TARGET",
      `--all on target ${target.kind} is not available in this version`,
      "deno task cleanup --graphs removes the graphs.",
    );
  }
  return [...await localDeleteSteps(ctx, { cache }), {
    id: "target",
    title: "Forget the target",
    touches: [`${ctx.home}/target.json`],
    deadlineMs: 10_000,
    run: (stepCtx) => forgetTarget(stepCtx),
  }];
}
