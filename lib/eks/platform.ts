/**
 * Dynamo's platform on a cluster that is there: plan, yes, steps, target.
 *
 * @module
 */
import type { Blueprint, Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { type Plan, planToText, runPlan, type Step } from "../cli/plan.ts";
import { type Emit, tellingSteps } from "../cli/step_events.ts";
import type { Kube } from "../kube/types.ts";
import { planPlatform } from "../platform/install.ts";
import type { PlatformOptions } from "../platform/options.ts";
import { type HfToken, readHfToken } from "../platform/secrets.ts";
import { clusterUid, rememberTarget, type Target } from "../target/target.ts";
import { confirm } from "./confirm.ts";

/** What the command line says about the platform. */
export interface PlatformChoices extends
  Omit<
    PlatformOptions,
    "kube" | "target" | "release" | "namespace" | "hfToken" | "hfPlaceholder"
  > {
  /** `--hf-token-file`. */
  readonly hfTokenFile?: string | undefined;
  /** `--without-hf-token`: graphs whose models are free to download are enough. */
  readonly withoutHfToken?: boolean | undefined;
}

/** What every install is asked. */
export interface InstallRequest {
  /** What the user wants. */
  readonly blueprint: Blueprint;
  /** Release to install. */
  readonly release: Release;
  /** About the platform. */
  readonly platform: PlatformChoices;
  /** `--yes`. */
  readonly yes: boolean;
  /** `--dry-run`. */
  readonly dryRun: boolean;
  /** Told all that happens. */
  readonly emit: Emit;
}

/** Options of {@link installPlatform}. */
export interface InstallPlatformOptions extends InstallRequest {
  /** Client of the cluster. */
  readonly kube: Kube;
  /** The cluster. */
  readonly target: Target;
  /** Whether a person has agreed to it already. */
  readonly agreed: boolean;
  /** Token that was read before. */
  readonly token: HfToken | undefined;
  /** Steps after those of the platform. */
  readonly after: readonly Step[];
}

/**
 * Plans the platform, asks where there is something to do, installs it and remembers the target.
 * A dry run prints the steps.
 */
export async function installPlatform(
  ctx: Context,
  options: InstallPlatformOptions,
): Promise<void> {
  const { kube, target, release, emit, dryRun } = options;
  const { hfTokenFile: _file, withoutHfToken, ...choices } = options.platform;
  const platform = await planPlatform(ctx, {
    ...choices,
    kube,
    target: { kubeconfig: target.kubeconfig, context: target.context },
    release,
    namespace: target.namespace,
    hfToken: options.token,
    hfPlaceholder: withoutHfToken,
  });
  const plan: Plan = {
    task: "install",
    facts: {
      target: describeTarget(target, kube),
      release: `${release.version} (graphs are ${release.graphApiVersion})`,
      namespace: target.namespace,
      ...platform.facts,
    },
    warnings: platform.warnings,
    steps: [...platform.steps, ...options.after, rememberStep(ctx, kube, target)],
  };
  if (dryRun) {
    emit({
      event: "platform-plan",
      steps: plan.steps.map(({ id, title, skip = null }) => ({ id, title, skip })),
    });
    ctx.ui.info(planToText(plan, ctx.ui.width));
    return;
  }
  const todo = platform.steps.filter(({ skip, id }) => skip === undefined && !CHECKS.has(id));
  if (!options.agreed && todo.length > 0) {
    ctx.ui.info(planToText(plan, ctx.ui.width));
    await confirm(ctx, `Install Dynamo ${release.version} on this cluster?`, options.yes);
  }
  await runPlan(ctx, { ...plan, steps: tellingSteps(ctx, emit, plan.steps) });
}

// They look and change nothing.
const CHECKS = new Set(["platform-ready", "platform-hf-token"]);

/** The cluster in words. */
export function describeTarget(target: Target, kube: Pick<Kube, "server" | "contextName">): string {
  const { cluster } = target;
  return cluster === undefined
    ? `context ${kube.contextName} (${kube.server})`
    : `EKS cluster ${cluster.name} in ${cluster.region}, account ${cluster.account}`;
}

/** The Hugging Face token, read before anything is made, so that nobody waits in vain for it. */
export async function readToken(
  ctx: Context,
  request: Pick<InstallRequest, "platform" | "yes" | "dryRun">,
  options: {
    /** Whether there may be a Secret with it already. */
    readonly clusterIsThere: boolean;
  },
): Promise<HfToken | undefined> {
  const { hfTokenFile: file, withoutHfToken } = request.platform;
  const ask = !request.yes && !request.dryRun && !options.clusterIsThere && withoutHfToken !== true;
  const token = await readHfToken(ctx, { file, ask });
  if (token !== undefined || options.clusterIsThere || withoutHfToken === true || request.dryRun) {
    return token;
  }
  throw preconditionError(
    "HF_TOKEN_MISSING",
    "There is no Hugging Face token, which graphs need to download models",
    "Set HF_TOKEN, give --hf-token-file, or --without-hf-token if you know you need none.",
  );
}

function rememberStep(root: Context, kube: Kube, target: Target): Step {
  return {
    id: "target",
    title: "Remember the target",
    touches: [`${root.home}/target.json`],
    deadlineMs: 10_000,
    run: async (ctx) => {
      const uid = await clusterUid(kube);
      await rememberTarget(ctx, uid === undefined ? target : { ...target, uid });
    },
  };
}
