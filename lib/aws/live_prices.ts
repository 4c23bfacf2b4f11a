/**
 * Prices of today, from the AWS price list (`pricing:GetProducts`).
 *
 * @module
 */
import type { AwsSession } from "./session.ts";
import { type Prices, pricesEverywhere, type PriceTable } from "./prices.ts";

/** One price to look up: attributes to filter by, and the end of its usage type. */
interface Lookup {
  readonly key: keyof PriceTable;
  readonly service: string;
  readonly filters: Readonly<Record<string, string>>;
  readonly usage: RegExp;
}

const LOOKUPS: readonly Lookup[] = [
  {
    key: "controlPlane",
    service: "AmazonEKS",
    filters: {},
    usage: /AmazonEKS-Hours:perCluster$/,
  },
  {
    key: "controlPlaneExtended",
    service: "AmazonEKS",
    filters: {},
    usage: /AmazonEKS-Hours:extendedSupport$/,
  },
  {
    key: "natGateway",
    service: "AmazonEC2",
    filters: { productFamily: "NAT Gateway" },
    usage: /(^|-)NatGateway-Hours$/,
  },
  {
    key: "vpcEndpoint",
    service: "AmazonVPC",
    filters: { productFamily: "VpcEndpoint" },
    usage: /(^|-)VpcEndpoint-Hours$/,
  },
  {
    key: "publicIpv4",
    service: "AmazonVPC",
    filters: { group: "VPCPublicIPv4Address" },
    usage: /(^|-)PublicIPv4:InUseAddress$/,
  },
  {
    key: "gp3Month",
    service: "AmazonEC2",
    filters: { productFamily: "Storage", volumeApiName: "gp3" },
    usage: /EBS:VolumeUsage\.gp3$/,
  },
];

/** The parts of a product of the price list that are read. */
interface Product {
  readonly product?: { readonly attributes?: Readonly<Record<string, string>> };
  readonly terms?: {
    readonly OnDemand?: Readonly<
      Record<
        string,
        {
          readonly priceDimensions: Readonly<
            Record<string, { readonly unit: string; readonly pricePerUnit: { USD?: string } }>
          >;
        }
      >
    >;
  };
}

/**
 * Prices of the session's region and of these instance types. What the list does not tell is
 * unknown, except what costs the same everywhere.
 *
 * @throws {TaskError} AWS_DENIED without `pricing:GetProducts`, and as every AWS call.
 */
export async function livePrices(
  aws: AwsSession,
  options: {
    /** Instance types whose prices are wanted. */
    readonly instanceTypes: readonly string[];
    /** Milliseconds since the epoch. */
    readonly now: number;
  },
): Promise<Prices> {
  const [found, instances] = await Promise.all([
    Promise.all(LOOKUPS.map(async (one) => [one.key, await lookUp(aws, one)] as const)),
    Promise.all(
      [...new Set(options.instanceTypes)].map(async (type) =>
        [type, await instancePrice(aws, type)] as const
      ),
    ),
  ]);
  const known = new Map(instances.filter(([, price]) => price !== undefined));
  return {
    region: aws.region,
    listOf: aws.region,
    asOf: new Date(options.now).toISOString().slice(0, 10),
    source: "price list",
    table: {
      ...pricesEverywhere(aws.region),
      ...Object.fromEntries(found.filter(([, price]) => price !== undefined)),
    },
    instance: (type) => known.get(type),
  };
}

function instancePrice(aws: AwsSession, type: string): Promise<number | undefined> {
  return lookUp(aws, {
    service: "AmazonEC2",
    filters: {
      instanceType: type,
      operatingSystem: "Linux",
      preInstalledSw: "NA",
      tenancy: "Shared",
      capacitystatus: "Used",
    },
    usage: new RegExp(`BoxUsage:${type.replace(".", "\\.")}$`),
  });
}

async function lookUp(
  aws: AwsSession,
  { service, filters, usage }: Omit<Lookup, "key">,
): Promise<number | undefined> {
  const client = await aws.pricing();
  let token: string | undefined;
  // A few pages at most: filters leave little.
  for (let page = 0; page < 5; page++) {
    const answer = await client.getProducts({
      ServiceCode: service,
      FormatVersion: "aws_v1",
      Filters: Object.entries({ ...filters, regionCode: aws.region }).map(([Field, Value]) => ({
        Type: "TERM_MATCH" as const,
        Field,
        Value,
      })),
      ...(token === undefined ? {} : { NextToken: token }),
    });
    for (const item of answer.PriceList ?? []) {
      const product: Product = JSON.parse(String(item));
      if (usage.test(product.product?.attributes?.["usagetype"] ?? "")) {
        const price = onDemandPrice(product);
        if (price !== undefined) return price;
      }
    }
    token = answer.NextToken;
    if (token === undefined) return undefined;
  }
  return undefined;
}

function onDemandPrice(product: Product): number | undefined {
  for (const term of Object.values(product.terms?.OnDemand ?? {})) {
    for (const { pricePerUnit } of Object.values(term.priceDimensions)) {
      const price = Number(pricePerUnit.USD);
      if (price > 0) return price;
    }
  }
  return undefined;
}
