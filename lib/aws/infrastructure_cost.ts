/**
 * What an installation costs an hour before any graph runs, from terraform's plan.
 *
 * @module
 */
import { eksSupport, eksVersion } from "./eks_versions.ts";
import { HOURS_PER_MONTH, type Prices, type PriceTable } from "./prices.ts";

/** A resource as terraform's plan has it (`planned_values` of `terraform show -json`). */
export interface PlannedResource {
  /** Such as `aws_nat_gateway`. */
  readonly type: string;
  /** Arguments that are known before apply. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** One line of the estimate. */
export interface CostRow {
  /** What it is, in words. */
  readonly what: string;
  /** How many. */
  readonly count: number;
  /** USD an hour for all of them; undefined when it depends on use or is not known. */
  readonly perHour: number | undefined;
  /** What to know: per-use prices, assumptions, why it is unknown. */
  readonly note: string;
}

/** An estimate. */
export interface InfrastructureCost {
  /** Dearest first, then what is billed by use or unknown. */
  readonly rows: readonly CostRow[];
  /** USD an hour of all rows that are known. */
  readonly perHour: number;
  /** Whether every row that bills by the hour is known. */
  readonly complete: boolean;
  /** Region. */
  readonly region: string;
  /** Region whose price list was used; another one where ours is assumed to be alike. */
  readonly listOf: string;
  /** Day of the prices. */
  readonly asOf: string;
  /** Where they are from. */
  readonly source: Prices["source"];
}

/** Options of {@link infrastructureCost}. */
export interface InfrastructureCostOptions {
  /** All resources that will exist after the apply. */
  readonly resources: readonly PlannedResource[];
  /** Prices: `tablePrices(region)` or `livePrices(aws, …)`. */
  readonly prices: Prices;
  /** Zones of the network, for endpoints whose subnets are not known before apply. */
  readonly zones: number;
  /** Kubernetes version, for a cluster whose plan does not tell it. */
  readonly kubernetesVersion: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** USD an hour; a text says why it is not known, with `byUse` where it is no fault. */
interface Priced {
  readonly what: string;
  readonly count: number;
  readonly perHour?: number | undefined;
  readonly note: string;
  readonly byUse?: boolean;
}

type Pricer = (values: PlannedResource["values"], options: InfrastructureCostOptions) => Priced;

/** Estimates what the resources cost an hour. What is free or costs cents by request is left out. */
export function infrastructureCost(options: InfrastructureCostOptions): InfrastructureCost {
  const rows = new Map<string, Priced>();
  for (const { type, values } of options.resources) {
    const pricer = Object.hasOwn(PRICERS, type) ? PRICERS[type] : undefined;
    if (pricer === undefined) continue;
    const row = pricer(values, options);
    if (row.count === 0) continue;
    const key = `${row.what}\0${row.note}`;
    const before = rows.get(key);
    rows.set(key, before === undefined ? row : added(before, row));
  }
  const priced = [...rows.values()].map(withReason(options.prices));
  priced.sort((a, b) => (b.perHour ?? -1) - (a.perHour ?? -1));
  return {
    rows: priced.map(({ what, count, perHour, note }) => ({ what, count, perHour, note })),
    perHour: round(priced.reduce((sum, row) => sum + (row.perHour ?? 0), 0)),
    complete: priced.every((row) => row.perHour !== undefined || row.byUse === true),
    region: options.prices.region,
    listOf: options.prices.listOf,
    asOf: options.prices.asOf,
    source: options.prices.source,
  };
}

function added(a: Priced, b: Priced): Priced {
  const perHour = a.perHour === undefined || b.perHour === undefined
    ? undefined
    : round(a.perHour + b.perHour);
  return { ...a, count: a.count + b.count, perHour };
}

function withReason(prices: Prices): (row: Priced) => Priced {
  return (row) => {
    if (row.perHour !== undefined || row.byUse === true) return row;
    const unknown = `price unknown for ${prices.region}`;
    return { ...row, note: row.note === "" ? unknown : `${unknown}; ${row.note}` };
  };
}

// Ten-thousandths: prices have at most four places, sums must not show binary dust.
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function hourly(what: string, key: keyof PriceTable, note = ""): Pricer {
  return (_values, { prices }) => ({ what, count: 1, perHour: prices.table[key], note });
}

function monthly(what: string, key: keyof PriceTable): Pricer {
  return (_values, { prices }) => ({
    what,
    count: 1,
    perHour: perMonth(prices.table[key]),
    note: `${usd(prices.table[key])} a month each`,
  });
}

function byUse(what: string, key: keyof PriceTable | undefined, unit: string): Pricer {
  return (_values, { prices }) => ({
    what,
    count: 1,
    note: key === undefined
      ? `billed by use: ${unit}`
      : `billed by use: ${usd(prices.table[key])} ${unit}`,
    byUse: true,
  });
}

function perMonth(price: number | undefined): number | undefined {
  return price === undefined ? undefined : price / HOURS_PER_MONTH;
}

function usd(price: number | undefined): string {
  return price === undefined ? "unknown USD" : `${price} USD`;
}

const PRICERS: Readonly<Record<string, Pricer>> = {
  aws_eks_cluster: controlPlane,
  aws_eks_node_group: nodeGroup,
  aws_instance: (values, options) => instances("instance", values["instance_type"], 1, options, ""),
  aws_ec2_capacity_reservation: (values, options) =>
    instances(
      "capacity reservation",
      values["instance_type"],
      numberOf(values["instance_count"]) ?? 1,
      options,
      "billed whether used or not",
    ),
  aws_vpc_endpoint: vpcEndpoint,
  aws_nat_gateway: hourly("NAT gateway", "natGateway", "data is billed by the gigabyte"),
  aws_eip: hourly("public IPv4 address", "publicIpv4"),
  aws_lb: unknown("load balancer", "billed by the hour and by capacity units"),
  aws_kms_key: monthly("KMS key", "kmsKeyMonth"),
  aws_secretsmanager_secret: unknown("secret", "billed by the month"),
  aws_ebs_volume: (values, { prices }) => volume("EBS volume", values, prices),
  aws_efs_file_system: byUse("EFS file system", "efsMonth", "a gigabyte and month"),
  aws_ecr_repository: byUse("ECR repository", undefined, "storage"),
  aws_cloudwatch_log_group: byUse("log group", undefined, "data taken in and kept"),
  aws_prometheus_workspace: byUse("Prometheus workspace", undefined, "samples and queries"),
  aws_s3_bucket: byUse("S3 bucket", undefined, "storage and requests"),
  aws_grafana_workspace: unknown("Grafana workspace", "billed by the active user"),
  aws_fsx_lustre_file_system: unknown("FSx for Lustre file system", "billed by its capacity"),
  aws_ec2_capacity_block_reservation: unknown("capacity block", "paid in advance"),
};

function unknown(what: string, note: string): Pricer {
  return () => ({ what, count: 1, note });
}

function controlPlane(
  values: PlannedResource["values"],
  options: InfrastructureCostOptions,
): Priced {
  const { table } = options.prices;
  const version = textOf(values["version"]) ?? options.kubernetesVersion;
  const known = eksVersion(version);
  const what = "EKS control plane";
  if (known === undefined || eksSupport(known, options.now) === "standard") {
    return {
      what,
      count: 1,
      perHour: table.controlPlane,
      note: known === undefined
        ? `Kubernetes ${version}, ${
          usd(table.controlPlaneExtended)
        } once standard support has ended`
        : `Kubernetes ${version}, ${
          usd(table.controlPlaneExtended)
        } from ${known.standardUntil} on`,
    };
  }
  return {
    what,
    count: 1,
    perHour: table.controlPlaneExtended,
    note: `Kubernetes ${version} is in extended support; a newer one costs ` +
      usd(table.controlPlane),
  };
}

function nodeGroup(values: PlannedResource["values"], options: InfrastructureCostOptions): Priced {
  const scaling = firstOf(values["scaling_config"]);
  const count = numberOf(scaling?.["desired_size"]) ?? numberOf(scaling?.["min_size"]) ?? 1;
  const types = Array.isArray(values["instance_types"]) ? values["instance_types"] : [];
  const spot = values["capacity_type"] === "SPOT";
  const note = spot ? "spot: this is the on-demand price, its limit" : "";
  return instances("node", types[0], count, options, note);
}

function instances(
  what: string,
  type: unknown,
  count: number,
  { prices }: InfrastructureCostOptions,
  note: string,
): Priced {
  const name = textOf(type);
  const each = name === undefined ? undefined : prices.instance(name);
  return {
    what: `${what} (${name ?? "type not known yet"})`,
    count,
    perHour: each === undefined ? undefined : round(each * count),
    note,
  };
}

function vpcEndpoint(
  values: PlannedResource["values"],
  { prices, zones }: InfrastructureCostOptions,
): Priced {
  if (values["vpc_endpoint_type"] !== "Interface") return { what: "", count: 0, note: "" };
  const subnets = values["subnet_ids"];
  const places = Array.isArray(subnets) && subnets.length > 0 ? subnets.length : zones;
  const each = prices.table.vpcEndpoint;
  return {
    what: "VPC interface endpoint",
    count: 1,
    perHour: each === undefined ? undefined : round(each * places),
    note: `in ${places} zones, data is billed by the gigabyte`,
  };
}

function volume(what: string, values: PlannedResource["values"], prices: Prices): Priced {
  const size = numberOf(values["size"]);
  const price = values["type"] === undefined || values["type"] === "gp3"
    ? perMonth(prices.table.gp3Month)
    : undefined;
  return {
    what: `${what} (${textOf(values["type"]) ?? "gp3"})`,
    count: 1,
    perHour: size === undefined || price === undefined ? undefined : size * price,
    note: size === undefined ? "size not known yet" : `${size} GB`,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function firstOf(value: unknown): Record<string, unknown> | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "object" && first !== null ? first as Record<string, unknown> : undefined;
}

/** The estimate as rows for a table: what, how many, USD an hour, note; the sum at the end. */
export function costTable(cost: InfrastructureCost): string[][] {
  const amount = (value: number | undefined) => value === undefined ? "?" : value.toFixed(3);
  const sum = cost.complete ? "sum" : "sum of what is known";
  const list = cost.listOf === cost.region
    ? `prices of ${cost.asOf}`
    : `at the prices of ${cost.listOf} of ${cost.asOf}, taken to be alike`;
  const from = `${cost.region}, ${list}`;
  return [
    ["WHAT", "COUNT", "USD/H", "NOTE"],
    ...cost.rows.map((row) => [row.what, String(row.count), amount(row.perHour), row.note]),
    [sum, "", amount(cost.perHour), from],
  ];
}
