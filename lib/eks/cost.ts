/**
 * What a plan's resources cost.
 *
 * @module
 */
import { type InfrastructureCost, infrastructureCost } from "../aws/infrastructure_cost.ts";
import { livePrices } from "../aws/live_prices.ts";
import { type Prices, tablePrices } from "../aws/prices.ts";
import type { AwsSession } from "../aws/session.ts";
import type { Blueprint } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import type { PlanSummary } from "../terraform/plan_summary.ts";

/** An estimate is no reason to wait longer for. */
const PRICES_DEADLINE_MS = 10_000;

/** Estimates what all resources of the plan cost an hour: with today's prices if they can be had. */
export async function planCost(
  ctx: Context,
  aws: AwsSession,
  { resources }: Pick<PlanSummary, "resources">,
  blueprint: Blueprint,
): Promise<InfrastructureCost> {
  const now = ctx.clock.now();
  const instanceTypes = resources.flatMap(({ type, values }) =>
    type === "aws_eks_node_group" && Array.isArray(values["instance_types"])
      ? values["instance_types"].slice(0, 1).map(String)
      : []
  );
  let prices: Prices;
  try {
    const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(PRICES_DEADLINE_MS)]);
    prices = await livePrices(aws.within({ signal }), { instanceTypes, now });
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.ui.debug(`Prices of today cannot be had: ${messageOf(error)}`);
    prices = tablePrices(aws.region);
  }
  return infrastructureCost({
    resources,
    prices,
    zones: blueprint.availabilityZonesCount.value,
    kubernetesVersion: blueprint.eksClusterVersion.value,
    now,
  });
}
