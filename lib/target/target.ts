/**
 * Where things run: chosen at install, remembered for the other tasks.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, TaskError } from "../cli/errors.ts";
import { writeFileAtomic } from "../cli/files.ts";
import { openAws } from "../aws/session.ts";
import { connectKube } from "../kube/client.ts";
import type { Kube } from "../kube/types.ts";
import { type ClusterIdentity, findEksCluster, requireSameCluster } from "./eks_cluster.ts";
import { eksTokens } from "./eks_token.ts";

/** Kinds of target. */
export type TargetKind = "local" | "eks" | "context";

/** One cluster to work with, and what was installed there. */
export interface Target {
  /** Embedded cluster, EKS, or any kubeconfig context. */
  readonly kind: TargetKind;
  /** Path of the kubeconfig file; the user's own when absent. */
  readonly kubeconfig?: string;
  /** Context in it; the current one when absent. */
  readonly context?: string;
  /** Namespace of the platform and its graphs. */
  readonly namespace: string;
  /** Dynamo version installed, without `v`. */
  readonly release: string;
  /** Which cluster it is, on EKS: opening the target makes sure that it still is. */
  readonly cluster?: ClusterIdentity;
  /** URL of the API server of a kubeconfig context, which may come to mean another cluster. */
  readonly server?: string;
  /**
   * Uid of the namespace kube-system, which no two clusters share: a kubeconfig that has come to
   * mean another cluster is refused. Absent where it may not be read.
   */
  readonly uid?: string;
}

/** What the command line says about the target. */
export interface TargetChoice {
  /** `--target`. */
  readonly target?: string | undefined;
  /** `--namespace`. */
  readonly namespace?: string | undefined;
}

function targetFile(ctx: Context): string {
  return `${ctx.home}/target.json`;
}

/** Keeps the target for later tasks (`.dynamo/target.json`, 0600). */
export async function rememberTarget(ctx: Context, target: Target): Promise<void> {
  await writeFileAtomic(ctx, targetFile(ctx), JSON.stringify(target, null, 2) + "\n");
}

