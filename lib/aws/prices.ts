/**
 * List prices of what an installation consists of besides instances.
 *
 * Source: AWS's price pages for EKS, VPC (NAT gateway, public IPv4), PrivateLink, KMS, EBS, EFS,
 * ECR, CloudWatch Logs, Secrets Manager and Elastic Load Balancing, and the announcement of the
 * price of EKS extended support. Data transfer and requests come on top and are not estimated.
 *
 * @module
 */
import { instanceType, PRICE_DATE } from "./instance_types.ts";

/** Day of the prices below. */
export const INFRASTRUCTURE_PRICE_DATE = "2026-06-13";

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
  /** Application or network load balancer, an hour without capacity units. */
  readonly loadBalancer?: number;
  /** KMS key, a month. */
  readonly kmsKeyMonth?: number;
  /** Secret of Secrets Manager, a month. */
  readonly secretMonth?: number;
  /** Gigabyte of a gp3 volume, a month. */
  readonly gp3Month?: number;
  /** Gigabyte on EFS (Standard, Regional), a month. */
  readonly efsMonth?: number;
  /** Gigabyte in ECR, a month. */
  readonly ecrMonth?: number;
  /** Gigabyte taken in by CloudWatch Logs. */
  readonly logsGigabyte?: number;
}

/** Prices of a region, and where they are from. */
export interface Prices {
  /** Region. */
  readonly region: string;
  /** Day of the prices, `YYYY-MM-DD`. */
  readonly asOf: string;
  /** A table of this project, or the AWS price list as it is now. */
  readonly source: "table" | "price list";
  /** Prices of services. */
  readonly table: PriceTable;
  /** On-demand price of an instance type an hour; undefined when not known. */
  instance(type: string): number | undefined;
}

// The same in every commercial region.
const EVERYWHERE: PriceTable = {
  controlPlane: 0.1,
  controlPlaneExtended: 0.6,
  publicIpv4: 0.005,
  kmsKeyMonth: 1,
};

const UNITED_STATES: PriceTable = {
  ...EVERYWHERE,
  natGateway: 0.045,
  vpcEndpoint: 0.01,
  loadBalancer: 0.0225,
  secretMonth: 0.4,
  gp3Month: 0.08,
  efsMonth: 0.3,
  ecrMonth: 0.1,
  logsGigabyte: 0.5,
};

/** Regions whose prices are in the table; elsewhere only what costs the same everywhere is known. */
export const PRICED_REGIONS: readonly string[] = ["us-east-1", "us-east-2", "us-west-2"];

/** The prices of the table for a region. */
export function tablePrices(region: string): Prices {
  const known = PRICED_REGIONS.includes(region);
  // China and GovCloud have price lists of their own.
  const other = /^(cn|us-gov|us-iso)/.test(region) ? {} : EVERYWHERE;
  return {
    region,
    asOf: INFRASTRUCTURE_PRICE_DATE < PRICE_DATE ? INFRASTRUCTURE_PRICE_DATE : PRICE_DATE,
    source: "table",
    table: known ? UNITED_STATES : other,
    // These regions have one on-demand list; the table was made for the first.
    instance: (type) => known ? instanceType(type)?.pricePerHour : undefined,
  };
}
