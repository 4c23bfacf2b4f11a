/**
 * Instances and what hangs on them: volumes, snapshots, interfaces, launch templates.
 * Except for snapshots, AWS is asked for all of a region: filters know no "one of these tags".
 *
 * @module
 */
import type { AwsSession } from "../session.ts";
import { listAll, tagsOf } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** Instances that are not terminated. */
export async function findInstances(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const reservations = await listAll(
    (NextToken) => ec2.describeInstances({ NextToken }),
    (answer) => [answer.Reservations, answer.NextToken],
  );
  return reservations.flatMap((one) => one.Instances ?? [])
    .filter((one) => one.State?.Name !== "terminated")
    .map((one) => {
      const type = one.InstanceType ?? "";
      const state = one.State?.Name ?? "";
      const bills = state !== "stopped" && state !== "shutting-down";
      return {
        ...common("instance", one.InstanceId, one.Tags, one.LaunchTime),
        vpcId: one.VpcId,
        detail: `${type} ${state}${one.InstanceLifecycle === "spot" ? ", spot" : ""}`,
        ...(bills ? { bill: { of: "instance", type } as const } : {}),
      };
    });
}

/** Volumes. */
export async function findVolumes(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const volumes = await listAll(
    (NextToken) => ec2.describeVolumes({ NextToken }),
    (answer) => [answer.Volumes, answer.NextToken],
  );
  return volumes.map((one) => ({
    ...common("volume", one.VolumeId, one.Tags, one.CreateTime),
    detail: `${one.Size} GB ${one.VolumeType} ${one.State}`,
    bill: { of: "volume", type: one.VolumeType ?? "", gigabytes: one.Size ?? 0 },
  }));
}

/** Snapshots of the account, which may have many of others. */
export async function findSnapshots(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const filters = [
    { Name: "tag:dynamo-eks/cluster", Values: [scope.cluster] },
    { Name: `tag:kubernetes.io/cluster/${scope.cluster}`, Values: ["owned"] },
  ];
  const found = await Promise.all(filters.map((filter) =>
    listAll(
      (NextToken) => ec2.describeSnapshots({ NextToken, OwnerIds: ["self"], Filters: [filter] }),
      (answer) => [answer.Snapshots, answer.NextToken],
    )
  ));
  const snapshots = new Map(found.flat().map((one) => [one.SnapshotId, one]));
  return [...snapshots.values()].map((one) => ({
    ...common("snapshot", one.SnapshotId, one.Tags, one.StartTime),
    detail: `of ${one.VolumeSize} GB`,
    bill: { of: "unknown", note: "billed by the gigabytes that differ" },
  }));
}

/** Network interfaces. */
export async function findInterfaces(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const interfaces = await listAll(
    (NextToken) => ec2.describeNetworkInterfaces({ NextToken }),
    (answer) => [answer.NetworkInterfaces, answer.NextToken],
  );
  return interfaces.map((one) => ({
    ...common("network-interface", one.NetworkInterfaceId, one.TagSet, undefined),
    vpcId: one.VpcId,
    detail: `${one.Status} ${one.Description ?? ""}`.trim(),
  }));
}

/** Launch templates. */
export async function findLaunchTemplates(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const templates = await listAll(
    (NextToken) => ec2.describeLaunchTemplates({ NextToken }),
    (answer) => [answer.LaunchTemplates, answer.NextToken],
  );
  return templates.map((one) => ({
    ...common("launch-template", one.LaunchTemplateId, one.Tags, one.CreateTime),
    name: one.LaunchTemplateName ?? "",
  }));
}

/** The parts that EC2's resources have in common. */
export function common<K extends Resource["kind"]>(
  kind: K,
  id: string | undefined,
  pairs: Parameters<typeof tagsOf>[0],
  created: Date | undefined,
): Pick<Resource, "id" | "name" | "tags" | "created"> & { readonly kind: K } {
  const tags = tagsOf(pairs);
  return { kind, id: id ?? "", name: tags["Name"] ?? id ?? "", tags, created: created?.getTime() };
}