/** Forgets the target, for cleanup. */
export async function forgetTarget(ctx: Context): Promise<void> {
  await ctx.fs.remove(targetFile(ctx)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** The remembered target, or undefined before the first install. */
export async function recallTarget(ctx: Context): Promise<Target | undefined> {
  let text: string;
  try {
    text = await ctx.fs.readTextFile(targetFile(ctx));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const value = JSON.parse(text);
    if (typeof value?.kind === "string" && typeof value?.namespace === "string") return value;
    throw new Error("kind and namespace are missing");
  } catch (error) {
    throw preconditionError(
      "TARGET_BROKEN",
      `${targetFile(ctx)} cannot be read: ${messageOf(error)}`,
      "Remove that file and run deno task install again.",
    );
  }
}

/**
 * The target to work with: the remembered one, with the namespace of the command line.
 *
 * @throws {TaskError} TARGET_MISSING before the first install, TARGET_OTHER when another
 * target than the remembered one is asked for.
 */
export async function resolveTarget(ctx: Context, choice: TargetChoice): Promise<Target> {
  const remembered = await recallTarget(ctx);
  if (remembered === undefined) {
    throw preconditionError(
      "TARGET_MISSING",
      "Nothing is installed yet",
      "Run deno task install --target local (this machine) or deno task install --target eks.",
    );
  }
  if (choice.target !== undefined && choice.target !== remembered.kind) {
    throw preconditionError(
      "TARGET_OTHER",
      `--target ${choice.target} was asked for, but what is installed is ${remembered.kind}`,
      `Run deno task install --target ${choice.target} first, or leave --target out.`,
    );
  }
  return { ...remembered, namespace: choice.namespace ?? remembered.namespace };
}

/**
 * Connects to a target and checks that its API server answers, and that it is the cluster that
 * was installed. On EKS tokens are made here; the kubeconfig's plugin is for kubectl.
 *
 * @throws {TaskError} CLUSTER_DOWN with what to do when it does not answer, TARGET_OTHER_CLUSTER
 * when it is another cluster (both exit code 3).
 */
export async function openTarget(ctx: Context, target: Target): Promise<Kube> {
  const { cluster } = target;
  const kube = await connectKube(ctx, {
    ...(target.kubeconfig === undefined ? {} : { kubeconfig: target.kubeconfig }),
    ...(target.context === undefined ? {} : { context: target.context }),
    ...(cluster === undefined
      ? {}
      : { tokens: eksTokens(ctx, { ...cluster, cluster: cluster.name }) }),
  });
  try {
    requireServer(target, kube.server);
    const identity = cluster === undefined ? undefined : verifyCluster(ctx, cluster);
    // An answer that it is another cluster says more than that the old one is silent.
    identity?.catch(() => {});
    const version = kube.version();
    version.catch(() => {});
    await identity;
    await version;
    await requireUid(target, kube);
    return kube;
  } catch (error) {
    kube.close();
    if (!(error instanceof TaskError) || error.code !== "KUBE_UNREACHABLE") throw error;
    throw preconditionError(
      "CLUSTER_DOWN",
      `The ${target.kind} cluster at ${kube.server} does not answer`,
      target.kind === "local"
        ? "Run deno task install: it starts what has stopped and keeps your graphs."
        : "Check the network, the context and your credentials.",
      error,
    );
  }
}

/** The kubeconfig must lead where it led at install; its certificate authority proves the rest. */
function requireServer(target: Target, server: string): void {
  const expected = target.cluster?.endpoint ?? target.server;
  if (expected === undefined || expected === server) return;
  throw preconditionError(
    "TARGET_OTHER_CLUSTER",
    `The kubeconfig leads to ${server}; Dynamo was installed at ${expected}`,
    target.kind === "eks"
      ? "Run deno task install --target eks to write it anew."
      : `Run deno task install --context ${target.context ?? "NAME"} to work with that cluster.`,
  );
}

/**
 * The uid that tells a cluster from all others; undefined where it may not be read.
 *
 * @throws {TaskError} as `Kube.get`.
 */
export async function clusterUid(kube: Kube): Promise<string | undefined> {
  try {
    const system = await kube.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" });
    return system?.metadata.uid;
  } catch (error) {
    if (error instanceof TaskError && error.code === "KUBE_FORBIDDEN") return undefined;
    throw error;
  }
}

/** An address may come to belong to another cluster, and a name in a kubeconfig to mean one. */
async function requireUid(target: Target, kube: Kube): Promise<void> {
  if (target.uid === undefined) return;
  const uid = await clusterUid(kube);
  if (uid === undefined || uid === target.uid) return;
  const file = target.kubeconfig ?? "The kubeconfig";
  throw preconditionError(
    "TARGET_OTHER_CLUSTER",
    `${file} (context ${kube.contextName}) leads to another cluster, at ${kube.server}, than the ` +
      `one that Dynamo was installed on: its kube-system has the uid ${uid}, not ${target.uid}`,
    target.kind === "local"
      ? "Nothing was touched. deno task install writes the kubeconfig of the embedded cluster anew."
      : "Nothing was touched. Correct the kubeconfig, or run deno task install to work with that " +
        "cluster.",
  );
}

/** Asks EKS whether the name still means this cluster. */
async function verifyCluster(ctx: Context, cluster: ClusterIdentity): Promise<void> {
  const aws = await openAws(ctx, cluster);
  try {
    requireSameCluster(cluster, await findEksCluster(aws, cluster.name));
  } catch (error) {
    // Whoever may use the cluster need not be allowed to describe it; endpoint and certificate
    // authority of the kubeconfig are checked in any case.
    if (!(error instanceof TaskError) || error.code !== "AWS_DENIED") throw error;
    ctx.ui.debug(`The cluster could not be looked up: ${error.message}`);
  }
}
