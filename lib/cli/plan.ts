/**
 * Plans: what a task is going to do, as data, before it does it.
 *
 * @module
 */
import { type Context, withContext } from "./context.ts";
import { EXIT, interruptedError, messageOf, TaskError, timeoutError } from "./errors.ts";
import type { StepUi } from "./ui.ts";

/** One ordered step of a {@link Plan}. */
export interface Step {
  /** Stable identifier, for example `control-plane`. */
  readonly id: string;
  /** What it does, in words for a person. */
  readonly title: string;
  /** What it will create, change or delete. */
  readonly touches: readonly string[];
  /** Milliseconds after which the step counts as failed. */
  readonly deadlineMs: number;
  /** Why there is nothing to do; such a step is shown and not run. */
  readonly skip?: string | undefined;
  /** Does it. The context's signal is aborted at the deadline. A returned text is shown as the result. */
  run(ctx: Context, ui: StepUi): Promise<string | void>;
}

/** An ordered list of steps, with what a person should know before saying yes. */
export interface Plan {
  /** Name of the task. */
  readonly task: string;
  /** Target, namespace, release and the like, in the order shown. */
  readonly facts: Readonly<Record<string, string>>;
  /** Things to know that do not stop the plan. */
  readonly warnings: readonly string[];
  /** The steps in order. */
  readonly steps: readonly Step[];
}

/** The plan as plain data: the shape of `--dry-run --output json`. */
export function planToJson(plan: Plan): Record<string, unknown> {
  return {
    task: plan.task,
    facts: plan.facts,
    warnings: plan.warnings,
    steps: plan.steps.map((step) => ({
      id: step.id,
      title: step.title,
      touches: step.touches,
      deadlineSeconds: Math.round(step.deadlineMs / 1000),
      ...(step.skip === undefined ? {} : { skip: step.skip }),
    })),
  };
}

/** The plan as lines of text: what `--dry-run` prints. */
export function planToText(plan: Plan): string {
  const lines = [`Plan: ${plan.task}`];
  for (const [name, value] of Object.entries(plan.facts)) lines.push(`  ${name}: ${value}`);
  for (const warning of plan.warnings) lines.push(`  warning: ${warning}`);
  plan.steps.forEach((step, index) => {
    const skip = step.skip === undefined ? "" : ` (skipped: ${step.skip})`;
    lines.push(`${index + 1}. ${step.title}${skip}`);
    if (step.skip === undefined) { for (const touch of step.touches) lines.push(`     ${touch}`); }
  });
  return lines.join("\n");
}

/** Prints the plan to stdout in the asked form. */
export function printPlan(ctx: Context, plan: Plan, output: "text" | "json"): void {
  ctx.ui.out(output === "json" ? JSON.stringify(planToJson(plan), null, 2) : planToText(plan));
}

/**
 * Runs the steps in order; the first failure ends the plan.
 *
 * @throws {TaskError} of the step, or one with exit code 4 when its deadline passed.
 */
export async function runPlan(ctx: Context, plan: Plan): Promise<void> {
  for (const warning of plan.warnings) ctx.ui.warn(warning);
  for (const step of plan.steps) {
    if (ctx.signal.aborted) throw interruptedError();
    const ui = ctx.ui.step(step.title);
    if (step.skip !== undefined) {
      ui.skip(step.skip);
      continue;
    }
    await runStep(ctx, step, ui);
  }
}

async function runStep(ctx: Context, step: Step, ui: StepUi): Promise<void> {
  const deadline = AbortSignal.timeout(step.deadlineMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  try {
    const result = await step.run(withContext(ctx, { signal }), ui);
    ui.done(result ?? undefined);
  } catch (error) {
    if (ctx.signal.aborted) {
      ui.fail("interrupted");
      throw interruptedError();
    }
    const ownWords = error instanceof TaskError && error.exitCode !== EXIT.interrupted;
    if (deadline.aborted && !ownWords) {
      ui.fail(`not done after ${Math.round(step.deadlineMs / 1000)} s`);
      throw timeoutError(
        "STEP_TIMEOUT",
        `"${step.title}" was not done after ${Math.round(step.deadlineMs / 1000)} s`,
        { hint: "Run the same task again; finished steps are skipped.", cause: error },
      );
    }
    ui.fail(messageOf(error).split("\n")[0]);
    throw error;
  }
}
