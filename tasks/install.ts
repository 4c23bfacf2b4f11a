/**
 * `deno task install`: put Dynamo on a target, and remember the target.
 *
 * @module
 */
import { loadBlueprint } from "../lib/blueprint/blueprint.ts";
import { blueprintFlags, releaseOf } from "../lib/blueprint/flags.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { preconditionError, usageError } from "../lib/cli/errors.ts";
import { withLock } from "../lib/cli/lock.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, dynamoVersionOption } from "../lib/cli/options.ts";
import { printPlan, runPlan } from "../lib/cli/plan.ts";
import { exists } from "../lib/cli/files.ts";
import { planLocalInstall } from "../lib/local/install.ts";
import { localLayout } from "../lib/local/layout.ts";
import { recallTarget, type TargetKind } from "../lib/target/target.ts";

/** The task. */
export const command = defineCommand({
  name: "install",
  summary: "Install Dynamo on a target and remember it",
  description:
    "Running it again repairs what is missing and starts what has stopped; what is there stays.",
  options: {
    ...commonOptions,
    dynamoVersion: dynamoVersionOption,
    operator: {
      kind: "text",
      placeholder: "path",
      description: "local: run this operator program instead of the stand-in",
    },
  },
  examples: [
    { command: "install --target local", text: "Embedded cluster on this machine" },
    { command: "install --target local --dry-run", text: "Show the steps and change nothing" },
  ],
  async run(ctx, { options }) {
    const kind = await chooseTarget(ctx, options.target);
    const blueprint = await loadBlueprint(ctx, { flags: blueprintFlags(options) });
    const release = releaseOf(blueprint);
    if (kind !== "local") {
      throw preconditionError(
        "TARGET_UNAVAILABLE",
        `--target ${kind} is not available in this version`,
        "deno task install --target local runs everything on this machine.",
      );
    }
    const { plan, notices } = await planLocalInstall(ctx, {
      blueprint,
      release,
      operator: options.operator,
    });
    if (options.dryRun) {
      printPlan(ctx, plan, options.output);
      return;
    }
    await withLock(ctx, "install", () => runPlan(ctx, plan));
    const target = await recallTarget(ctx);
    if (options.output === "json") ctx.ui.out(JSON.stringify(target, null, 2));
    ctx.ui.success(`Dynamo ${release.version} is installed on the embedded cluster`);
    for (const notice of notices) ctx.ui.info(`  ${notice}`);
    ctx.ui.info(`  kubectl --kubeconfig ${target?.kubeconfig} get nodes`);
    ctx.ui.info("  Next: deno task deploy vllm");
  },
});

async function chooseTarget(ctx: Context, asked: TargetKind | undefined): Promise<TargetKind> {
  if (asked !== undefined) return asked;
  const remembered = await recallTarget(ctx);
  if (remembered !== undefined) return remembered.kind;
  // An install that was interrupted before it could remember.
  if (await exists(ctx, localLayout(ctx).root)) return "local";
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
