/**
 * What terraform's state says of a cluster, read without terraform: before anything is touched.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";
import { readIfThere } from "../cli/files.ts";
import type { EksCluster } from "../target/eks_cluster.ts";
import type { Backend } from "../terraform/backend.ts";
import { estimateSeconds } from "../terraform/estimate.ts";

/** A state, as far as it matters here. */
export interface KnownState {
  /** How many resources it lists. */
  readonly resources: number;
  /** Addresses of what is inside the cluster: charts and manifests. */
  readonly inside: readonly string[];
  /** Whether it lists the cluster or what belongs to it. */
  readonly hasCluster: boolean;
  /** URL of the cluster's API server; undefined when the state has no cluster. */
  readonly endpoint: string | undefined;
  /** Seconds that destroying it is likely to take; undefined where nothing is known to be slow. */
  readonly seconds: number | undefined;
}

/** The parts of terraform's state (version 4) that are read. */
interface RawState {
  readonly resources?: readonly {
    readonly mode: string;
    readonly module?: string;
    readonly type: string;
    readonly name: string;
    readonly instances?: readonly { readonly attributes?: { readonly endpoint?: unknown } }[];
  }[];
}

const INSIDE = /^(helm_release|kubectl_|kubernetes_)/;

/**
 * Reads the state; undefined when there is none (yet, or any more).
 *
 * @throws {TaskError} STATE_BROKEN (exit code 3) when it is no state of terraform.
 */
export async function readKnownState(
  ctx: Context,
  aws: AwsSession,
  where: { readonly folder: string; readonly backend: Backend },
): Promise<KnownState | undefined> {
  const text = where.backend.kind === "s3"
    ? await readObject(aws, where.backend)
    : await readIfThere(ctx, `${where.folder}/terraform.tfstate`);
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return knownState(text);
  } catch (error) {
    // The parser quotes the text, which holds sensitive values.
    if (!(error instanceof SyntaxError)) throw error;
    throw brokenState(where);
  }
}

/** Reads the text of a state. It holds sensitive values: never print it. */
export function knownState(text: string): KnownState {
  const { resources = [] } = JSON.parse(text) as RawState;
  const managed = resources.filter(({ mode }) => mode === "managed").map((one) => ({
    ...one,
    address: [one.module, one.type, one.name].filter((part) => part !== undefined).join("."),
  }));
  const cluster = managed.find(({ type }) => type === "aws_eks_cluster");
  const endpoint = cluster?.instances?.[0]?.attributes?.endpoint;
  return {
    resources: managed.reduce((sum, { instances = [] }) => sum + instances.length, 0),
    inside: managed.filter(({ type }) => INSIDE.test(type)).map(({ address }) => address),
    hasCluster: managed.some(({ address }) => /^module\.(eks|karpenter)\./.test(address)),
    endpoint: typeof endpoint === "string" && endpoint !== "" ? endpoint : undefined,
    seconds: estimateSeconds(
      managed.map(({ address, type }) => ({ address, type, action: "delete" })),
    ),
  };
}

/**
 * Refuses when the name means another cluster by now than the one that the state is of: terraform
 * knows clusters by their names alone, and would destroy it.
 *
 * @throws {TaskError} STATE_OTHER_CLUSTER (exit code 3).
 */
export function requireStatesCluster(
  state: KnownState | undefined,
  found: Pick<EksCluster, "name" | "region" | "endpoint"> | undefined,
): void {
  if (state?.endpoint === undefined || found === undefined || found.endpoint === "") return;
  if (state.endpoint === found.endpoint) return;
  throw preconditionError(
    "STATE_OTHER_CLUSTER",
    `"${found.name}" in ${found.region} is another cluster than the one in terraform's state: it ` +
      `answers at ${found.endpoint}, that one did at ${state.endpoint}`,
    "Somebody made it anew under the same name. Take it away from where it was installed. " +
      "Nothing was touched.",
  );
}

async function readObject(
  aws: AwsSession,
  { bucket: Bucket, key: Key }: Extract<Backend, { kind: "s3" }>,
): Promise<string | undefined> {
  try {
    const { Body } = await (await aws.s3()).getObject({ Bucket, Key });
    return await Body?.transformToString();
  } catch (error) {
    if (error instanceof TaskError && error.code === "AWS_NOT_FOUND") return undefined;
    throw error;
  }
}

function brokenState(
  { folder, backend }: { readonly folder: string; readonly backend: Backend },
): TaskError {
  const [file, back] = backend.kind === "s3"
    ? [
      `s3://${backend.bucket}/${backend.key}`,
      "an older version of the object (the bucket keeps them)",
    ]
    : [`${folder}/terraform.tfstate`, `the newest copy in ${folder}/backups`];
  return preconditionError(
    "STATE_BROKEN",
    `${file} is no state of terraform: a run may have been killed while it was written`,
    `Put back ${back}, then run the same task again. Nothing was touched.`,
  );
}
