/**
 * Deleting what other services hold.
 *
 * @module
 */
import { deleteObjectVersions, listObjectVersions } from "../object_versions.ts";
import { orGone } from "./pages.ts";
import { type Removal, untilGone, whenUnused } from "./removal.ts";
import type { Resource } from "./types.ts";

/** A load balancer, with its listeners. */
export async function removeLoadBalancer(job: Removal, resource: Resource): Promise<void> {
  const elb = await job.aws.elb();
  await orGone(elb.deleteLoadBalancer({ LoadBalancerArn: resource.id }));
  await untilGone(job, resource, async () => {
    const found = await elb.describeLoadBalancers({ LoadBalancerArns: [resource.id] });
    return found.LoadBalancers?.[0] === undefined ? undefined : "there";
  });
}

/** A target group. */
export async function removeTargetGroup(job: Removal, { id }: Resource): Promise<void> {
  const elb = await job.aws.elb();
  await whenUnused(job, () => elb.deleteTargetGroup({ TargetGroupArn: id }));
}

/** A file system with its data, after its mount targets. */
export async function removeFileSystem(job: Removal, resource: Resource): Promise<void> {
  const efs = await job.aws.efs();
  const FileSystemId = resource.id;
  const targets = async () =>
    (await orGone(efs.describeMountTargets({ FileSystemId })))?.MountTargets ?? [];
  for (const { MountTargetId } of await targets()) {
    await orGone(efs.deleteMountTarget({ MountTargetId }));
  }
  await untilGone(job, resource, async () => {
    const left = (await targets()).length;
    return left === 0 ? undefined : `mounted by ${left} targets`;
  });
  await whenUnused(job, () => efs.deleteFileSystem({ FileSystemId }));
  await untilGone(job, resource, async () => {
    const { FileSystems = [] } = await efs.describeFileSystems({ FileSystemId });
    const state = FileSystems[0]?.LifeCycleState;
    return state === "deleted" ? undefined : state;
  });
}

/** A repository with its images. */
export async function removeRepository(job: Removal, { id }: Resource): Promise<void> {
  const ecr = await job.aws.ecr();
  await orGone(ecr.deleteRepository({ repositoryName: id, force: true }));
}

/** A log group with its logs. */
export async function removeLogGroup(job: Removal, { id }: Resource): Promise<void> {
  const logs = await job.aws.logs();
  await orGone(logs.deleteLogGroup({ logGroupName: id }));
}

/** A queue. */
export async function removeQueue(job: Removal, { id }: Resource): Promise<void> {
  const sqs = await job.aws.sqs();
  await orGone(sqs.deleteQueue({ QueueUrl: id }));
}

/** A rule, after its targets. */
export async function removeRule(job: Removal, { id }: Resource): Promise<void> {
  const events = await job.aws.events();
  const Targets = (await orGone(events.listTargetsByRule({ Rule: id })))?.Targets ?? [];
  if (Targets.length > 0) {
    const Ids = Targets.map((one) => one.Id ?? "");
    await orGone(events.removeTargets({ Rule: id, Ids }));
  }
  await orGone(events.deleteRule({ Name: id }));
}

/** An alias of a key. */
export async function removeAlias(job: Removal, { id }: Resource): Promise<void> {
  const kms = await job.aws.kms();
  await orGone(kms.deleteAlias({ AliasName: id }));
}

/** A key: KMS keeps it for 7 days at least, without cost. */
export async function removeKey(job: Removal, { id }: Resource): Promise<void> {
  const kms = await job.aws.kms();
  await orGone(kms.scheduleKeyDeletion({ KeyId: id, PendingWindowInDays: 7 }));
}

/** A bucket with all its objects and their versions. */
export async function removeBucket({ aws }: Removal, { id }: Resource): Promise<void> {
  const versions = await orGone(listObjectVersions(aws, { bucket: id }));
  if (versions === undefined) return;
  await deleteObjectVersions(aws, id, versions);
  await orGone((await aws.s3()).deleteBucket({ Bucket: id }));
}
