/**
 * A cluster whose creation was interrupted. Terraform stops waiting for it, calls it tainted, and
 * would destroy and make it anew, which takes 20 minutes. AWS meanwhile finishes it: then it is as
 * good as any, and is kept.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import type { Context } from "../cli/context.ts";
import { findEksCluster } from "../target/eks_cluster.ts";
import type { PlanSummary } from "../terraform/plan_summary.ts";
import { type MadePlan, type Stack, untaintResource } from "../terraform/stack.ts";

/** Options of {@link keepInterruptedCluster}. */
export interface KeepOptions {
  /** Name of the cluster. */
  readonly name: string;
  /** Only say it. */
  readonly dryRun: boolean;
  /** Told what is waited for. */
  readonly onWait: (what: string) => void;
}

const EVERY_MS = 10_000;

/** Address of the cluster that a plan replaces for no other reason than that it is tainted. */
export function taintedCluster({ changes }: Pick<PlanSummary, "changes">): string | undefined {
  return changes.find(({ type, action, reason }) =>
    type === "aws_eks_cluster" && action === "replace" && reason === "replace_because_tainted"
  )?.address;
}

/** Waits for AWS to finish the cluster and keeps it; true when a new plan is needed. */
export async function keepInterruptedCluster(
  ctx: Context,
  { aws, plan, stack }: {
    /** AWS in the cluster's region. */
    readonly aws: AwsSession;
    /** The plan that would replace it. */
    readonly plan: Pick<MadePlan, "summary">;
    /** terraform. */
    readonly stack: Stack;
  },
  options: KeepOptions,
): Promise<boolean> {
  const address = taintedCluster(plan.summary);
  if (address === undefined) return false;
  for (;;) {
    const cluster = await findEksCluster(aws.within({ signal: ctx.signal }), options.name);
    // It failed, or it is gone: terraform's plan is right.
    if (cluster?.status !== "ACTIVE" && cluster?.status !== "CREATING") return false;
    if (options.dryRun) {
      ctx.ui.info(
        `The creation of "${options.name}" was interrupted, and AWS goes on with it: it is kept`,
      );
      return false;
    }
    if (cluster.status === "ACTIVE") break;
    options.onWait("AWS is finishing the cluster whose creation was interrupted");
    await ctx.clock.sleep(EVERY_MS, ctx.signal);
  }
  await untaintResource(ctx, stack, address);
  ctx.ui.info(`Kept the cluster "${options.name}", whose creation was interrupted`);
  return true;
}
