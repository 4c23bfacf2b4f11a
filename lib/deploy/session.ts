/**
 * A task's connection to the target and its graphs.
 *
 * @module
 */
import { resolveRelease } from "../blueprint/release.ts";
import type { Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import type { Kube } from "../kube/types.ts";
import { openTarget, resolveTarget, type Target, type TargetChoice } from "../target/target.ts";
import type { GraphState } from "./graph_state.ts";
import { listGraphs } from "./graphs.ts";

/** What a task works with; `await using` closes it. */
export interface GraphSession extends AsyncDisposable {
  /** The target. */
  readonly target: Target;
  /** Release installed on the target. */
  readonly release: Release;
  /** Its API server. */
  readonly kube: Kube;
  /** The namespace's graphs as they are now. */
  list(): Promise<GraphState[]>;
}

/** Opens the target that was installed. */
export async function openGraphs(ctx: Context, choice: TargetChoice): Promise<GraphSession> {
  const target = await resolveTarget(ctx, choice);
  const release = resolveRelease(target.release);
  const kube = await openTarget(ctx, target);
  return {
    target,
    release,
    kube,
    list: () =>
      listGraphs(kube, { namespace: target.namespace, apiVersion: release.graphApiVersion }),
    [Symbol.asyncDispose]: () => {
      kube.close();
      return Promise.resolve();
    },
  };
}

/** A connection that is opened on first use and closed with the task. */
export interface SharedConnection extends AsyncDisposable {
  /** The one connection of this task. */
  connect(): Promise<Kube>;
}

/** Makes a connection for plans, whose dry run must not need a cluster. */
export function sharedConnection(ctx: Context, target: Target): SharedConnection {
  let opened: Promise<Kube> | undefined;
  return {
    connect: () => opened ??= openTarget(ctx, target),
    async [Symbol.asyncDispose]() {
      // A failed connection was reported by the step that wanted it.
      (await opened?.catch(() => undefined))?.close();
    },
  };
}
