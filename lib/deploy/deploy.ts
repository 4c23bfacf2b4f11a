/**
 * Deploying graphs: plan, apply, wait, ask them something.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import type { Plan, Step } from "../cli/plan.ts";
import { graphFrontend, requestedGraphName } from "../graph/names.ts";
import { problemText } from "../graph/problems.ts";
import { renderGraph, type RenderOptions } from "../graph/render.ts";
import { REQUEST_KIND } from "../graph/render_request.ts";
import { type Graph, servedModel } from "../graph/types.ts";
import { validateGraph } from "../graph/validate.ts";
import type { ApplyOptions, Kube, KubeObject } from "../kube/types.ts";
import { ensureHfSecret } from "../platform/secrets.ts";
import type { Target } from "../target/target.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import { probeGraph, type ProbeOptions } from "./probe.ts";
import { waitForGraph } from "./ready.ts";
import { waitForRequest } from "./requests.ts";

/** Objects to apply, and how to tell that they do what they should. */
export interface Deployment {
  /** Name for people. */
  readonly name: string;
  /** Namespace for what is needed around the objects. */
  readonly namespace: string;
  /** What is applied, in order. */
  readonly objects: readonly KubeObject[];
  /** The graphs among them, and what to ask them. */
  readonly graphs: readonly ProbeOptions[];
  /** Requests for graphs among them: the operator finds a graph for each. */
  readonly requests?: readonly ProbeOptions[];
  /** Secret with the Hugging Face token that has to be there. */
  readonly tokenSecret?: string;
  /** Things to know that do not stop anything. */
  readonly warnings: readonly string[];
}

/** What to deploy where. */
export interface DeployOptions {
  /** What to deploy. */
  readonly deployment: Deployment;
  /** Release it is rendered for. */
  readonly release: Release;
  /** Where to. */
  readonly target: Target;
  /** Milliseconds to wait for ready; 0 does not wait. */
  readonly timeoutMs: number;
  /** Connects to the cluster when the first step needs it; a dry run never does. */
  readonly connect: () => Promise<Kube>;
}

/**
 * The deployment of an example.
 *
 * @throws {TaskError} as `renderGraph`.
 */
export function graphDeployment(
  graph: Graph,
  release: Release,
  options: Pick<RenderOptions, "namespace" | "partOf">,
): Deployment {
  const { namespace } = options;
  const objects = renderGraph(graph, release, options);
  const service = graphFrontend(graph, release)?.serviceName;
  const model = servedModel(graph);
  const ask = (kind: string): ProbeOptions[] =>
    objects.filter((object) => object.kind === kind).map((object) => ({
      namespace,
      name: object.metadata.name,
      apiVersion: object.apiVersion,
      ask: service === undefined ? "greeting" : "chat",
      ...(service === undefined ? {} : { service }),
      ...(model === undefined ? {} : { model }),
    }));
  return {
    name: graph.name,
    namespace,
    objects,
    graphs: ask(GRAPH_KIND),
    requests: ask(REQUEST_KIND).map((one) => ({
      ...one,
      apiVersion: release.graphApiVersion,
      ...(graph.request?.autoApply === false ? { ask: "nothing" as const } : {}),
    })),
    ...(graph.tokenSecret === undefined ? {} : { tokenSecret: graph.tokenSecret }),
    warnings: validateGraph(graph, release)
      .filter((problem) => problem.severity === "warning")
      .map(problemText),
  };
}

/** Plans a deployment; reads nothing from the cluster. */
export function planDeploy(options: DeployOptions): Plan {
  const { deployment, release, target } = options;
  return {
    task: "deploy",
    facts: {
      target: target.kind,
      namespace: deployment.namespace,
      graph: deployment.name,
      release: `${release.version} (${release.graphApiVersion})`,
    },
    warnings: [
      ...(release.warning === undefined ? [] : [release.warning]),
      ...deployment.warnings,
    ],
    steps: [
      ...secretSteps(options),
      {
        id: "apply",
        title: `Apply ${deployment.graphs.length === 0 ? "" : "graph "}${deployment.name}`,
        touches: deployment.objects.map(objectTitle),
        deadlineMs: 60_000,
        run: async (ctx) => await applyObjects(ctx, await options.connect(), deployment.objects),
      },
      ...(options.timeoutMs <= 0 ? [] : [
        ...deployment.graphs.flatMap((graph) => waitSteps(options, graph)),
        ...(deployment.requests ?? []).flatMap((request) => requestSteps(options, request)),
      ]),
    ],
  };
}

