/**
 * `deno task install`: put Dynamo on a target, and remember the target.
 *
 * @module
 */
import { loadBlueprint } from "../lib/blueprint/blueprint.ts";
import { blueprintFlags, releaseOf } from "../lib/blueprint/flags.ts";
import type { Blueprint, Release } from "../lib/blueprint/types.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { usageError } from "../lib/cli/errors.ts";
import { exists } from "../lib/cli/files.ts";
import { withLock } from "../lib/cli/lock.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, dynamoVersionOption, type OptionValues } from "../lib/cli/options.ts";
import { printPlan, runPlan } from "../lib/cli/plan.ts";
import { type Emit, eventLines, tellingErrors, tellingSteps } from "../lib/cli/step_events.ts";
import { installOnContext } from "../lib/eks/context_install.ts";
import { installEks } from "../lib/eks/install.ts";
import { clusterOptions, platformChoices, platformOptions } from "../lib/eks/options.ts";
import { planLocalInstall } from "../lib/local/install.ts";
import { localLayout } from "../lib/local/layout.ts";
import { recallTarget, type TargetKind } from "../lib/target/target.ts";
import { workFolder } from "../lib/terraform/work_folder.ts";

const options = {
  ...commonOptions,
  ...clusterOptions,
  context: {
    kind: "text",
    placeholder: "name",
    description: "Install only the platform, on this context of the kubeconfig",
  },
  stage: {
    kind: "text",
    choices: ["vpc", "eks", "addons", "platform"],
    placeholder: "stage",
    description: "eks: only this stage and what it builds on: vpc, eks, addons or platform",
  },
  skipChecks: {
    kind: "flag",
    description: "eks: do not look first for what would stop it (deno task doctor)",
  },
  dynamoVersion: dynamoVersionOption,
  ...platformOptions,
  operator: {
    kind: "text",
    placeholder: "path",
    description: "local: run this operator program instead of the stand-in",
  },
} as const;

type InstallOptions = OptionValues<typeof options>;

interface Asked {
  readonly options: InstallOptions;
  readonly blueprint: Blueprint;
  readonly release: Release;
  readonly emit: Emit;
}

/** The task. */
export const command = defineCommand({
  name: "install",
  summary: "Install Dynamo on a target and remember it",
  description: "Running it again repairs what is missing, goes on where it stopped, and starts " +
    "what has stopped; what is there stays. With --output json each line is an event.",
  options,
  examples: [
    { command: "install --target local", text: "Embedded cluster on this machine" },
    { command: "install --target local --dry-run", text: "Show the steps and change nothing" },
    { command: "install --target eks", text: "VPC, EKS, add-ons and Dynamo, after a yes" },
    { command: "install --target eks --stage vpc", text: "Only the network" },
    { command: "install --target eks --backend s3 --yes", text: "Unattended, state in S3" },
    { command: "install --context production", text: "Only the platform, on a cluster there is" },
  ],
  async run(ctx, { options }) {
    const kind = await chooseTarget(ctx, options);
    const emit = eventLines(ctx, options.output);
    await tellingErrors(emit, async () => {
      const blueprint = await loadBlueprint(ctx, { flags: blueprintFlags(options) });
      const asked: Asked = { options, blueprint, release: releaseOf(blueprint), emit };
      if (kind === "local") await installLocal(ctx, asked);
      else if (kind === "eks") await withLock(ctx, "install", () => installOnEks(ctx, asked));
      else await withLock(ctx, "install", () => installPlatformOnly(ctx, asked));
    });
  },
});

async function installLocal(ctx: Context, asked: Asked): Promise<void> {
  const { options, blueprint, release, emit } = asked;
  const { plan, notices } = await planLocalInstall(ctx, {
    blueprint,
    release,
    operator: options.operator,
  });
  if (options.dryRun) {
    printPlan(ctx, plan, options.output);
    return;
  }
  const steps = tellingSteps(ctx, emit, plan.steps);
  await withLock(ctx, "install", () => runPlan(ctx, { ...plan, steps }));
  const target = await recallTarget(ctx);
  emit({ event: "installed", target });
  ctx.ui.success(`Dynamo ${release.version} is installed on the embedded cluster`);
  for (const notice of notices) ctx.ui.info(`  ${notice}`);
  ctx.ui.info(`  kubectl --kubeconfig ${target?.kubeconfig} get nodes`);
  ctx.ui.info("  Next: deno task deploy vllm");
}

async function installOnEks(ctx: Context, asked: Asked): Promise<void> {
  const { options, release, emit } = asked;
  const { yes, dryRun, profile, backend, stage, skipChecks } = options;
  const done = await installEks(ctx, {
    ...asked,
    platform: platformChoices(options),
    yes,
    dryRun,
    profile,
    backend,
    stage,
    skipChecks,
  });
  if (done === undefined) return;
  const { target, outputs } = done;
  if (target === undefined) {
    emit({ event: "infrastructure", outputs });
    ctx.ui.success(stage === undefined ? "The infrastructure is there" : `Stage ${stage} is there`);
    ctx.ui.info("  Next: deno task install --target eks");
    return;
  }
  emit({ event: "installed", target });
  ctx.ui.success(`Dynamo ${release.version} is installed on EKS cluster ${target.cluster?.name}`);
  ctx.ui.info(`  kubectl --kubeconfig ${target.kubeconfig} get nodes`);
  ctx.ui.info("  Next: deno task deploy vllm");
  ctx.ui.info("  It costs money until deno task cleanup --all");
}

async function installPlatformOnly(ctx: Context, asked: Asked): Promise<void> {
  const { options, release, emit } = asked;
  const target = await installOnContext(ctx, {
    ...asked,
    context: options.context ?? (await recallTarget(ctx))?.context,
    platform: platformChoices(options),
    yes: options.yes,
    dryRun: options.dryRun,
  });
  if (target === undefined) return;
  emit({ event: "installed", target });
  ctx.ui.success(`Dynamo ${release.version} is installed on context ${target.context}`);
  ctx.ui.info("  Next: deno task deploy vllm");
}

async function chooseTarget(ctx: Context, asked: InstallOptions): Promise<TargetKind> {
  const { target, context, stage } = asked;
  if (context !== undefined && (target ?? "context") !== "context") {
    throw usageError(
      "USAGE",
      `install: --context ${context} does not go with --target ${target}`,
      "Leave one of them out.",
    );
  }
  const kind = context !== undefined ? "context" : target ?? await rememberedKind(ctx, asked);
  if (stage !== undefined && kind !== "eks") {
    throw usageError("USAGE", `install: --stage is for --target eks, not for ${kind}`);
  }
  return kind;
}

async function rememberedKind(ctx: Context, asked: InstallOptions): Promise<TargetKind> {
  const remembered = await recallTarget(ctx);
  if (remembered !== undefined) return remembered.kind;
  // An install that was interrupted before it could remember.
  if (await exists(ctx, localLayout(ctx).root)) return "local";
  const { name, region } = await loadBlueprint(ctx, { flags: blueprintFlags(asked) });
  if (await exists(ctx, workFolder(ctx, { name: name.value, region: region.value }))) return "eks";
  if (!ctx.ui.interactive) {
    throw usageError(
      "TARGET_MISSING",
      "Where to? There is no terminal to ask on",
      "Give --target local (this machine) or --target eks.",
    );
  }
  return await ctx.ui.select<TargetKind>("Where should Dynamo run?", [
    { value: "local", label: "On this machine", detail: "embedded cluster, no AWS and no GPU" },
    { value: "eks", label: "On Amazon EKS", detail: "needs an AWS account" },
  ]);
}

if (import.meta.main) await runTask(command);
