/**
 * Showing what is going to happen, and asking for a yes.
 *
 * @module
 */
import { costTable } from "../aws/infrastructure_cost.ts";
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import type { Emit } from "../cli/step_events.ts";
import { fitColumns, hanging } from "../cli/text.ts";
import { aboutText } from "../terraform/estimate.ts";
import { changeLines, countsText } from "../terraform/plan_summary.ts";
import type { Infrastructure } from "./infrastructure.ts";

/** The plan as lines of text within the width: what changes, what it costs, how long it takes. */
export function infrastructureLines(
  { plan, cost, seconds }: Infrastructure,
  width: number,
): string[] {
  const { changes, counts } = plan.summary;
  const costs = cost.rows.length === 0 ? [] : [
    "",
    ...fitColumns(costTable(cost), width),
    "GPU nodes come and go with graphs, and cost extra.",
  ];
  return [
    `Terraform: ${countsText(counts)}`,
    ...changeLines(changes).flatMap((line) => hanging(line, width, "  ")),
    ...plan.warnings.flatMap(({ summary }) => hanging(`warning: ${summary}`, width, "  ")),
    ...costs,
    ...(seconds === undefined ? [] : ["", `This takes ${aboutText(seconds)}.`]),
  ];
}

/** The same as an event. */
export function tellPlan(emit: Emit, { plan, cost, seconds }: Infrastructure): void {
  const { changes, counts } = plan.summary;
  const { perHour, complete, asOf, source, rows } = cost;
  emit({
    event: "plan",
    counts,
    changes: changes.map(({ address, action }) => ({ address, action })),
    cost: { perHour, complete, asOf, source, currency: "USD", rows },
    seconds: seconds ?? null,
  });
}

/**
 * Asks a person; `--yes` answers.
 *
 * @throws {TaskError} CONFIRM_MISSING without a terminal, CONFIRM_NO (both exit code 2).
 */
export async function confirm(ctx: Context, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!ctx.ui.interactive) {
    throw usageError(
      "CONFIRM_MISSING",
      `"${question}" needs a yes, and there is no terminal to ask on`,
      "Look with --dry-run, then give --yes.",
    );
  }
  if (!await ctx.ui.confirm(question, false)) {
    throw usageError("CONFIRM_NO", "Nothing was changed", "Run it again and say yes.");
  }
}
