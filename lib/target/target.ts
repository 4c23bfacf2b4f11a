/**
 * Where things run: chosen at install, remembered for the other tasks.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, TaskError } from "../cli/errors.ts";
import { writeFileAtomic } from "../cli/files.ts";
import { connectKube } from "../kube/client.ts";
import type { Kube } from "../kube/types.ts";

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
 * Connects to a target and checks that its API server answers.
 *
 * @throws {TaskError} CLUSTER_DOWN with what to do when it does not.
 */
export async function openTarget(ctx: Context, target: Target): Promise<Kube> {
  const kube = await connectKube(ctx, {
    ...(target.kubeconfig === undefined ? {} : { kubeconfig: target.kubeconfig }),
    ...(target.context === undefined ? {} : { context: target.context }),
  });
  try {
    await kube.version();
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
