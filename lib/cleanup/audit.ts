/**
 * What a cluster left in AWS: looking, telling, and a step that deletes it.
 *
 * @module
 */
import { livePrices } from "../aws/live_prices.ts";
import { type Prices, tablePrices } from "../aws/prices.ts";
import type { AwsSession } from "../aws/session.ts";
import { type Inventory, takeInventory } from "../aws/sweep/inventory.ts";
import { type LeakReport, leakReport, leakTable } from "../aws/sweep/report.ts";
import { deletable, deleteLeaks } from "../aws/sweep/sweep.ts";
import { keyOf, type Resource } from "../aws/sweep/types.ts";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import type { OpenPlace } from "./place.ts";

/** What was found, and what it costs. */
export interface Audit {
  /** Resources. */
  readonly inventory: Inventory;
  /** The same with age and cost. */
  readonly report: LeakReport;
}

/** Looks through the account and region of a cluster; changes nothing. */
export async function audit(ctx: Context, { aws, who, place }: OpenPlace): Promise<Audit> {
  const inventory = await takeInventory(aws, place.cluster);
  const instanceTypes = inventory.leaks.flatMap(({ resource: { bill } }) =>
    bill?.of === "instance" ? [bill.type] : []
  );
  const now = ctx.clock.now();
  const billed = inventory.leaks.some(({ resource }) => resource.bill !== undefined);
  const prices = billed
    ? await currentPrices(ctx, aws, { instanceTypes, now })
    : tablePrices(aws.region);
  const options = { account: who.account, prices, now, profile: aws.profile };
  return { inventory, report: leakReport(inventory, options) };
}

/** AWS's list as it is now; the table where it may not or cannot be read. */
async function currentPrices(
  ctx: Context,
  aws: AwsSession,
  options: { readonly instanceTypes: readonly string[]; readonly now: number },
): Promise<Prices> {
  // Loopback servers have no price list.
  if (aws.endpoint !== undefined) return tablePrices(aws.region);
  try {
    return await livePrices(aws.within({ signal: ctx.signal, deadlineMs: 20_000 }), options);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    ctx.ui.debug(`Prices are of the table: ${error.message}`);
    return tablePrices(aws.region);
  }
}

/** Prints a report to stdout. */
export function printAudit(ctx: Context, report: LeakReport, output: "text" | "json"): void {
  if (output === "json") {
    ctx.ui.out(JSON.stringify(report, null, 2));
    return;
  }
  const where = `account ${report.account}, ${report.region}`;
  if (report.leaks.length + report.blind.length === 0) {
    ctx.ui.out(`Nothing of ${report.cluster} was found in ${where}`);
    return;
  }
  ctx.ui.table(leakTable(report));
  // In lines of their own: a table breaks what is to be copied.
  for (const { kind, name, command } of report.leaks) {
    if (command !== null) ctx.ui.out(`To delete ${kind} ${name}: ${command}`);
  }
  ctx.ui.info(
    `${report.leaks.length} resources of ${report.cluster} in ${where}; ${report.billable} cost ` +
      "something. Traffic and requests come on top.",
  );
  if (report.blind.length === 0) return;
  ctx.ui.warn(
    `${report.blind.length} listings could not be read: whether more of it is left is not known. ` +
      "Run it again.",
  );
}

/** Whether an audit found nothing that bills, and saw everything. */
export function isClean(report: LeakReport): boolean {
  return report.billable === 0 && report.blind.length === 0;
}

/** The step that deletes what carries the cluster's own tags; everything else is told and stays. */
export function sweepStep(open: OpenPlace, { inventory }: Audit): Step {
  const agreed = deletable(inventory);
  const own = inventory.leaks.filter(({ resource }) => agreed.has(keyOf(resource)));
  return deletion(open, {
    id: "sweep",
    title: `Delete what ${open.place.cluster} left in AWS`,
    own: own.map(({ resource }) => resource),
  });
}

/**
 * The step that deletes what the cluster's controllers made and did not take away: it keeps the
 * network in use, which terraform then cannot destroy.
 */
export function orphanStep(open: OpenPlace, { inventory }: Audit): Step {
  const agreed = deletable(inventory);
  return deletion(open, {
    id: "orphans",
    title: "Delete what the cluster's controllers left",
    own: inventory.leaks.map(({ resource }) => resource)
      .filter((one) => agreed.has(keyOf(one)) && isOfControllers(one)),
  });
}

/** Whether a controller in the cluster made it; terraform makes no such thing. */
function isOfControllers({ kind, name, tags, detail = "" }: Resource): boolean {
  switch (kind) {
    case "load-balancer":
    case "classic-load-balancer":
    case "target-group":
      return true;
    case "instance":
      return "karpenter.sh/nodepool" in tags;
    case "security-group":
      // EKS itself makes one for each classic load balancer.
      return "elbv2.k8s.aws/cluster" in tags || name.startsWith("k8s-elb-");
    case "network-interface":
      return "cluster.k8s.amazonaws.com/name" in tags && detail.startsWith("available");
    default:
      return false;
  }
}

function deletion(
  { aws, place }: OpenPlace,
  step: Pick<Step, "id" | "title"> & { readonly own: readonly Resource[] },
): Step {
  const { own, ...words } = step;
  const agreed = new Set(own.map(keyOf));
  return {
    ...words,
    touches: own.map(({ kind, id, name, detail }) =>
      [kind, id, name === id || id.includes(name) ? "" : name, detail ?? ""]
        .filter((text) => text !== "").join(" ")
    ),
    deadlineMs: 60 * 60_000,
    ...(own.length === 0 ? { skip: "nothing carries its tags" } : {}),
    run: async (ctx, ui) => {
      const within = aws.within({ signal: ctx.signal });
      const gone = await deleteLeaks(ctx, within, {
        cluster: place.cluster,
        agreed,
        onProgress: (text) => ui.update(text),
      });
      return `${gone} of ${own.length} deleted${gone < own.length ? ", the rest was gone" : ""}`;
    },
  };
}

/** What stays, as warnings of a plan. */
export function keptTexts({ inventory }: Audit): string[] {
  return inventory.leaks.filter((one) => one.belonging === "suspect").map((one) =>
    `${one.resource.kind} ${one.resource.name} stays: ${one.why}`
  );
}
