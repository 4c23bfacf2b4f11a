/**
 * Taking away everything on EKS: graphs, platform, infrastructure, leftovers, and the proof.
 *
 * @module
 */
import { HOURS_PER_MONTH } from "../aws/prices.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";
import type { Plan, Step } from "../cli/plan.ts";
import type { PreparedCleanup } from "../deploy/cleanup.ts";
import { findEksCluster } from "../target/eks_cluster.ts";
import { forgetTarget, recallTarget } from "../target/target.ts";
import { type Audit, audit, keptTexts, orphanStep, sweepStep } from "./audit.ts";
import type { Patience } from "./cluster_steps.ts";
import { infrastructureSteps, type KnownStack, knownStack } from "./infrastructure.ts";
import { type Inside, planInside } from "./inside.ts";
import { requireStatesCluster } from "./known_state.ts";
import { isPlaceOf, type OpenPlace } from "./place.ts";

/** Options of {@link planEverything}. */
export interface EverythingOptions {
  /** `--foreign`: go on although others have something in the cluster. */
  readonly foreign: boolean;
  /** `--dry-run`: tell what would be refused as a warning. */
  readonly dryRun: boolean;
  /** How long controllers may take. */
  readonly patience?: Partial<Patience> | undefined;
}

/**
 * Plans to remove everything of an EKS cluster; looks and changes nothing. The order is that of
 * dependencies: graphs need the operator, disks of the platform are in use until it is gone, load
 * balancers and nodes need their controllers, which terraform takes away with the cluster; what
 * is left carries the cluster's tags.
 *
 * @throws {TaskError} STATE_OTHER_CLUSTER, TARGET_OTHER_CLUSTER when the name has come to mean
 * another cluster; CLEANUP_NOT_OURS when it was not made here; CLEANUP_FOREIGN when others have
 * something in it (all exit code 3).
 */
export async function planEverything(
  ctx: Context,
  open: OpenPlace,
  options: EverythingOptions,
): Promise<PreparedCleanup> {
  const { place, who, aws } = open;
  const [found, cluster, stack] = await Promise.all([
    audit(ctx, open),
    findEksCluster(aws, place.cluster),
    knownStack(ctx, open),
  ]);
  requireStatesCluster(stack?.state, cluster);
  if (cluster !== undefined) requireOurs(cluster, stack);
  const inside = await planInside(ctx, open, { cluster, patience: options.patience });
  try {
    const warnings = [...insideWarnings(inside, options), ...keptTexts(found)];
    if (stack === undefined) {
      warnings.push(
        "No terraform state of it is known here: what carries its tags is deleted instead",
      );
    }
    const plan: Plan = {
      task: "cleanup",
      facts: {
        cluster: place.cluster,
        account: who.account,
        region: place.region,
        cost: costText(found),
        found:
          `${found.report.leaks.length} resources, ${found.report.billable} of them cost something`,
        takes: timeText(stack),
      },
      warnings,
      steps: await orderedSteps(ctx, open, { found, inside, stack }),
    };
    return {
      plan,
      async [Symbol.asyncDispose]() {
        if (typeof inside !== "string") await inside[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    if (typeof inside !== "string") await inside[Symbol.asyncDispose]();
    throw error;
  }
}

async function orderedSteps(
  ctx: Context,
  open: OpenPlace,
  { found, inside, stack }: {
    readonly found: Audit;
    readonly inside: Inside | string;
    readonly stack: KnownStack | undefined;
  },
): Promise<Step[]> {
  const lost = typeof inside === "string";
  const orphans = orphanStep(open, found);
  const reach = typeof inside === "string" ? undefined : inside.reach;
  const infrastructure = stack &&
    infrastructureSteps(open, stack, {
      lost,
      ...(reach && { later: { lost: () => reach.lost !== undefined, orphans } }),
    });
  const remembered = await recallTarget(ctx);
  const isTarget = remembered?.cluster !== undefined &&
    isPlaceOf(open.place, remembered.cluster);
  return [
    ...(lost ? [] : inside.steps),
    ...(infrastructure?.cluster ?? []),
    ...(infrastructure === undefined ? [] : [orphans, infrastructure.rest]),
    sweepStep(open, found),
    proofStep(open),
    ...(infrastructure === undefined ? [] : [infrastructure.folder]),
    ...(isTarget ? [forgetStep(ctx)] : []),
  ];
}

/** A cluster that neither terraform's state here nor its tags call ours is somebody else's. */
function requireOurs(
  { name, region, tags }: { name: string; region: string; tags: Readonly<Record<string, string>> },
  stack: KnownStack | undefined,
): void {
  if (tags["dynamo-eks/cluster"] === name || stack?.state?.endpoint !== undefined) return;
  throw preconditionError(
    "CLEANUP_NOT_OURS",
    `The cluster ${name} in ${region} was not made by these tasks: it has no tag ` +
      `dynamo-eks/cluster=${name}`,
    "deno task cleanup --platform removes graphs and platform from it. Nothing was touched.",
  );
}

function insideWarnings(inside: Inside | string, options: EverythingOptions): string[] {
  if (typeof inside === "string") {
    return [
      `The cluster cannot be asked (${inside}): graphs, platform, load balancers, disks and nodes ` +
      "are not removed one by one; they go with the cluster, or by their tags",
    ];
  }
  const { foreign, strangers } = inside;
  const warnings = strangers.length === 0
    ? []
    : [`Pods of others go with the cluster: namespaces ${strangers.join(", ")}`];
  if (foreign.length === 0) return warnings;
  if (options.foreign) {
    return [...warnings, ...foreign.map((one) => `Goes as well, by --foreign: ${one}`)];
  }
  const message = `${foreign.length} things in the cluster were not made by these tasks, and ` +
    "would be lost with it or bill on";
  if (options.dryRun) {
    return [...warnings, `${message}; without --foreign this is refused: ${foreign.join("; ")}`];
  }
  throw preconditionError(
    "CLEANUP_FOREIGN",
    `${message}: ${foreign.join("; ")}`,
    "Ask whose they are and take them away, or give --foreign: then they go first, with their " +
      "load balancers and data. Nothing was touched.",
  );
}

function costText({ report }: Audit): string {
  const hourly = (report.usdPerMonth / HOURS_PER_MONTH).toFixed(2);
  return `${hourly} USD an hour${report.complete ? "" : " for what is known"} (${report.prices})`;
}

function timeText(stack: KnownStack | undefined): string {
  const seconds = stack?.state?.seconds;
  return seconds === undefined
    ? "minutes"
    : `about ${Math.ceil(seconds / 60)} minutes for terraform, and what nodes need to drain`;
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
