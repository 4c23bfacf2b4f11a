/**
 * Taking away everything on EKS: graphs, platform, infrastructure, leftovers, and the proof.
 *
 * @module
 */
import { HOURS_PER_MONTH } from "../aws/prices.ts";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import type { Plan, Step } from "../cli/plan.ts";
import type { PreparedCleanup } from "../deploy/cleanup.ts";
import { findEksCluster } from "../target/eks_cluster.ts";
import { forgetTarget, recallTarget, type TargetChoice } from "../target/target.ts";
import { type Audit, audit, keptTexts, sweepStep } from "./audit.ts";
import { infrastructureSteps } from "./infrastructure.ts";
import type { OpenPlace } from "./place.ts";
import { planPlatformCleanup } from "./platform.ts";

/** What the cluster cannot tell any more, while everything else can still go. */
const UNREACHABLE = ["CLUSTER_DOWN", "KUBE_UNREACHABLE", "KUBE_CONFIG", "TARGET_MISSING"];

/** Plans to remove everything of an EKS cluster; looks and changes nothing. */
export async function planEverything(
  ctx: Context,
  open: OpenPlace,
  choice: TargetChoice,
): Promise<PreparedCleanup> {
  const { place, who, aws } = open;
  const found = await audit(ctx, open);
  const alive = await findEksCluster(aws, place.cluster) !== undefined;
  const platform = alive
    ? await reachablePlatform(ctx, choice)
    : "there is no such cluster any more";
  const infrastructure = await infrastructureSteps(ctx, place);
  const warnings = [
    ...(typeof platform === "string"
      ? [`Graphs and platform are not removed one by one, they go with the cluster: ${platform}`]
      : platform.plan.warnings),
    ...(infrastructure === undefined
      ? ["No terraform state of it is known here: what carries its tags is deleted instead"]
      : []),
    ...keptTexts(found),
  ];
  const plan: Plan = {
    task: "cleanup",
    facts: {
      cluster: place.cluster,
      account: who.account,
      region: place.region,
      cost: costText(found),
      found:
        `${found.report.leaks.length} resources, ${found.report.billable} of them cost something`,
    },
    warnings,
    steps: [
      ...(typeof platform === "string" ? [] : platform.plan.steps),
      ...(infrastructure?.slice(0, 1) ?? []),
      sweepStep(open, found),
      proofStep(open),
      ...(infrastructure?.slice(1) ?? []),
      forgetStep(ctx),
    ],
  };
  return {
    plan,
    async [Symbol.asyncDispose]() {
      if (typeof platform !== "string") await platform[Symbol.asyncDispose]();
    },
  };
}

/** The steps inside the cluster, or why they cannot be made. */
async function reachablePlatform(
  ctx: Context,
  choice: TargetChoice,
): Promise<PreparedCleanup | string> {
  if (await recallTarget(ctx) === undefined) return "no platform was installed from here";
  try {
    return await planPlatformCleanup(ctx, { ...choice, definitions: false });
  } catch (error) {
    if (error instanceof TaskError && UNREACHABLE.includes(error.code)) return error.message;
    throw error;
  }
}

function costText({ report }: Audit): string {
  const hourly = (report.usdPerMonth / HOURS_PER_MONTH).toFixed(2);
  return `${hourly} USD an hour${report.complete ? "" : " for what is known"} (${report.prices})`;
}

function proofStep(open: OpenPlace): Step {
  return {
    id: "proof",
    title: "Look whether anything is left that bills",
    touches: [],
    deadlineMs: 10 * 60_000,
    run: async (ctx) => {
      const within = { ...open, aws: open.aws.within({ signal: ctx.signal }) };
      const { report } = await audit(ctx, within);
      const billable = report.leaks.filter((one) => one.billable);
      if (billable.length + report.blind.length === 0) {
        return report.leaks.length === 0
          ? "nothing of it is left"
          : `nothing that bills; ${report.leaks.length} others are told by --audit`;
      }
      throw new TaskError({
        code: "CLEANUP_LEFT",
        message: `${billable.length} resources of ${report.cluster} still bill`,
        hint: "deno task cleanup --audit tells all; run the same cleanup again for what is ours.",
        evidence: [
          ...billable.map((one) => `${one.kind} ${one.id}: ${one.why}`),
          ...report.blind.map((one) => `not seen: ${one}`),
        ],
      });
    },
  };
}

function forgetStep(ctx: Context): Step {
  return {
    id: "target",
    title: "Forget the target",
    touches: [`${ctx.home}/target.json`],
    deadlineMs: 10_000,
    run: (stepCtx) => forgetTarget(stepCtx),
  };
}
