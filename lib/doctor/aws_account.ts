/**
 * The AWS account: who we are, the region, Kubernetes versions, the cluster.
 *
 * @module
 */
import { EKS_VERSIONS_DATE, eksSupport, type EksVersion, eksVersion } from "../aws/eks_versions.ts";
import { tablePrices } from "../aws/prices.ts";
import { TaskError } from "../cli/errors.ts";
import { describeSource } from "../blueprint/source.ts";
import { type Check, fail, type Finding, ok, type Patient, warn } from "./types.ts";

/** Who we are. Every other AWS check is skipped when this one fails. */
export const identityCheck: Check = {
  id: "aws-identity",
  title: "AWS identity",
  targets: ["eks"],
  quick: true,
  deadlineMs: 20_000,
  async run(patient) {
    const { account, arn } = await patient.identity();
    const { endpoint, profile } = await patient.aws();
    const through = [
      ...(profile === undefined ? [] : [`profile ${profile}`]),
      ...(endpoint === undefined ? [] : [`AWS_ENDPOINT_URL ${endpoint}`]),
    ].join(", ");
    const who = `${arn} in account ${account}${through === "" ? "" : ` (${through})`}`;
    return arn.endsWith(":root")
      ? warn(
        `${who}: the root user`,
        "Use a role or user with the permissions of an install instead.",
      )
      : ok(who);
  },
};

/** The region, and whether it is open to the account. */
export const regionCheck: Check = {
  id: "aws-region",
  title: "AWS region",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 20_000,
  async run(patient) {
    const { region, availabilityZonesCount } = patient.blueprint;
    const from = `${region.value} (${describeSource(region.source)})`;
    const zones = await availableZones(patient);
    const wanted = availabilityZonesCount.value;
    return zones.length >= wanted ? ok(`${from}, ${zones.length} zones, ${wanted} wanted`) : fail(
      `${from} has ${zones.length} zones for this account, and ${wanted} are wanted`,
      "Lower availability_zones_count in terraform/blueprint.tfvars or choose another region.",
    );
  },
};

/** Names of the region's availability zones (no local or wavelength zones), in order. */
export async function availableZones(patient: Patient): Promise<string[]> {
  const ec2 = await (await patient.aws()).within(patient.ctx).ec2();
  const { AvailabilityZones } = await ec2.describeAvailabilityZones({
    Filters: [{ Name: "state", Values: ["available"] }],
  });
  return (AvailabilityZones ?? [])
    .filter((zone) => zone.ZoneType === undefined || zone.ZoneType === "availability-zone")
    .flatMap((zone) => zone.ZoneName ?? []).sort();
}

/** How long AWS supports the Kubernetes version that is wanted. */
export const eksVersionCheck: Check = {
  id: "eks-version",
  title: "Kubernetes version",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 20_000,
  async run(patient) {
    const version = patient.blueprint.eksClusterVersion.value;
    const asked = await askedVersion(patient, version);
    if (asked === "unknown") {
      return fail(
        `EKS does not offer ${version} in ${patient.blueprint.region.value}`,
        "Set eks_cluster_version in terraform/blueprint.tfvars to a version that it offers.",
      );
    }
    const known = asked ?? eksVersion(version);
    const from = asked === undefined ? `table of ${EKS_VERSIONS_DATE}` : "EKS";
    if (known === undefined) {
      return warn(
        `support dates of ${version} are not known (${from})`,
        "Look it up in the release calendar of the EKS user guide.",
      );
    }
    return judgeVersion(known, patient, from);
  },
};

function judgeVersion(known: EksVersion, { ctx, blueprint }: Patient, from: string): Finding {
  const now = ctx.clock.now();
  const { version, standardUntil, extendedUntil } = known;
  const todo = "Set eks_cluster_version in terraform/blueprint.tfvars to a newer version.";
  switch (eksSupport(known, now)) {
    case "ended":
      return fail(`${version} is offered no more since ${extendedUntil} (${from})`, todo);
    case "extended": {
      const { controlPlane, controlPlaneExtended } = tablePrices(blueprint.region.value).table;
      const price = controlPlane === undefined || controlPlaneExtended === undefined
        ? "more"
        : `${controlPlaneExtended.toFixed(2)} USD an hour instead of ${controlPlane.toFixed(2)}`;
      return warn(
        `${version} is in extended support since ${standardUntil}: the control plane costs ` +
          `${price}, until it ends on ${extendedUntil} (${from})`,
        todo,
      );
    }
    default: {
      const days = Math.floor((Date.parse(standardUntil) - now) / 86_400_000);
      const text = `${version} is in standard support until ${standardUntil} (${from})`;
      return days > 60 ? ok(text) : warn(`${text}, that is ${days} days`, todo);
    }
  }
}

/** What EKS itself says; undefined when it cannot be asked. */
async function askedVersion(
  patient: Patient,
  version: string,
): Promise<EksVersion | "unknown" | undefined> {
  try {
    const eks = await (await patient.aws()).within(patient.ctx).eks();
    const { clusterVersions } = await eks.describeClusterVersions({ clusterVersions: [version] });
    const found = clusterVersions?.find((one) => one.clusterVersion === version);
    if (found === undefined) return "unknown";
    const { endOfStandardSupportDate, endOfExtendedSupportDate } = found;
    if (endOfStandardSupportDate === undefined || endOfExtendedSupportDate === undefined) {
      return undefined;
    }
    return {
      version,
      standardUntil: day(endOfStandardSupportDate),
      extendedUntil: day(endOfExtendedSupportDate),
    };
  } catch (error) {
    // Not permitted, or an endpoint without this call: the table knows enough.
    if (error instanceof TaskError && error.code.startsWith("AWS_")) return undefined;
    throw error;
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** The cluster of the blueprint's name: there, not there yet, or in the way. */
export const eksClusterCheck: Check = {
  id: "eks-cluster",
  title: "EKS cluster",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 20_000,
  async run(patient) {
    const { name, eksClusterVersion } = patient.blueprint;
    try {
      const eks = await (await patient.aws()).within(patient.ctx).eks();
      const { cluster } = await eks.describeCluster({ name: name.value });
      const { status = "unknown", version = "unknown" } = cluster ?? {};
      const what = `${name.value}: ${status}, Kubernetes ${version}`;
      if (status === "FAILED") {
        return fail(what, "Remove it with deno task cleanup --all, then install again.");
      }
      if (status !== "ACTIVE") return warn(what, "Wait until it is ACTIVE, then run it again.");
      return version === eksClusterVersion.value ? ok(what) : warn(
        `${what}, while the blueprint wants ${eksClusterVersion.value}`,
        "An install changes it: one minor version up at a time, never down.",
      );
    } catch (error) {
      if (!(error instanceof TaskError) || error.code !== "AWS_NOT_FOUND") throw error;
      return ok(`${name.value} is not there yet; an install makes it`);
    }
  },
};
