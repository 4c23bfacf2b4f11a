/**
 * Which target and which release a deployment is for, and which example.
 *
 * @module
 */
import { loadBlueprint } from "../blueprint/blueprint.ts";
import { blueprintFlags, releaseOf } from "../blueprint/flags.ts";
import { resolveRelease } from "../blueprint/release.ts";
import type { NodePool, Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError, usageError } from "../cli/errors.ts";
import { listExamples } from "../graph/examples.ts";
import { recallTarget, resolveTarget, type Target, type TargetChoice } from "../target/target.ts";

/**
 * The target of a deployment. A dry run works before the first install: then it is
 * what the blueprint and the command line say.
 */
export async function deployTarget(
  ctx: Context,
  options: TargetChoice & { readonly dryRun: boolean },
): Promise<Target> {
  if (!options.dryRun || await recallTarget(ctx) !== undefined) {
    return await resolveTarget(ctx, options);
  }
  const blueprint = await loadBlueprint(ctx, { flags: blueprintFlags(options) });
  const release = releaseOf(blueprint);
  return {
    kind: options.target ?? "local",
    namespace: options.namespace ?? blueprint.namespace.value,
    release: release.version,
  } as Target;
}

/**
 * The release of a deployment: `DYNAMO_VERSION` when it is set, else the one installed.
 *
 * @throws {TaskError} RELEASE_MISMATCH (exit code 3) when the cluster does not serve what
 * that release's graphs need.
 */
export async function deployRelease(ctx: Context, target: Target): Promise<Release> {
  const installed = resolveRelease(target.release);
  if (ctx.env.get("DYNAMO_VERSION") === undefined) return installed;
  const asked = releaseOf(await loadBlueprint(ctx, { flags: {} }));
  if (asked.graphApiVersion !== installed.graphApiVersion) {
    throw preconditionError(
      "RELEASE_MISMATCH",
      `DYNAMO_VERSION asks for ${asked.version} (${asked.graphApiVersion}), but ${installed.version} (${installed.graphApiVersion}) is installed on ${target.kind}`,
      `Unset DYNAMO_VERSION, or install that release: DYNAMO_VERSION=v${asked.version} deno task install.`,
    );
  }
  if (asked.version !== installed.version) {
    ctx.ui.warn(`Images of ${asked.version} on a platform of ${installed.version}`);
  }
  return asked;
}

/** What graphs take from the blueprint: pools to be checked against, and a name for their labels. */
export async function deployBlueprint(
  ctx: Context,
): Promise<{ readonly nodePools: readonly NodePool[]; readonly partOf: string }> {
  const { nodePools, name } = await loadBlueprint(ctx, { flags: {} });
  return { nodePools: nodePools.value, partOf: name.value };
}

/**
 * The example that a person takes from a menu.
 *
 * @throws {TaskError} EXAMPLE_MISSING (exit code 2) without a terminal.
 */
export async function chooseExample(ctx: Context): Promise<string> {
  const examples = await listExamples(ctx);
  if (ctx.ui.interactive) {
    return await ctx.ui.select(
      "Which example?",
      examples.map((example) => ({
        value: example.name,
        label: example.name,
        detail: example.summary,
      })),
    );
  }
  throw usageError(
    "EXAMPLE_MISSING",
    "Which example? There is no terminal to ask on, so name one",
    `deno task deploy <example>, one of: ${examples.map((example) => example.name).join(", ")}.`,
  );
}
