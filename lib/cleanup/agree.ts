/**
 * Asking before something goes.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { type Plan, planToText } from "../cli/plan.ts";

/** Options of {@link agree}. */
export interface AgreeOptions {
  /** `--yes` */
  readonly yes: boolean;
  /** Name of the cluster that goes as a whole, which is typed; yes or no when absent. */
  readonly name?: string | undefined;
}

/**
 * Shows the plan and asks; `--yes` has answered already.
 *
 * @throws {TaskError} CONFIRM_MISSING without a terminal, CONFIRM_NO (both exit code 2).
 */
export async function agree(
  ctx: Context,
  plan: Plan,
  { yes, name }: AgreeOptions,
): Promise<void> {
  if (!yes && !ctx.ui.interactive) {
    throw usageError(
      "CONFIRM_MISSING",
      "Removing needs a yes, and there is no terminal to ask on",
      "Look with --dry-run, then give --yes.",
    );
  }
  ctx.ui.info(planToText(plan));
  if (yes) return;
  if (name !== undefined) return await requireTyped(ctx, name);
  if (!await ctx.ui.confirm("Remove all this?", false)) throw refused();
}

/**
 * Shows the plan and has the cluster's name typed. Unattended it needs `--yes` with `--cluster`
 * and that name, so that a script never deletes another cluster than the one it means.
 *
 * @throws {TaskError} CONFIRM_CLUSTER, CONFIRM_NO (both exit code 2).
 */
export async function agreeByName(
  ctx: Context,
  plan: Plan,
  options: {
    /** `--yes` */
    readonly yes: boolean;
    /** `--cluster` */
    readonly cluster?: string | undefined;
    /** Name of the cluster that goes. */
    readonly name: string;
  },
): Promise<void> {
  const agreed = options.yes && options.cluster === options.name;
  if (!agreed && (options.yes || !ctx.ui.interactive)) {
    throw usageError(
      "CONFIRM_CLUSTER",
      `This deletes the cluster ${options.name} and its data in AWS; --yes alone is not enough`,
      `Look with --dry-run, then give --yes --cluster ${options.name}.`,
    );
  }
  ctx.ui.info(planToText(plan));
  if (!agreed) await requireTyped(ctx, options.name);
}

async function requireTyped(ctx: Context, name: string): Promise<void> {
  const typed = await ctx.ui.text(`Type the cluster's name (${name}) to delete all this`);
  if (typed.trim() !== name) throw refused();
}

function refused(): Error {
  return usageError(
    "CONFIRM_NO",
    "Nothing was removed",
    "Run it again and agree, or give --yes.",
  );
}
