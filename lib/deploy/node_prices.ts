/**
 * What nodes cost an hour, and which share of them pods hold.
 *
 * @module
 */
import { PRICE_DATE } from "../aws/instance_types.ts";
import { livePrices } from "../aws/live_prices.ts";
import { type Prices, tablePrices } from "../aws/prices.ts";
import { openAws } from "../aws/session.ts";
import { nodeShare, type PricedNode, type PriceSource, type Resources } from "../bench/cost.ts";
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { parseQuantity } from "../graph/quantity.ts";
import type { KubeObject } from "../kube/types.ts";
import type { GraphSession } from "./session.ts";

/** Resource name of NVIDIA's GPUs. */
export const GPU = "nvidia.com/gpu";
const PRICES_DEADLINE_MS = 10_000;

/** Prices of the nodes: our table where it is right for their region, AWS's own list elsewhere. */
export async function readPrices(
  ctx: Context,
  { target }: Pick<GraphSession, "target">,
  nodes: readonly KubeObject[],
): Promise<Prices> {
  const region = nodes.map(regionOf).find((one) => one !== undefined) ??
    target.cluster?.region ?? "";
  const table = tablePrices(region);
  const instanceTypes = nodes.flatMap((node) => instanceTypeOf(node) ?? []);
  if (target.kind !== "eks" || instanceTypes.every((type) => table.instance(type) !== undefined)) {
    return table;
  }
  try {
    const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(PRICES_DEADLINE_MS)]);
    const aws = (await openAws(ctx, { region })).within({ signal });
    return await livePrices(aws, { instanceTypes, now: ctx.clock.now() });
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.ui.debug(`Prices of ${region} cannot be had: ${messageOf(error)}`);
    return table;
  }
}

/** Where the prices are from. */
export function priceSource(prices: Prices): PriceSource {
  return {
    source: prices.source,
    // The table of instances is newer than that of other prices.
    date: prices.source === "table" ? PRICE_DATE : prices.asOf,
    region: prices.listOf,
  };
}

/** A node with its price and the share of it that the pods hold. */
export function pricedNode(
  node: KubeObject,
  pods: readonly KubeObject[],
  prices: Prices,
): PricedNode {
  const type = instanceTypeOf(node);
  return {
    name: node.metadata.name,
    instanceType: type,
    capacityType: capacityTypeOf(node),
    share: nodeShare(askedOn(node, pods), resourcesOf(node.status?.allocatable)),
    pricePerHour: type === undefined ? undefined : prices.instance(type),
  };
}

/** What those of the pods that are on the node ask for. */
export function askedOn(node: KubeObject, pods: readonly KubeObject[]): Resources {
  const containers = pods
    .filter((pod) => pod.spec?.nodeName === node.metadata.name)
    .flatMap((pod): KubeObject[] => pod.spec?.containers ?? [])
    .map(({ resources }) => resourcesOf({ ...resources?.limits, ...resources?.requests }));
  const sum = (of: (one: Resources) => number) =>
    containers.reduce((total, one) => total + of(one), 0);
  return {
    gpus: sum((one) => one.gpus),
    cpus: sum((one) => one.cpus),
    memory: sum((one) => one.memory),
  };
}

function resourcesOf(quantities: unknown): Resources {
  return {
    gpus: amount(quantities, GPU),
    cpus: amount(quantities, "cpu"),
    memory: amount(quantities, "memory"),
  };
}

/** One of the quantities of an object; 0 where it has none. */
export function amount(quantities: unknown, name: string): number {
  const value = (quantities as Record<string, unknown> | undefined)?.[name];
  return value === undefined ? 0 : parseQuantity(String(value)) ?? 0;
}

/** EC2 instance type of a node. */
export function instanceTypeOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.["node.kubernetes.io/instance-type"];
}

/** AWS region of a node. */
export function regionOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.["topology.kubernetes.io/region"];
}

/** `spot`, `on-demand`, `reserved`: Karpenter's label, or that of EKS's own node groups (`SPOT`, `ON_DEMAND`). */
export function capacityTypeOf({ metadata }: KubeObject): string | undefined {
  const labels = metadata.labels ?? {};
  return labels["karpenter.sh/capacity-type"] ??
    labels["eks.amazonaws.com/capacityType"]?.toLowerCase().replace("_", "-");
}
