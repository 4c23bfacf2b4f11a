/**
 * Deleting the cluster, instances and what hangs on them.
 *
 * @module
 */
import { orGone } from "./pages.ts";
import { type Removal, untilGone, whenUnused } from "./removal.ts";
import type { Resource } from "./types.ts";

/** A node group, with its instances. */
export async function removeNodeGroup(job: Removal, resource: Resource): Promise<void> {
  const eks = await job.aws.eks();
  const name = { clusterName: job.scope.cluster, nodegroupName: resource.id };
  await whenUnused(job, () => eks.deleteNodegroup(name));
  await untilGone(
    job,
    resource,
    async () => (await eks.describeNodegroup(name)).nodegroup?.status ?? "there",
  );
}

/** The control plane. */
export async function removeCluster(job: Removal, resource: Resource): Promise<void> {
  const eks = await job.aws.eks();
  await whenUnused(job, () => eks.deleteCluster({ name: resource.id }));
  await untilGone(
    job,
    resource,
    async () => (await eks.describeCluster({ name: resource.id })).cluster?.status ?? "there",
  );
}

/** An instance. */
export async function removeInstance(job: Removal, resource: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  const InstanceIds = [resource.id];
  await orGone(ec2.terminateInstances({ InstanceIds }));
  await untilGone(job, resource, async () => {
    const { Reservations = [] } = await ec2.describeInstances({ InstanceIds });
    const state = Reservations[0]?.Instances?.[0]?.State?.Name;
    return state === "terminated" ? undefined : state;
  });
}

/** A volume, with its data. */
export async function removeVolume(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.deleteVolume({ VolumeId: id }));
}

/** A snapshot, with its data. */
export async function removeSnapshot(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.deleteSnapshot({ SnapshotId: id }));
}

/** A network interface; one that is in use goes when its user does. */
export async function removeInterface(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.deleteNetworkInterface({ NetworkInterfaceId: id }));
}

/** A launch template. */
export async function removeLaunchTemplate(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await orGone(ec2.deleteLaunchTemplate({ LaunchTemplateId: id }));
}
