/**
 * The plan of `deno task install --target local`.
 *
 * @module
 */
import type { Blueprint, Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import type { Plan, Step } from "../cli/plan.ts";
import { connectKube } from "../kube/client.ts";
import type { Kube } from "../kube/types.ts";
import { ensureHfSecret, HF_SECRET } from "../platform/secrets.ts";
import { clusterUid, rememberTarget } from "../target/target.ts";
import type { OperatorChoice } from "./agent_config.ts";
import { localInstallSteps, localNotices } from "./install_steps.ts";
import { localLayout } from "./layout.ts";

/** What the command line and the blueprint ask for. */
export interface LocalInstallRequest {
  /** What the user wants. */
  readonly blueprint: Blueprint;
  /** Release to install. */
  readonly release: Release;
  /** Path of a real operator program; the stand-in without. */
  readonly operator: string | undefined;
}

/** A plan and what to say when it is done. */
export interface LocalInstallPlan {
  /** The steps. */
  readonly plan: Plan;
  /** What is simulated and which operator runs. */
  readonly notices: readonly string[];
}

/** Plans the embedded cluster with Dynamo's platform; what the machine lacks is found here. */
export async function planLocalInstall(
  ctx: Context,
  request: LocalInstallRequest,
): Promise<LocalInstallPlan> {
  const { release } = request;
  const namespace = request.blueprint.namespace.value;
  const operator: OperatorChoice = request.operator === undefined ? { kind: "stand-in" } : {
    kind: "binary",
    path: await ctx.fs.realPath(request.operator).catch(() => request.operator!),
  };
  const options = { release, namespace, operator };
  const warnings = [
    ...request.blueprint.warnings,
    ...(release.warning === undefined ? [] : [release.warning]),
  ];
  return {
    notices: localNotices(options),
    plan: {
      task: "install",
      facts: {
        target: "local (embedded cluster)",
        release: `${release.version} (graphs are ${release.graphApiVersion})`,
        namespace,
        state: ctx.home,
        cache: ctx.cache,
      },
      warnings,
      steps: [
        ...await localInstallSteps(ctx, options),
        secretStep(namespace),
        targetStep(ctx, namespace, release),
      ],
    },
  };
}

function secretStep(namespace: string): Step {
  return {
    id: "secret",
    title: "Hugging Face token",
    touches: [`Secret ${namespace}/${HF_SECRET}`],
    deadlineMs: 60_000,
    run: (ctx) =>
      withKube(ctx, (kube) => ensureHfSecret(ctx, kube, { namespace, placeholder: true })),
  };
}

function targetStep(root: Context, namespace: string, release: Release): Step {
  return {
    id: "target",
    title: "Remember the target",
    touches: [`${root.home}/target.json`],
    deadlineMs: 10_000,
    run: async (ctx) => {
      const uid = await withKube(ctx, clusterUid);
      await rememberTarget(ctx, {
        kind: "local",
        kubeconfig: localLayout(ctx).kubeconfig,
        namespace,
        release: release.version,
        ...(uid === undefined ? {} : { uid }),
      });
    },
  };
}

async function withKube<T>(ctx: Context, body: (kube: Kube) => Promise<T>): Promise<T> {
  const kube = await connectKube(ctx, { kubeconfig: localLayout(ctx).kubeconfig });
  try {
    return await body(kube);
  } finally {
    kube.close();
  }
}
