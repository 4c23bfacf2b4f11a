/**
 * The cluster itself, terraform's state, and what carries the tag without a row of its own.
 *
 * @module
 */
import { TaskError } from "../../cli/errors.ts";
import type { AwsSession } from "../session.ts";
import { eachOf, listAll, orGone, tagsOf } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** The EKS cluster of that name and its node groups. */
export async function findCluster(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const eks = await aws.eks();
  const cluster = (await orGone(eks.describeCluster({ name: scope.cluster })))?.cluster;
  if (cluster === undefined) return [];
  const groups = await listAll(
    (nextToken) => eks.listNodegroups({ nextToken, clusterName: scope.cluster }),
    (answer) => [answer.nodegroups, answer.nextToken],
  );
  const version = cluster.version ?? "";
  return [
    {
      kind: "cluster",
      id: scope.cluster,
      name: scope.cluster,
      tags: cluster.tags ?? {},
      created: cluster.createdAt?.getTime(),
      detail: `Kubernetes ${version} ${cluster.status}`,
      bill: { of: "control-plane", version },
      named: true,
    },
    ...groups.map((name): Resource => ({
      kind: "node-group",
      id: name,
      name,
      // A node group is whose its cluster is.
      tags: cluster.tags ?? {},
      named: true,
    })),
  ];
}

/** Buckets of the region that carry the tag: terraform's state. */
export async function findBuckets(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const s3 = await aws.s3();
  const buckets = await listAll(
    (ContinuationToken) => s3.listBuckets({ ContinuationToken, BucketRegion: scope.region }),
    (answer) => [answer.Buckets, answer.ContinuationToken],
  );
  const found = await eachOf(buckets, async (one): Promise<Resource | undefined> => {
    const Bucket = one.Name ?? "";
    const tags = await bucketTags(s3, Bucket);
    if (tags["dynamo-eks/cluster"] !== scope.cluster) return undefined;
    return {
      kind: "bucket",
      id: Bucket,
      name: Bucket,
      tags,
      created: one.CreationDate?.getTime(),
      bill: { of: "unknown", note: "billed by what is stored" },
      keep: await foreignContent(aws, Bucket),
    };
  });
  return found.filter((one) => one !== undefined);
}

/** Its tags; none for buckets of others whose tags may not be read, of which there are many. */
async function bucketTags(
  s3: Awaited<ReturnType<AwsSession["s3"]>>,
  Bucket: string,
): Promise<Record<string, string>> {
  try {
    // No tags at all is an error to S3.
    return tagsOf((await orGone(s3.getBucketTagging({ Bucket })))?.TagSet);
  } catch (error) {
    if (error instanceof TaskError && error.code === "AWS_DENIED") return {};
    throw error;
  }
}

/** Why a bucket is more than the state of one cluster; undefined when it is no more. */
async function foreignContent(aws: AwsSession, Bucket: string): Promise<string | undefined> {
  const { Contents = [] } = await (await aws.s3()).listObjectsV2({ Bucket, MaxKeys: 100 });
  const keys = Contents.map((one) => one.Key ?? "");
  const other = keys.find((key) => !/\.tfstate(\.backup)?$|\.tflock$/.test(key));
  if (other !== undefined) return `it holds ${other}, which is no state of terraform`;
  if (keys.filter((key) => key.endsWith(".tfstate")).length > 1) {
    return "it holds the state of more than one configuration";
  }
  return undefined;
}

/** What carries the tag and is of a kind that `known` does not have, as ARNs tell it. */
export async function findOthers(
  aws: AwsSession,
  scope: SweepScope,
  known: readonly Resource[],
): Promise<Resource[]> {
  const tagging = await aws.tagging();
  const mappings = await listAll(
    (PaginationToken) =>
      tagging.getResources({
        PaginationToken,
        TagFilters: [{ Key: "dynamo-eks/cluster", Values: [scope.cluster] }],
      }),
    (answer) => [answer.ResourceTagMappingList, answer.PaginationToken],
  );
  const ids = new Set(known.flatMap(({ id }) => [id, id.split("/").at(-1) ?? id]));
  return mappings.filter(({ ResourceARN: arn = "" }) => {
    const [, , service = "", , , ...rest] = arn.split(":");
    const path = rest.join(":");
    if (isSeen(service, path)) return false;
    return !ids.has(arn) && !ids.has(path) && !ids.has(path.replace(/^[\w-]+[/:]/, "")) &&
      !ids.has(path.split(/[/:]/).at(-1) ?? path);
  }).map((one) => ({
    kind: "other",
    id: one.ResourceARN ?? "",
    name: one.ResourceARN ?? "",
    tags: tagsOf(one.Tags),
    bill: { of: "unknown", note: "not known here" },
  }));
}

// Listings of ours tell all of these kinds; the tagging service still knows them for a while
// after they are gone, or has what goes with its parent.
function isSeen(service: string, path: string): boolean {
  if (service === "ec2") {
    return /^(instance|volume|snapshot|network-interface|launch-template|vpc|subnet|route-table|internet-gateway|network-acl|natgateway|elastic-ip|vpc-endpoint|security-group|security-group-rule)\//
      .test(path);
  }
  return ["eks", "elasticloadbalancing", "elasticfilesystem", "iam"].includes(service) ||
    (service === "kms" && path.startsWith("key/"));
}
