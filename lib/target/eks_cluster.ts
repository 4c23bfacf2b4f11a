/**
 * EKS clusters as AWS knows them: looking one up, and making sure that a kubeconfig means it.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";

/** Which cluster it is. */
export interface ClusterIdentity {
  /** Name of the EKS cluster. */
  readonly name: string;
  /** AWS region. */
  readonly region: string;
  /** AWS account, twelve digits. */
  readonly account: string;
  /** URL of the API server. */
  readonly endpoint: string;
  /** Profile of the AWS configuration that it was installed with. */
  readonly profile?: string;
}

/** A cluster as EKS describes it. */
export interface EksCluster extends ClusterIdentity {
  /** `ACTIVE`, `CREATING`, `UPDATING`, `DELETING`, `FAILED` … */
  readonly status: string;
  /** Kubernetes version: `1.33`. */
  readonly version: string;
  /** Certificate authority, base64 of PEM; empty until the cluster has one. */
  readonly authority: string;
  /** Tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/** The cluster, or undefined when the region has none of that name. */
export async function findEksCluster(
  aws: AwsSession,
  name: string,
): Promise<EksCluster | undefined> {
  try {
    const { cluster } = await (await aws.eks()).describeCluster({ name });
    if (cluster === undefined) return undefined;
    return {
      name,
      region: aws.region,
      account: cluster.arn?.split(":")[4] ?? "",
      endpoint: (cluster.endpoint ?? "").replace(/\/$/, ""),
      status: cluster.status ?? "",
      version: cluster.version ?? "",
      authority: cluster.certificateAuthority?.data ?? "",
      tags: cluster.tags ?? {},
    };
  } catch (error) {
    if (error instanceof TaskError && error.code === "AWS_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * The cluster, running.
 *
 * @throws {TaskError} EKS_CLUSTER_MISSING or EKS_CLUSTER_STATUS (exit code 3).
 */
export async function requireEksCluster(aws: AwsSession, name: string): Promise<EksCluster> {
  const cluster = await findEksCluster(aws, name);
  if (cluster === undefined) {
    throw preconditionError(
      "EKS_CLUSTER_MISSING",
      `There is no EKS cluster "${name}" in ${aws.region}`,
      "Check --name and --region, or install it: deno task install --target eks.",
    );
  }
  // An update goes on beside the work of the cluster.
  if (cluster.status !== "ACTIVE" && cluster.status !== "UPDATING") {
    throw preconditionError(
      "EKS_CLUSTER_STATUS",
      `The EKS cluster "${name}" in ${aws.region} is ${cluster.status}`,
      "Wait until it is ACTIVE, then run the same task again.",
    );
  }
  return cluster;
}

/**
 * Refuses to go on with another cluster than the one that was installed: one that was made
 * anew under the same name, or one of another account.
 *
 * @throws {TaskError} TARGET_OTHER_CLUSTER (exit code 3).
 */
export function requireSameCluster(
  expected: ClusterIdentity,
  found: ClusterIdentity | undefined,
): void {
  const { name, region, account, endpoint } = expected;
  const what = found === undefined
    ? `There is no EKS cluster "${name}" in ${region} any more`
    : found.account !== account
    ? `The credentials are of account ${found.account}; "${name}" was installed in ${account}`
    : found.endpoint !== endpoint
    ? `"${name}" in ${region} is another cluster than the one that was installed: it answers ` +
      `at ${found.endpoint}, that one did at ${endpoint}`
    : undefined;
  if (what === undefined) return;
  throw preconditionError(
    "TARGET_OTHER_CLUSTER",
    what,
    found !== undefined && found.account !== account
      ? `Use credentials of account ${account} (AWS_PROFILE).`
      : "Run deno task install --target eks to work with what is there now.",
  );
}
