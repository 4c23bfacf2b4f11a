/**
 * Plans: what a task is going to do, as data, before it does it.
 *
 * @module
 */
import { type Context, withContext } from "./context.ts";
import { EXIT, interruptedError, messageOf, TaskError, timeoutError } from "./errors.ts";
import { hanging } from "./text.ts";
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
  /** Steps that follow each other and have the same word here run side by side. */
  readonly beside?: string | undefined;
  /** Does it. The context's signal is aborted at the deadline. A returned text is shown as the result. */
  run(ctx: Context, ui: StepUi): Promise<string | void>;
}

/** Thrown by a step that finds out at work that it is not needed, or cannot be: it is skipped. */
export class StepSkipped extends Error {}

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

/** What became of a step. */
export interface StepResult {
  /** Identifier of the step. */
  readonly id: string;
  /** Its title. */
  readonly title: string;
  /** Whether it ran, or there was nothing to do. */
  readonly outcome: "done" | "skipped";
  /** What it said, or why it was skipped. */
  readonly detail?: string;
  /** Milliseconds that it took. */
  readonly ms: number;
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

/** The plan as lines of text within `width` columns: what `--dry-run` prints. */
export function planToText(plan: Plan, width = 80): string {
  const lines = [`Plan: ${plan.task}`];
  for (const [name, value] of Object.entries(plan.facts)) {
    lines.push(...hanging(`${name}: ${value}`, width, "  "));
  }
  for (const warning of plan.warnings) lines.push(...hanging(`warning: ${warning}`, width, "  "));
  plan.steps.forEach((step, index) => {
    const skip = step.skip === undefined ? "" : ` (skipped: ${step.skip})`;
    lines.push(...hanging(`${index + 1}. ${step.title}${skip}`, width));
    if (step.skip !== undefined) return;
    for (const touch of step.touches) lines.push(...hanging(touch, width, "     "));
  });
  return lines.join("\n");
}

/** Prints the plan to stdout in the asked form. */
export function printPlan(ctx: Context, plan: Plan, output: "text" | "json"): void {
  ctx.ui.out(
    output === "json" ? JSON.stringify(planToJson(plan), null, 2) : planToText(plan, ctx.ui.width),
  );
}

/**
 * Runs the steps in order, those of one group side by side; the first failure ends the plan, once
 * its neighbours are done. Returns what became of each step, in their order.
 *
 * @throws {TaskError} of the step, or one with exit code 4 when its deadline passed.
 */
export async function runPlan(ctx: Context, plan: Plan): Promise<StepResult[]> {
  for (const warning of plan.warnings) ctx.ui.warn(warning);
  const results: StepResult[] = [];
  for (const group of groupsOf(plan.steps)) {
    if (ctx.signal.aborted) throw interruptedError();
    const ends = await Promise.allSettled(group.map((step) => runOrSkip(ctx, step)));
    for (const end of ends) {
      if (end.status === "rejected") throw end.reason;
      results.push(end.value);
    }
  }
  return results;
}

function groupsOf(steps: readonly Step[]): Step[][] {
  const groups: Step[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (step.beside !== undefined && last?.[0]?.beside === step.beside) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

async function runOrSkip(ctx: Context, step: Step): Promise<StepResult> {
  const { id, title, skip } = step;
  const ui = ctx.ui.step(title);
  if (skip !== undefined) {
    ui.skip(skip);
    return { id, title, outcome: "skipped", detail: skip, ms: 0 };
  }
  const start = ctx.clock.monotonic();
  const took = () => Math.round(ctx.clock.monotonic() - start);
  try {
    const detail = await runStep(ctx, step, ui);
    const done = { id, title, outcome: "done" } as const;
    return { ...done, ...(detail === undefined ? {} : { detail }), ms: took() };
  } catch (error) {
    if (!(error instanceof StepSkipped)) throw error;
    ui.skip(error.message);
    return { id, title, outcome: "skipped", detail: error.message, ms: took() };
  }
}

async function runStep(ctx: Context, step: Step, ui: StepUi): Promise<string | undefined> {
  const deadline = AbortSignal.timeout(step.deadlineMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  try {
    const result = await step.run(withContext(ctx, { signal }), ui) ?? undefined;
    ui.done(result);
    return result;
  } catch (error) {
    if (error instanceof StepSkipped) throw error;
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
