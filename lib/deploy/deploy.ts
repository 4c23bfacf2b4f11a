/**
 * Deploying a graph: plan, apply, wait, ask it something.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import type { Plan, Step } from "../cli/plan.ts";
import type { Graph } from "../graph/types.ts";
import { problemText } from "../graph/problems.ts";
import { renderGraph } from "../graph/render.ts";
import { validateGraph } from "../graph/validate.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { ensureHfSecret } from "../platform/secrets.ts";
import type { Target } from "../target/target.ts";
import { probeGraph } from "./probe.ts";
import { waitForGraph } from "./ready.ts";

/** What to deploy where. */
export interface DeployOptions {
  readonly graph: Graph;
  readonly release: Release;
  readonly target: Target;
  /** Milliseconds to wait for ready; 0 does not wait. */
  readonly timeoutMs: number;
  /** Connects to the cluster when the first step needs it; a dry run never does. */
  readonly connect: () => Promise<Kube>;
}

/** Plans a deployment; reads nothing from the cluster. */
export function planDeploy(options: DeployOptions): { plan: Plan; objects: KubeObject[] } {
  const { graph, release, target } = options;
  const objects = renderGraph(graph, release, { namespace: target.namespace });
  return {
    objects,
    plan: {
      task: "deploy",
      facts: {
        target: target.kind,
        namespace: target.namespace,
        graph: graph.name,
        release: `${release.version} (${release.graphApiVersion})`,
      },
      warnings: [
        ...(release.warning === undefined ? [] : [release.warning]),
        ...validateGraph(graph, release)
          .filter((problem) => problem.severity === "warning")
          .map(problemText),
      ],
      steps: deploySteps(options, objects),
    },
  };
}

function deploySteps(options: DeployOptions, objects: readonly KubeObject[]): Step[] {
  const { graph, target, release, timeoutMs } = options;
  const { name } = graph;
  const where = { namespace: target.namespace, name, apiVersion: release.graphApiVersion };
  const steps: Step[] = [];
  const secret = graph.tokenSecret;
  if (secret !== undefined) {
    steps.push({
      id: "secret",
      title: "Hugging Face token",
      touches: [`Secret ${target.namespace}/${secret}`],
      deadlineMs: 60_000,
      run: async (ctx) =>
        await ensureHfSecret(ctx, await options.connect(), {
          namespace: target.namespace,
          name: secret,
          placeholder: target.kind === "local",
        }),
    });
  }
  steps.push({
    id: "apply",
    title: `Apply graph ${name}`,
    touches: objects.map((o) => `${o.kind} ${o.metadata.namespace ?? ""}/${o.metadata.name}`),
    deadlineMs: 60_000,
    run: async (ctx) => await applyObjects(ctx, await options.connect(), objects),
  });
  if (timeoutMs <= 0) return steps;
  steps.push({
    id: "ready",
    title: `Wait until ${name} is ready`,
    touches: [],
    // The wait has a deadline of its own, with evidence; this one is the net below it.
    deadlineMs: timeoutMs + 60_000,
    run: async (ctx) => {
      const state = await waitForGraph(ctx, await options.connect(), { ...where, timeoutMs });
      return `${state.components.length} components ready`;
    },
  }, {
    id: "probe",
    title: "Ask it something",
    touches: [],
    deadlineMs: 120_000,
    run: async (ctx, ui) => {
      return await probeGraph(ctx, await options.connect(), { ...where, graph, release }, ui);
    },
  });
  return steps;
}

// Refused objects name the webhook when the operator is down: admission fails closed.
async function applyObjects(
  ctx: Context,
  kube: Kube,
  objects: readonly KubeObject[],
): Promise<string> {
  for (const object of objects) {
    try {
      await kube.apply(object);
    } catch (error) {
      if (error instanceof TaskError && /failed calling webhook/.test(error.message)) {
        throw new TaskError({
          code: "OPERATOR_DOWN",
          message:
            `${object.kind} ${object.metadata.name} was refused: the operator's webhook does not answer`,
          hint: "deno task status shows the operator; deno task install repairs it.",
          cause: error,
        });
      }
      throw error;
    }
    ctx.ui.debug(`applied ${object.kind}/${object.metadata.name}`);
  }
  return `${objects.length} object${objects.length === 1 ? "" : "s"}`;
}
