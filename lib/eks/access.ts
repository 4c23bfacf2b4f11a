/**
 * From a cluster's name to a client of it: kubeconfig, and waiting until it lets us in.
 *
 * @module
 */
import { type AwsSession, identity } from "../aws/session.ts";
import { type Context, withContext } from "../cli/context.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import type { Kube } from "../kube/types.ts";
import type { ClusterIdentity } from "../target/eks_cluster.ts";
import { requireEksCluster } from "../target/eks_cluster.ts";
import { writeEksKubeconfig } from "../target/eks_kubeconfig.ts";
import { openTarget, type Target } from "../target/target.ts";
import { stackKubeconfig } from "../terraform/work_folder.ts";

/** What the step needs. */
export interface AccessOptions {
  /** AWS in the cluster's region. */
  readonly aws: AwsSession;
  /** Name of the cluster. */
  readonly name: string;
  /** `--profile`. */
  readonly profile?: string | undefined;
  /** Namespace of the platform, for the target. */
  readonly namespace: string;
  /** Dynamo version, for the target. */
  readonly release: string;
}

/** What it leaves: the target, and an open client. */
export interface Access {
  /** The cluster as a target; not remembered yet. */
  target: Target;
  /** Client of it. Close it. */
  kube: Kube;
}

const EVERY_MS = 3_000;
// Access entries and the endpoint's name take up to some minutes to be known everywhere.
const ACCESS_MS = 5 * 60_000;

/** The step that looks the cluster up, writes its kubeconfig, and waits until it lets us in. */
export function accessStep(root: Context, options: AccessOptions, access: Access): Step {
  const ref = { region: options.aws.region, name: options.name };
  return {
    id: "kubeconfig",
    title: "Access to the cluster",
    touches: [stackKubeconfig(root, ref)],
    deadlineMs: ACCESS_MS + 60_000,
    async run(ctx, ui) {
      access.target = await writeAccess(ctx, options);
      // The client lives longer than this step.
      access.kube = await waitForAccess(ctx, root, access.target, options.aws, ui.update);
      return `${access.target.cluster?.endpoint} (Kubernetes ${await access.kube.version()})`;
    },
  };
}

/** Looks the cluster up and writes its kubeconfig; what it returns is not remembered. */
export async function writeAccess(ctx: Context, options: AccessOptions): Promise<Target> {
  const { aws, name, profile, namespace, release } = options;
  const found = await requireEksCluster(aws.within({ signal: ctx.signal }), name);
  const { region, account, endpoint } = found;
  const cluster: ClusterIdentity = {
    name,
    region,
    account,
    endpoint,
    ...(profile === undefined ? {} : { profile }),
  };
  const kubeconfig = stackKubeconfig(ctx, { region, name });
  await writeEksKubeconfig(ctx, kubeconfig, { ...found, ...cluster });
  return { kind: "eks", kubeconfig, namespace, release, cluster };
}

async function waitForAccess(
  ctx: Context,
  root: Context,
  target: Target,
  aws: AwsSession,
  onWait: (what: string) => void,
): Promise<Kube> {
  const end = ctx.clock.monotonic() + ACCESS_MS;
  for (;;) {
    try {
      return await tryAccess(root, target, ctx.signal);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!(error instanceof TaskError) || !PASSING.has(error.code)) throw error;
      if (ctx.clock.monotonic() > end) throw await noAccess(aws, target, error);
      onWait(`not yet: ${error.message}`);
    }
    await ctx.clock.sleep(EVERY_MS, ctx.signal);
  }
}

const PASSING = new Set([
  "CLUSTER_DOWN",
  "KUBE_UNREACHABLE",
  "KUBE_UNAUTHORIZED",
  "KUBE_FORBIDDEN",
]);

async function tryAccess(root: Context, target: Target, signal: AbortSignal): Promise<Kube> {
  // The first look ends with the step; the client that is kept with the task.
  const looking = await openTarget(withContext(root, { signal }), target);
  try {
    // Anybody may ask for the version; this needs rights.
    await looking.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" });
  } finally {
    looking.close();
  }
  return await openTarget(root, target);
}

async function noAccess(aws: AwsSession, target: Target, error: TaskError): Promise<Error> {
  if (error.code !== "KUBE_UNAUTHORIZED" && error.code !== "KUBE_FORBIDDEN") return error;
  const { arn } = await identity(aws);
  return preconditionError(
    "EKS_NO_ACCESS",
    `The cluster "${target.cluster?.name}" does not let ${arn} in: ${error.message}`,
    "Whoever made the cluster has access: use those credentials, or add this ARN to admin_arns " +
      "in blueprint.tfvars and run deno task infra apply with theirs.",
    error,
  );
}
