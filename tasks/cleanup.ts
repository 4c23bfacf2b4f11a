/**
 * `deno task cleanup`: remove a graph, all graphs, the platform, or everything; and look for what
 * was left behind.
 *
 * @module
 */
import { agree, agreeByName } from "../lib/cleanup/agree.ts";
import { audit, isClean, keptTexts, printAudit, sweepStep } from "../lib/cleanup/audit.ts";
import { planEverything } from "../lib/cleanup/everything.ts";
import { waitForTerraform } from "../lib/cleanup/infrastructure.ts";
import { type CleanupOptions, cleanupOptions, type Level, levelOf } from "../lib/cleanup/level.ts";
import { choosePlace, openPlace, requireNamedTarget } from "../lib/cleanup/place.ts";
import { planPlatformCleanup } from "../lib/cleanup/platform.ts";
import { carryOut } from "../lib/cleanup/result.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, type ExitCode, preconditionError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { type Plan, planToJson, printPlan } from "../lib/cli/plan.ts";
import { planCleanup, type PreparedCleanup } from "../lib/deploy/cleanup.ts";
import { CONTEXT_NAME as LOCAL_CLUSTER } from "../lib/local/kubeconfig.ts";
import { recallTarget } from "../lib/target/target.ts";

/** The task. */
export const command = defineCommand({
  name: "cleanup",
  summary: "Remove a graph, all graphs, the platform, or everything; look for leftovers",
  description: "Prints what goes and what stays, asks, and can be run again at any time. " +
    "Exit code 1: --audit found something that bills.",
  args: [{ name: "graph", description: "Only this graph" }],
  options: cleanupOptions,
  examples: [
    { command: "cleanup vllm", text: "One graph" },
    { command: "cleanup --graphs", text: "All graphs" },
    { command: "cleanup --platform", text: "All graphs and the platform; the cluster stays" },
    { command: "cleanup --all --yes", text: "Everything, without asking (embedded cluster)" },
    { command: "cleanup --all --yes --cluster dynamo-on-eks", text: "Everything on EKS" },
    { command: "cleanup --audit", text: "What of the cluster is left in AWS, and what it costs" },
    { command: "cleanup --sweep", text: "Delete what is left and carries the cluster's tags" },
  ],
  async run(ctx, { options, args }) {
    const level = await levelOf(ctx, args[0], options);
    if (level.kind === "audit") return await lookOnly(ctx, options);
    if (level.kind === "sweep") return await sweep(ctx, options);
    if (level.kind === "all" && await isOnEks(ctx, options)) return await everything(ctx, options);
    await requireNamedTarget(ctx, options);
    await using prepared = await prepare(ctx, level, options);
    const { plan } = prepared;
    if (options.dryRun) {
      printPlan(ctx, plan, options.output);
      return EXIT.ok;
    }
    const name = level.kind === "all" ? LOCAL_CLUSTER : undefined;
    await agree(ctx, plan, { yes: options.yes, name });
    await carryOut(ctx, plan, {
      level: level.kind,
      alone: level.kind === "all" || level.kind === "platform",
      output: options.output,
    });
    ctx.ui.success(level.kind === "graph" ? `Graph ${level.name} is gone` : "Clean");
    return EXIT.ok;
  },
});

type Plannable = Exclude<Level, { readonly kind: "audit" | "sweep" }>;

function prepare(
  ctx: Context,
  level: Plannable,
  options: CleanupOptions,
): Promise<PreparedCleanup> {
  if (level.kind === "platform") return planPlatformCleanup(ctx, options);
  return planCleanup(ctx, level, options);
}

/** `--all` on EKS: whoever names a cluster or EKS means it, whatever else is installed. */
async function isOnEks(ctx: Context, options: CleanupOptions): Promise<boolean> {
  if (options.target !== undefined) return options.target === "eks";
  return options.cluster !== undefined || (await recallTarget(ctx))?.kind === "eks";
}

async function everything(ctx: Context, options: CleanupOptions): Promise<ExitCode> {
  const open = await openPlace(ctx, await choosePlace(ctx, options));
  if (!options.dryRun) await waitForTerraform(ctx, open.place);
  await using prepared = await planEverything(ctx, open, options);
  if (options.dryRun) {
    printPlan(ctx, prepared.plan, options.output);
    return EXIT.ok;
  }
  await agreeByName(ctx, prepared.plan, { ...options, name: open.place.cluster });
  await carryOut(ctx, prepared.plan, { level: "all", alone: true, output: options.output });
  ctx.ui.success(`Nothing of ${open.place.cluster} bills any more`);
  return EXIT.ok;
}

async function lookOnly(ctx: Context, options: CleanupOptions): Promise<ExitCode> {
  const open = await openPlace(ctx, await choosePlace(ctx, options));
  const { report } = await audit(ctx, open);
  printAudit(ctx, report, options.output);
  return isClean(report) ? EXIT.ok : EXIT.failed;
}

async function sweep(ctx: Context, options: CleanupOptions): Promise<ExitCode> {
  const open = await openPlace(ctx, await choosePlace(ctx, options));
  const { place, who } = open;
  const found = await audit(ctx, open);
  const living = found.inventory.leaks.find(({ resource }) => resource.kind === "cluster");
  if (living !== undefined) {
    throw preconditionError(
      "SWEEP_ALIVE",
      `The cluster ${place.cluster} in ${place.region} is still there`,
      "deno task cleanup --all removes it with everything; --audit only looks.",
    );
  }
  const plan: Plan = {
    task: "cleanup",
    facts: { cluster: place.cluster, account: who.account, region: place.region },
    warnings: keptTexts(found),
    steps: [sweepStep(open, found)],
  };
  if (options.dryRun) {
    printPlan(ctx, plan, options.output);
    return EXIT.ok;
  }
  if (plan.steps.some((step) => step.skip === undefined)) {
    await agreeByName(ctx, plan, { ...options, name: place.cluster });
  }
  const result = await carryOut(ctx, plan, { level: "sweep", alone: true, output: "text" });
  const { report } = await audit(ctx, open);
  if (options.output === "json") {
    // One document: what was going to go, what went, and what is left.
    ctx.ui.out(JSON.stringify({ plan: planToJson(plan), result, audit: report }, null, 2));
  } else printAudit(ctx, report, "text");
  return isClean(report) ? EXIT.ok : EXIT.failed;
}

if (import.meta.main) await runTask(command);
