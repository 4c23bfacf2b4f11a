/**
 * Taking away graphs and the platform, and leaving the cluster.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { planCleanup, type PreparedCleanup } from "../deploy/cleanup.ts";
import { platformRemovalSteps } from "../platform/remove.ts";
import { openTarget, resolveTarget, type TargetChoice } from "../target/target.ts";

/** Options of {@link planPlatformCleanup}. */
export interface PlatformCleanupOptions extends TargetChoice {
  /** Dynamo's definitions, too. */
  readonly definitions: boolean;
}

/**
 * Plans to remove all graphs of the namespace and then the platform. What others made stays; the
 * plan or the step says so.
 *
 * @throws {TaskError} CLEANUP_PLATFORM on the embedded cluster, which goes as a whole; as
 * `openTarget`.
 */
export async function planPlatformCleanup(
  ctx: Context,
  options: PlatformCleanupOptions,
): Promise<PreparedCleanup> {
  const target = await resolveTarget(ctx, options);
  if (target.kind === "local") {
    throw preconditionError(
      "CLEANUP_PLATFORM",
      "The embedded cluster and its platform go together",
      "deno task cleanup --all removes both; --graphs the graphs.",
    );
  }
  const graphs = await planCleanup(ctx, { kind: "graphs" }, options);
  const kube = await openTarget(ctx, target);
  const steps = await platformRemovalSteps(ctx, {
    kube,
    target,
    namespace: target.namespace,
    definitions: options.definitions,
  });
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
    async [Symbol.asyncDispose]() {
      kube.close();
      await graphs[Symbol.asyncDispose]();
    },
  };
}