/** `Kind namespace/name`. */
export function objectTitle(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

function secretSteps({ deployment, target, connect }: DeployOptions): Step[] {
  const { tokenSecret, namespace } = deployment;
  if (tokenSecret === undefined) return [];
  return [{
    id: "secret",
    title: "Hugging Face token",
    touches: [`Secret ${namespace}/${tokenSecret}`],
    deadlineMs: 60_000,
    run: async (ctx) =>
      await ensureHfSecret(ctx, await connect(), {
        namespace,
        name: tokenSecret,
        placeholder: target.kind === "local",
      }),
  }];
}

function waitSteps(options: DeployOptions, graph: ProbeOptions): Step[] {
  const { timeoutMs, connect } = options;
  // Several graphs share a plan, and ids are unique.
  const suffix = options.deployment.graphs.length > 1 ? `-${graph.name}` : "";
  const ready: Step = {
    id: `ready${suffix}`,
    title: `Wait until ${graph.name} is ready`,
    touches: [],
    // The wait has a deadline of its own, with evidence; this one is the net below it.
    deadlineMs: timeoutMs + 60_000,
    run: async (ctx) => {
      const state = await waitForGraph(ctx, await connect(), { ...graph, timeoutMs });
      return `${state.components.length} components ready`;
    },
  };
  if (graph.ask === "nothing") return [ready];
  return [ready, {
    id: `probe${suffix}`,
    title: "Ask it something",
    touches: [],
    deadlineMs: 120_000,
    run: async (ctx, ui) => await probeGraph(ctx, await connect(), graph, ui),
  }];
}

// No controller of the embedded cluster acts on requests: estimating takes NVIDIA's planner image.
function requestSteps(options: DeployOptions, request: ProbeOptions): Step[] {
  if (options.target.kind === "local") return [];
  const { timeoutMs, connect } = options;
  const { namespace, name } = request;
  return [
    {
      id: `request-${name}`,
      title: `Wait until Dynamo has found a graph for ${name}`,
      touches: [],
      deadlineMs: timeoutMs + 60_000,
      run: async (ctx, ui) => {
        const state = await waitForRequest(
          ctx,
          await connect(),
          { namespace, name, timeoutMs },
          ui,
        );
        return state.phase === "Ready" ? "found, and not deployed as asked" : state.graph;
      },
    },
    // Without autoApply there is no graph to wait for.
    ...(request.ask === "nothing"
      ? []
      : waitSteps(options, { ...request, name: requestedGraphName(name) })),
  ];
}

async function applyObjects(
  ctx: Context,
  kube: Kube,
  objects: readonly KubeObject[],
): Promise<string> {
  for (const object of objects) {
    await applyObject(kube, object);
    ctx.ui.debug(`applied ${objectTitle(object)}`);
  }
  return `${objects.length} object${objects.length === 1 ? "" : "s"}`;
}

/**
 * Applies one object and returns it as the server has it then.
 *
 * @throws {TaskError} OPERATOR_DOWN when it was refused because the operator's webhook, which
 * fails closed, does not answer; else as `Kube.apply`.
 */
export async function applyObject(
  kube: Kube,
  object: KubeObject,
  options: ApplyOptions = {},
): Promise<KubeObject> {
  try {
    return await kube.apply(object, options);
  } catch (error) {
    if (!(error instanceof TaskError) || !/failed calling webhook/.test(error.message)) throw error;
    throw new TaskError({
      code: "OPERATOR_DOWN",
      message: `${objectTitle(object)} was refused: the operator's webhook does not answer`,
      hint: "deno task status shows the operator; deno task install repairs it.",
      cause: error,
    });
  }
}
