/**
 * Steps that remove graphs: what makes something goes before it, and what stays is told.
 *
 * @module
 */
import type { Step } from "../cli/plan.ts";
import { REQUEST_KIND } from "../graph/render_request.ts";
import type { Found } from "./cleanup_found.ts";
import { GRAPH_KIND, type GraphState } from "./graph_state.ts";
import { comesBack, managerStep } from "./managers.ts";
import { removeBenchJobs } from "./bench_leftovers.ts";
import { removeAdapters, removeGraph } from "./remove.ts";
import { removeRequest, type RequestState } from "./requests.ts";
import type { SharedConnection } from "./session.ts";

/** Something that stays. */
export interface Staying {
  /** What and why, in words. */
  readonly text: string;
  /** Whether somebody else would make it again; else it was never ours. */
  readonly comesBack: boolean;
}

/** What goes and what does not. */
export interface GraphSteps {
  /** Steps in order. */
  readonly steps: readonly Step[];
  /** What stays. */
  readonly stays: readonly Staying[];
}

const REMOVE_TIMEOUT_MS = 120_000;
// Each removal watches four kinds; an API server is asked for so many at once.
const SIDE_BY_SIDE = 12;

/** What makes nothing, or goes on its own, first; what an Application or a request makes after it. */
export function graphSteps(found: Found, connection: SharedConnection): GraphSteps {
  const { managers, namespace, apiVersion } = found;
  const stays: Staying[] = [];
  /** Whether it goes; else it is told why not. */
  const goes = (kind: string, name: string, ours: boolean): boolean => {
    const word = kind === GRAPH_KIND ? "Graph" : "Request";
    const again = comesBack(managers, `${kind}/${name}`);
    if (!ours) {
      stays.push({
        text: `${word} ${name} was not made by these tasks and stays`,
        comesBack: false,
      });
    } else if (again !== undefined) {
      stays.push({ text: `${word} ${name} stays: ${again}`, comesBack: true });
    }
    return ours && again === undefined;
  };
  const requests = found.requests.filter((one) => goes(REQUEST_KIND, one.name, one.ours));
  const requested = new Set(requests.map((one) => one.graph));
  const graphs: Pick<GraphState, "namespace" | "name" | "apiVersion" | "components">[] = found
    .graphs.filter((one) => goes(GRAPH_KIND, one.name, one.ours || requested.has(one.name)));
  for (const name of new Set([...requested, ...found.orphans])) {
    if (found.graphs.some((one) => one.name === name)) continue;
    // The operator may make the graph of a request after the plan was made.
    graphs.push({ namespace, name, apiVersion, components: [] });
  }
  const ours = managers.filter((one) => one.ours);
  const madeBy = (object: string) => ours.some((one) => one.makes.has(object)) ? 1 : 0;
  const stageOf = new Map(
    requests.map((one) => [one.graph, madeBy(`${REQUEST_KIND}/${one.name}`) + 1]),
  );
  return {
    stays,
    steps: inStages([
      ...ours.map((one) => ({ stage: 0, step: managerStep(one, connection) })),
      ...requests.map((one) => ({
        stage: madeBy(`${REQUEST_KIND}/${one.name}`),
        step: requestStep(one, connection),
      })),
      ...graphs.map((one) => ({
        stage: stageOf.get(one.name) ?? madeBy(`${GRAPH_KIND}/${one.name}`),
        step: graphStep(one, connection),
      })),
    ]),
  };
}

/** Only what is made by something waits for its end; all else goes side by side. */
function inStages(steps: readonly { readonly stage: number; readonly step: Step }[]): Step[] {
  return [0, 1, 2].flatMap((stage) =>
    steps.filter((one) => one.stage === stage).map(({ step }, index) => ({
      ...step,
      beside: `graphs-${stage}-${Math.floor(index / SIDE_BY_SIDE)}`,
    }))
  );
}

/** Steps that remove a request, and the graph that the operator may make for it meanwhile. */
export function requestSteps(
  request: RequestState,
  connection: SharedConnection,
  { graphs, apiVersion }: {
    /** Graphs that are there, which have steps of their own. */
    readonly graphs: readonly GraphState[];
    /** Form in which graphs are read; requests are of v1beta1 from 1.0 on, graphs only from 1.2 on. */
    readonly apiVersion: string;
  },
): Step[] {
  const { namespace, graph: name } = request;
  return [
    requestStep(request, connection),
    ...graphs.some((one) => one.name === name)
      ? []
      : [graphStep({ namespace, name, apiVersion, components: [] }, connection)],
  ];
}

function requestStep({ namespace, name }: RequestState, connection: SharedConnection): Step {
  return {
    id: `request-${name}`,
    title: `Remove request ${name}`,
    touches: [`request ${namespace}/${name}`],
    deadlineMs: REMOVE_TIMEOUT_MS + 30_000,
    beside: "requests",
    run: async (ctx) => {
      const kube = await connection.connect();
      const place = { namespace, name, timeoutMs: REMOVE_TIMEOUT_MS };
      return await removeRequest(ctx, kube, place) ? undefined : "was already gone";
    },
  };
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
      const benchmarks = await removeBenchJobs(kube, { namespace, graph: name });
      const existed = await removeGraph(ctx, kube, options, ui);
      const adapters = await removeAdapters(ctx, kube, options);
      const more = [counted(adapters, "adapter"), counted(benchmarks, "benchmark")].filter(Boolean);
      if (more.length > 0) return `and ${more.join(", ")}`;
      return existed ? undefined : "was already gone";
    },
  };
}

function counted(count: number, what: string): string {
  return count === 0 ? "" : `${count} ${what}${count === 1 ? "" : "s"}`;
}
