/**
 * Buckets: those with the cluster's tag, and the one in which all clusters of an account and
 * region have terraform's state.
 *
 * @module
 */
import { TaskError } from "../../cli/errors.ts";
import { listObjectVersions } from "../object_versions.ts";
import type { AwsSession } from "../session.ts";
import { eachOf, listAll, orGone, tagsOf } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** Buckets of the region that carry the cluster's tag, and the bucket for states. */
export async function findBuckets(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const s3 = await aws.s3();
  const buckets = await listAll(
    (ContinuationToken) => s3.listBuckets({ ContinuationToken, BucketRegion: scope.region }),
    (answer) => [answer.Buckets, answer.ContinuationToken],
  );
  const found = await eachOf(buckets, async (one): Promise<Resource | undefined> => {
    const Bucket = one.Name ?? "";
    const tags = await bucketTags(s3, Bucket);
    const resource: Resource = {
      kind: "bucket",
      id: Bucket,
      name: Bucket,
      tags,
      created: one.CreationDate?.getTime(),
      bill: { of: "unknown", note: "billed by what is stored" },
    };
    if (tags["dynamo-eks/cluster"] === scope.cluster) {
      return { ...resource, keep: await foreignContent(aws, Bucket) };
    }
    if (tags["managed-by"] !== "dynamo-eks" || !isForStates(Bucket, scope.region)) return undefined;
    return { ...resource, purpose: await purposeOf(aws, Bucket) };
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

// Its full name is made by `lib/terraform/backend.ts`.
function isForStates(bucket: string, region: string): boolean {
  return /^dynamo-eks-state-\d{12}-/.test(bucket) && bucket.endsWith(`-${region}`);
}

async function purposeOf(aws: AwsSession, bucket: string): Promise<string> {
  return `for terraform's states of all clusters here: ${await contentOf(aws, bucket)}`;
}

async function contentOf(aws: AwsSession, bucket: string): Promise<string> {
  try {
    const keys = new Set((await listObjectVersions(aws, { bucket })).map(({ Key }) => Key));
    return keys.size === 0 ? "empty now" : statesText([...keys]);
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "AWS_DENIED") throw error;
    return "what is in it may not be looked at";
  }
}

/** `the states of second (us-west-2)`: keys are `region/name/terraform.tfstate`. */
export function statesText(keys: readonly string[]): string {
  const clusters = keys.map((key) => /^([^/]+)\/([^/]+)\/terraform\.tfstate(\.tflock)?$/.exec(key));
  const names = new Set(clusters.flatMap((one) => one === null ? [] : [`${one[2]} (${one[1]})`]));
  const others = clusters.filter((one) => one === null).length;
  return [
    ...(names.size === 0 ? [] : [`the states of ${[...names].sort().join(", ")}`]),
    ...(others === 0 ? [] : [`${others} other objects`]),
  ].join(" and ");
}
