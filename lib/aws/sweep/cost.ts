/**
 * What leftovers cost a month.
 *
 * @module
 */
import { eksSupport, eksVersion } from "../eks_versions.ts";
import { HOURS_PER_MONTH, type Prices } from "../prices.ts";
import type { Resource } from "./types.ts";

/** Cost of one resource. */
export interface MonthlyCost {
  /** USD a month; undefined when not known. */
  readonly perMonth: number | undefined;
  /** Why it is not known, or what the number is. */
  readonly note: string;
}

/** What a resource costs a month; undefined when it costs nothing. Traffic comes on top. */
export function monthlyCost(
  resource: Resource,
  prices: Prices,
  now: number,
): MonthlyCost | undefined {
  const { bill } = resource;
  if (bill === undefined) return undefined;
  const { table } = prices;
  switch (bill.of) {
    case "unknown":
      return { perMonth: undefined, note: bill.note };
    case "instance":
      return hourly(prices.instance(bill.type), prices, "on-demand price");
    case "volume":
      return bill.type === "gp3"
        ? monthly(table.gp3Month, bill.gigabytes, prices)
        : { perMonth: undefined, note: `price of ${bill.type} unknown` };
    case "file-system":
      return monthly(table.efsMonth, bill.gigabytes, prices);
    case "control-plane":
      return controlPlane(bill.version, prices, now);
    case "endpoint":
      return hourly(
        table.vpcEndpoint === undefined ? undefined : table.vpcEndpoint * bill.zones,
        prices,
      );
    case "nat-gateway":
      return hourly(table.natGateway, prices);
    case "public-ipv4":
      return hourly(table.publicIpv4, prices);
    case "key":
      return monthly(table.kmsKeyMonth, 1, prices);
  }
}

function controlPlane(version: string, prices: Prices, now: number): MonthlyCost {
  const known = eksVersion(version);
  const extended = known !== undefined && eksSupport(known, now) !== "standard";
  const { controlPlane: standard, controlPlaneExtended } = prices.table;
  return hourly(extended ? controlPlaneExtended : standard, prices);
}

function hourly(price: number | undefined, prices: Prices, note = ""): MonthlyCost {
  return price === undefined ? unknown(prices) : { perMonth: cents(price * HOURS_PER_MONTH), note };
}

function monthly(price: number | undefined, amount: number, prices: Prices): MonthlyCost {
  return price === undefined ? unknown(prices) : { perMonth: cents(price * amount), note: "" };
}

function unknown(prices: Prices): MonthlyCost {
  return { perMonth: undefined, note: `price unknown for ${prices.region}` };
}

function cents(value: number): number {
  return Math.round(value * 100) / 100;
}
