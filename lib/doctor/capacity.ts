/**
 * Whether the region has what the pools ask for.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import type { NodePool } from "../blueprint/types.ts";
import { availableZones } from "./aws_account.ts";
import { type Check, fail, type Finding, ok, skipped, warn } from "./types.ts";

/** Instance types of every pool, zone by zone. */
export const offeringsCheck: Check = {
  id: "instance-types",
  title: "Instance types",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 40_000,
  async run(patient) {
    const aws = (await patient.aws()).within(patient.ctx);
    const { nodePools, availabilityZonesCount, region } = patient.blueprint;
    const zones = await availableZones(patient);
    // The network takes the first zones of the region.
    const ours = zones.slice(0, availabilityZonesCount.value);
    const findings = await Promise.all(nodePools.value.map(async (pool): Promise<Finding> => {
      const offered = await offeredZones(aws, pool);
      return judge(pool, offered, ours, region.value);
    }));
    const gpu = findings.filter((_, at) => nodePools.value[at]!.gpu !== undefined);
    const noneLeft = gpu.length > 0 && gpu.every(({ status }) => status === "fail");
    return findings.map((finding) =>
      gpu.includes(finding) && finding.status === "fail" && !noneLeft
        ? { ...finding, status: "warn" as const }
        : finding
    );
  },
};

function judge(
  pool: NodePool,
  offered: ReadonlySet<string>,
  ours: readonly string[],
  region: string,
): Finding {
  const what = `Instance types of ${pool.name}`;
  const families = pool.instanceFamilies.join(", ");
  if (offered.size === 0) {
    return fail(
      `${families} is not offered in ${region}`,
      "Choose another region, or other instance_families in node_pools.",
      what,
    );
  }
  const inOurs = ours.filter((zone) => offered.has(zone));
  const where = `${families} is offered in ${[...offered].sort().join(", ")}`;
  if (inOurs.length === 0) {
    return fail(
      `${where}, and the network is in ${ours.join(", ")}`,
      "Raise availability_zones_count in terraform/blueprint.tfvars.",
      what,
    );
  }
  return inOurs.length === ours.length ? ok(where, what) : warn(
    `${where}: in ${inOurs.length} of the network's ${ours.length} zones`,
    "Nodes come in those zones only; more zones give more capacity.",
    what,
  );
}

/** Zones that offer any type of the pool. */
async function offeredZones(aws: AwsSession, pool: NodePool): Promise<Set<string>> {
  const ec2 = await aws.ec2();
  const sizes = pool.instanceSizes.length === 0 ? ["*"] : pool.instanceSizes;
  const patterns = pool.instanceFamilies.flatMap((family) =>
    sizes.map((size) => `${family}.${size}`)
  );
  const zones = new Set<string>();
  let token: string | undefined;
  do {
    const page = await ec2.describeInstanceTypeOfferings({
      LocationType: "availability-zone",
      Filters: [{ Name: "instance-type", Values: patterns }],
      ...(token === undefined ? {} : { NextToken: token }),
    });
    for (const { Location } of page.InstanceTypeOfferings ?? []) {
      if (Location !== undefined) zones.add(Location);
    }
    token = page.NextToken;
  } while (token !== undefined);
  return zones;
}

/** Capacity reservations for the pools that want them. */
export const reservationsCheck: Check = {
  id: "capacity-reservations",
  title: "Capacity reservations",
  targets: ["eks"],
  quick: false,
  needs: "aws",
  deadlineMs: 30_000,
  async run(patient) {
    const pools = patient.blueprint.nodePools.value.filter(({ capacityTypes }) =>
      capacityTypes.includes("reserved")
    );
    if (pools.length === 0) return skipped("no pool has the capacity type reserved");
    const ec2 = await (await patient.aws()).within(patient.ctx).ec2();
    const found: { type: string; zone: string; free: number; total: number }[] = [];
    let token: string | undefined;
    do {
      const page = await ec2.describeCapacityReservations({
        Filters: [{ Name: "state", Values: ["active"] }],
        ...(token === undefined ? {} : { NextToken: token }),
      });
      for (const one of page.CapacityReservations ?? []) {
        found.push({
          type: one.InstanceType ?? "",
          zone: one.AvailabilityZone ?? "?",
          free: one.AvailableInstanceCount ?? 0,
          total: one.TotalInstanceCount ?? 0,
        });
      }
      token = page.NextToken;
    } while (token !== undefined);
    return pools.map((pool) => {
      const what = `Capacity reservations of ${pool.name}`;
      const own = found.filter(({ type }) => pool.instanceFamilies.includes(type.split(".")[0]!));
      if (own.length === 0) {
        return warn(
          `none is active for ${pool.instanceFamilies.join(", ")}`,
          "Make one, or take reserved out of the pool's capacity_types.",
          what,
        );
      }
      const texts = own.map(({ type, zone, free, total }) =>
        `${type} in ${zone}: ${free} of ${total} free`
      );
      return own.some(({ free }) => free > 0)
        ? ok(texts.join("; "), what)
        : warn(texts.join("; "), "All reserved instances are in use; pods will wait.", what);
    });
  },
};
