/**
 * Taking away graphs and the platform, and leaving the cluster.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { type CleanupChoice, planCleanup, type PreparedCleanup } from "../deploy/cleanup.ts";
import { platformRemovalSteps } from "../platform/remove.ts";
import { openTarget, resolveTarget } from "../target/target.ts";
import { localPlatformSteps } from "./local_platform.ts";

/** Options of {@link planPlatformCleanup}. */
export interface PlatformCleanupOptions extends CleanupChoice {
  /** Dynamo's definitions, too. */
  readonly definitions: boolean;
}

/**
 * Plans to remove all graphs of the namespace and then the platform. What others made stays; the
 * plan or the step says so.
 *
 * @throws {TaskError} as `openTarget`.
 */
export async function planPlatformCleanup(
  ctx: Context,
  options: PlatformCleanupOptions,
): Promise<PreparedCleanup> {
  const target = await resolveTarget(ctx, options);
  await using opened = new AsyncDisposableStack();
  const graphs = opened.use(await planCleanup(ctx, { kind: "graphs" }, options));
  const kube = await openTarget(ctx, target);
  opened.defer(() => kube.close());
  const place = { kube, namespace: target.namespace, definitions: options.definitions };
  const steps = target.kind === "local"
    ? localPlatformSteps(place)
    : await platformRemovalSteps(ctx, { ...place, target });
  // From here on it is the caller's.
  const kept = opened.move();
  return {
    plan: {
      ...graphs.plan,
      facts: { ...graphs.plan.facts, stays: "the cluster and what others installed" },
      warnings: [
        ...graphs.plan.warnings,
        ...(options.definitions
          ? []
          : ["Dynamo's definitions (CRDs) stay; --definitions removes them"]),
      ],
      steps: [...graphs.plan.steps, ...steps],
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
