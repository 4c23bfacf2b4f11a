/**
 * List prices of what an installation consists of besides instances.
 *
 * Where they were read: the AWS blog "Amazon EKS extended support for Kubernetes versions pricing"
 * (control plane); aws.amazon.com/kms/pricing and /efs/pricing (key, file system); reports of
 * June 2026 on us-east-1, not AWS's own pages (NAT gateway and interface endpoint:
 * zacfukuda.com "AWS NAT Gateway vs VPC Endpoint"; public IPv4: factualminds.com "Amazon VPC
 * Pricing"). What was not found is not in the table and is said to be unknown. Data transfer and
 * requests come on top and are not estimated. `live_prices.ts` asks AWS itself.
 *
 * @module
 */
import { instanceType, PRICE_DATE, PRICE_REGION } from "./instance_types.ts";

/** Day of the prices below. */
export const INFRASTRUCTURE_PRICE_DATE = "2026-06-01";

/** Hours of a month, as AWS's calculator has it. */
export const HOURS_PER_MONTH = 730;

/** Prices in USD; what a region's table does not know is absent. */
export interface PriceTable {
  /** EKS control plane in standard support, an hour. */
  readonly controlPlane?: number;
  /** EKS control plane in extended support, an hour, all in all. */
  readonly controlPlaneExtended?: number;
  /** NAT gateway, an hour. */
  readonly natGateway?: number;
  /** Interface endpoint in one zone, an hour. */
  readonly vpcEndpoint?: number;
  /** Public IPv4 address, an hour. */
  readonly publicIpv4?: number;
  /** KMS key, a month. */
  readonly kmsKeyMonth?: number;
  /** Gigabyte of a gp3 volume, a month. */
  readonly gp3Month?: number;
  /** Gigabyte on EFS (Standard, Regional), a month. */
  readonly efsMonth?: number;
}

/** Prices of a region, and where they are from. */
export interface Prices {
  /** Region. */
  readonly region: string;
  /** Region whose list it is; another one where ours is assumed to be alike. */
  readonly listOf: string;
  /** Day of the prices, `YYYY-MM-DD`. */
  readonly asOf: string;
  /** A table of this project, or the AWS price list as it is now. */
  readonly source: "table" | "price list";
  /** Prices of services. */
  readonly table: PriceTable;
  /** On-demand price of an instance type an hour; undefined when not known. */
  instance(type: string): number | undefined;
}

// These do not depend on the region, China and GovCloud aside.
const EVERYWHERE: PriceTable = {
  controlPlane: 0.1,
  controlPlaneExtended: 0.6,
  publicIpv4: 0.005,
  kmsKeyMonth: 1,
};

const NORTH_VIRGINIA: PriceTable = {
  ...EVERYWHERE,
  natGateway: 0.045,
  vpcEndpoint: 0.01,
  efsMonth: 0.3,
};

/** Regions that the list of {@link PRICE_REGION} is used for; the estimate names it. */
const ALIKE: readonly string[] = [PRICE_REGION, "us-west-2"];

/** The prices of the table for a region; elsewhere only what does not depend on the region. */
export function tablePrices(region: string): Prices {
  const alike = ALIKE.includes(region);
  return {
    region,
    listOf: alike ? PRICE_REGION : region,
    asOf: INFRASTRUCTURE_PRICE_DATE < PRICE_DATE ? INFRASTRUCTURE_PRICE_DATE : PRICE_DATE,
    source: "table",
    table: alike ? NORTH_VIRGINIA : pricesEverywhere(region),
    instance: (type) => alike ? instanceType(type)?.pricePerHour : undefined,
  };
}

/** What costs the same in every region; nothing for China and GovCloud, which have their own lists. */
export function pricesEverywhere(region: string): PriceTable {
  return /^(cn|us-gov|us-iso)/.test(region) ? {} : EVERYWHERE;
}
