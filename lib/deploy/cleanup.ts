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
import { removeAdapters, removeGraph } from "./remove.ts";
import { listRequests, removeRequest, type RequestState } from "./requests.ts";
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
    const apiVersion = resolveRelease(target.release).graphApiVersion;
    const found = await deployed(ctx, target);
    const { requests, graphs } = level.kind === "graphs" ? found : named(found, level.name);
    const requested = new Set(requests.filter((one) => one.ours).map((one) => one.graph));
    for (const request of requests) {
      if (request.ours) steps.push(...requestSteps(request, connection!, { graphs, apiVersion }));
      else warnings.push(`Request ${request.name} was not made by these tasks and stays`);
    }
    for (const graph of graphs) {
      if (graph.ours || requested.has(graph.name)) steps.push(graphStep(graph, connection!));
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

interface Deployed {
  readonly graphs: readonly GraphState[];
  readonly requests: readonly RequestState[];
}

async function deployed(ctx: Context, target: Target): Promise<Deployed> {
  const kube = await openTarget(ctx, target);
  const release = resolveRelease(target.release);
  const { namespace } = target;
  try {
    return {
      graphs: await listGraphs(kube, { namespace, apiVersion: release.graphApiVersion }),
      requests: await listRequests(kube, { namespace, release }),
    };
  } finally {
    kube.close();
  }
}

// A request goes with its graph, whichever of the two is named: it would make the graph again.
function named({ graphs, requests }: Deployed, name: string): Deployed {
  const ofName = requests.filter((one) => one.name === name || one.graph === name);
  if (ofName.length === 0) return { requests: [], graphs: [pickGraph(graphs, name)] };
  const names = new Set([name, ...ofName.map((request) => request.graph)]);
  return { requests: ofName, graphs: graphs.filter((graph) => names.has(graph.name)) };
}

/** Steps that remove a request, and the graph that the operator may make for it meanwhile. */
export function requestSteps(
  request: RequestState,
  connection: SharedConnection,
  { graphs, apiVersion }: { readonly graphs: readonly GraphState[]; readonly apiVersion: string },
): Step[] {
  const { namespace, name, graph } = request;
  const place = { namespace, name, timeoutMs: REMOVE_TIMEOUT_MS };
  return [
    {
      id: `request-${name}`,
      title: `Remove request ${name}`,
      touches: [`request ${namespace}/${name}`],
      deadlineMs: REMOVE_TIMEOUT_MS + 30_000,
      run: async (ctx) => {
        const kube = await connection.connect();
        return await removeRequest(ctx, kube, place) ? undefined : "was already gone";
      },
    },
    // The operator may make the graph after the plan was made.
    ...graphs.some((one) => one.name === graph) ? [] : [graphStep({
      namespace,
      name: graph,
      // Requests are of v1beta1 from 1.0 on, graphs only from 1.2 on.
      apiVersion,
      components: [],
    }, connection)],
  ];
}

/** The step that removes a graph with its adapters; `graph` tells which, and the pods that it has. */
export function graphStep(
  graph: Pick<GraphState, "namespace" | "name" | "apiVersion" | "components">,
  connection: SharedConnection,
): Step {
  const { namespace, name, apiVersion } = graph;
  return {
    id: `graph-${name}`,
    title: `Remove graph ${name}`,
    touches: [
      `graph ${namespace}/${name}`,
      ...graph.components.flatMap((component) =>
        component.pods.map((pod) => `pod ${namespace}/${pod.name}`)
      ),
    ],
    deadlineMs: REMOVE_TIMEOUT_MS + 30_000,
    run: async (ctx, ui) => {
      const kube = await connection.connect();
      const options = { namespace, name, apiVersion, timeoutMs: REMOVE_TIMEOUT_MS };
      // Adapters last: without their workers there is nothing left to unload them from.
      const existed = await removeGraph(ctx, kube, options, ui);
      const adapters = await removeAdapters(kube, options);
      if (adapters > 0) return `and ${adapters} adapter${adapters === 1 ? "" : "s"}`;
      return existed ? undefined : "was already gone";
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
      `The cluster of target ${target.kind} was not made here, so --all does not remove it`,
      "deno task cleanup --platform removes the graphs and the platform.",
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
