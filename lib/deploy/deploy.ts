/**
 * Deploying graphs: plan, apply, wait, ask them something.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { type Plan, runPlan, type Step } from "../cli/plan.ts";
import { formatDuration } from "../cli/text.ts";
import { graphFrontend, requestedGraphName } from "../graph/names.ts";
import { problemText } from "../graph/problems.ts";
import { renderGraph, type RenderOptions } from "../graph/render.ts";
import { REQUEST_KIND } from "../graph/render_request.ts";
import { type Graph, servedModel } from "../graph/types.ts";
import { validateGraph } from "../graph/validate.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { ensureHfSecret } from "../platform/secrets.ts";
import type { Target } from "../target/target.ts";
import { applyChanges, type Change, objectTitle } from "./apply.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import { probeGraph, type ProbeOptions } from "./probe.ts";
import { waitForGraph } from "./ready.ts";
import { waitForRequest } from "./requests.ts";
import type { Timeout } from "./timeouts.ts";

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
  /** How long to wait for ready; undefined does not wait. */
  readonly timeout: Timeout | undefined;
  /** Connects to the cluster when the first step needs it; a dry run never does. */
  readonly connect: () => Promise<Kube>;
  /** What the steps have made or changed, filled by them. */
  readonly changes?: Change[];
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
  const { deployment, release, target, timeout, connect, changes = [] } = options;
  return {
    task: "deploy",
    facts: {
      target: target.kind,
      namespace: deployment.namespace,
      graph: deployment.name,
      release: `${release.version} (${release.graphApiVersion})`,
      timeout: timeoutWords(timeout),
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
        run: async (ctx, ui) => {
          const kube = await connect();
          const compare = async (object: KubeObject, live: KubeObject) => {
            // Loaded when something is there already: a first deployment has nothing to compare.
            const { diffObject } = await import("./diff.ts");
            return (await diffObject(kube, object, live)).diff;
          };
          const { objects } = deployment;
          return await applyChanges(ctx, kube, { objects, changes, compare }, ui);
        },
      },
      ...(timeout === undefined ? [] : [
        ...deployment.graphs.flatMap((graph) => waitSteps(options, graph, timeout)),
        ...(deployment.requests ?? []).flatMap((request) =>
          requestSteps(options, request, timeout)
        ),
      ]),
    ],
  };
}

function timeoutWords(timeout: Timeout | undefined): string {
  if (timeout === undefined) return "none, as it does not wait";
  const time = (seconds: number) => formatDuration(seconds * 1000).replace(/ min 0 s$/, " min");
  const parts = timeout.parts.map(({ what, seconds }) => `${what} ${time(seconds)}`);
  return time(timeout.seconds) + (parts.length === 0 ? "" : ` (${parts.join(", ")})`);
}

/** How a deployment is run. */
export interface RunDeployOptions extends Omit<DeployOptions, "changes"> {
  /** Whether what this run has made or changed is taken back when it fails. */
  readonly atomic: boolean;
}

/**
 * Plans and runs a deployment.
 *
 * @throws {TaskError} of the step that failed; with `atomic` after the roll-back, which its
 * evidence tells of.
 */
export async function runDeploy(ctx: Context, options: RunDeployOptions): Promise<void> {
  const changes: Change[] = [];
  try {
    await runPlan(ctx, planDeploy({ ...options, changes }));
  } catch (error) {
    if (!options.atomic) throw error;
    const { rollBack } = await import("./rollback.ts");
    const { lines, complete } = await rollBack(ctx, await options.connect(), changes);
    throw rolledBack(error, lines, complete);
  }
}

function rolledBack(error: unknown, lines: readonly string[], complete: boolean): TaskError {
  const known = error instanceof TaskError ? error : undefined;
  const word = complete ? "rolled back" : "not rolled back completely";
  return new TaskError({
    code: known?.code ?? "UNEXPECTED",
    message: `${messageOf(error)} (${word})`,
    hint: known?.hint,
    evidence: [...known?.evidence ?? [], ...lines.map((line) => `${word}: ${line}`)],
    ...(known === undefined ? {} : { exitCode: known.exitCode }),
    cause: error,
  });
}

function secretSteps({ deployment, target, connect, changes }: DeployOptions): Step[] {
  const { tokenSecret, namespace } = deployment;
  if (tokenSecret === undefined) return [];
  return [{
    id: "secret",
    title: "Hugging Face token",
    touches: [`Secret ${namespace}/${tokenSecret}`],
    deadlineMs: 60_000,
    run: async (ctx) => {
      const kube = await connect();
      const secret = { apiVersion: "v1", kind: "Secret", namespace, name: tokenSecret };
      const before = changes === undefined ? undefined : await kube.get(secret);
      const done = await ensureHfSecret(ctx, kube, {
        namespace,
        name: tokenSecret,
        placeholder: target.kind === "local",
      });
      const after = changes === undefined ? undefined : await kube.get(secret);
      if (
        after !== undefined && after.metadata.resourceVersion !== before?.metadata.resourceVersion
      ) {
        changes?.push({ after, before });
      }
      return done;
    },
  }];
}

function waitSteps(options: DeployOptions, graph: ProbeOptions, timeout: Timeout): Step[] {
  const { connect } = options;
  const timeoutMs = timeout.seconds * 1000;
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
      return state.components.map(({ name, phrase }) => `${name} ${phrase}`).join(", ");
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
function requestSteps(
  options: DeployOptions,
  request: ProbeOptions,
  timeout: Timeout,
): Step[] {
  if (options.target.kind === "local") return [];
  const { connect } = options;
  const timeoutMs = timeout.seconds * 1000;
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
      : waitSteps(options, { ...request, name: requestedGraphName(name) }, timeout)),
  ];
}
