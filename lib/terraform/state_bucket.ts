/**
 * The S3 bucket for terraform's state: private, versioned, encrypted, TLS only, tagged.
 *
 * @module
 */
import { awsErrorName } from "../aws/errors.ts";
import { deleteObjectVersions, listObjectVersions } from "../aws/object_versions.ts";
import type { AwsSession } from "../aws/session.ts";
import { statesText } from "../aws/sweep/find_buckets.ts";
import { orGone } from "../aws/sweep/pages.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";

/** The tag by which a bucket is known as ours. */
const TAG = { Key: "managed-by", Value: "dynamo-eks" } as const;

/** Names the bucket and whose it has to be. */
export interface StateBucket {
  /** Name. */
  readonly bucket: string;
  /** Account that has to own it. */
  readonly account: string;
}

/** Whether the bucket is there and ours to reach. */
export async function hasStateBucket(
  aws: AwsSession,
  { bucket, account }: StateBucket,
): Promise<boolean> {
  const s3 = await aws.s3();
  try {
    await s3.headBucket({ Bucket: bucket, ExpectedBucketOwner: account });
    return true;
  } catch (error) {
    if (error instanceof TaskError && error.code === "AWS_NOT_FOUND") return false;
    if (error instanceof TaskError && error.code === "AWS_DENIED") {
      throw preconditionError(
        "STATE_BUCKET",
        `The bucket ${bucket} is not account ${account}'s, or may not be looked at`,
        "Allow s3:ListBucket on it; if it is somebody else's, use --backend local.",
        error,
      );
    }
    throw error;
  }
}

/**
 * Makes the bucket, or puts right what is missing of one that carries our tag. Every call can
 * be made again, so an interrupted run is picked up by the next.
 *
 * @throws {TaskError} STATE_BUCKET (exit code 3) when a bucket of the name is not ours.
 */
export async function ensureStateBucket(aws: AwsSession, options: StateBucket): Promise<string> {
  const { bucket: Bucket, account: ExpectedBucketOwner } = options;
  const s3 = await aws.s3();
  const where = { Bucket, ExpectedBucketOwner };
  const there = await hasStateBucket(aws, options);
  if (!there) {
    await s3.createBucket({
      Bucket,
      // The one region that may not be named.
      ...(aws.region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: aws.region as "us-west-2" } }),
    });
  } else if (!await isOurs(aws, options)) {
    throw preconditionError(
      "STATE_BUCKET",
      `The bucket ${Bucket} has objects and no tag ${TAG.Key}=${TAG.Value}: it is not this ` +
        "project's",
      "Tag it if it is to hold terraform's state, or use --backend local.",
    );
  }
  await s3.putBucketTagging({ ...where, Tagging: { TagSet: [TAG] } });
  await s3.putPublicAccessBlock({
    ...where,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
  });
  await s3.putBucketOwnershipControls({
    ...where,
    OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
  });
  await s3.putBucketVersioning({ ...where, VersioningConfiguration: { Status: "Enabled" } });
  await s3.putBucketEncryption({
    ...where,
    ServerSideEncryptionConfiguration: {
      Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
    },
  });
  await s3.putBucketPolicy({ ...where, Policy: tlsOnly(Bucket, aws.region) });
  return there ? `${Bucket} is there` : `made ${Bucket}`;
}

/** What became of a state that was deleted. */
export interface DeletedState {
  /** How many versions and delete markers of it went. */
  readonly versions: number;
  /** Why the bucket stays; undefined when it is gone. */
  readonly stays: string | undefined;
}

/**
 * Deletes a state with all its versions and its locks, and nothing else; then the bucket, when it
 * carries our tag and nothing is left in it.
 */
export async function deleteState(
  aws: AwsSession,
  { bucket, account, key }: StateBucket & { readonly key: string },
): Promise<DeletedState> {
  const where = { Bucket: bucket, ExpectedBucketOwner: account };
  if (!await hasStateBucket(aws, { bucket, account })) return { versions: 0, stays: undefined };
  const mine = (await listObjectVersions(aws, { bucket, prefix: key }))
    .filter(({ Key }) => Key === key || Key === `${key}.tflock`);
  await deleteObjectVersions(aws, bucket, mine);
  const versions = mine.length;
  const left = new Set((await listObjectVersions(aws, { bucket })).map(({ Key }) => Key));
  if (left.size > 0) return { versions, stays: `it holds ${statesText([...left])}` };
  if (!await carriesTag(aws, where)) {
    return { versions, stays: `it has no tag ${TAG.Key}=${TAG.Value}` };
  }
  try {
    await (await aws.s3()).deleteBucket(where);
    return { versions, stays: undefined };
  } catch (error) {
    // Another cluster's first state came at this moment.
    if (awsErrorName(error) !== "BucketNotEmpty") throw error;
    return { versions, stays: "it is in use again" };
  }
}

// A run that was interrupted between making and tagging leaves an empty one.
async function isOurs(
  aws: AwsSession,
  { bucket: Bucket, account: ExpectedBucketOwner }: StateBucket,
): Promise<boolean> {
  const where = { Bucket, ExpectedBucketOwner };
  if (await carriesTag(aws, where)) return true;
  const s3 = await aws.s3();
  return ((await s3.listObjectsV2({ ...where, MaxKeys: 1 })).KeyCount ?? 0) === 0;
}

async function carriesTag(
  aws: AwsSession,
  where: { readonly Bucket: string; readonly ExpectedBucketOwner: string },
): Promise<boolean> {
  // No tags at all is an error to S3.
  const found = await orGone((await aws.s3()).getBucketTagging(where));
  return (found?.TagSet ?? []).some(({ Key, Value }) => Key === TAG.Key && Value === TAG.Value);
}

function tlsOnly(bucket: string, region: string): string {
  const partition = region.startsWith("cn-")
    ? "aws-cn"
    : region.startsWith("us-gov-")
    ? "aws-us-gov"
    : "aws";
  const arn = `arn:${partition}:s3:::${bucket}`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Sid: "TlsOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [arn, `${arn}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    }],
  });
}
