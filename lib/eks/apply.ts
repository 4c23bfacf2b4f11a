/**
 * Applying what was agreed to, stage by stage.
 *
 * @module
 */
import { EXIT, TaskError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import type { Emit } from "../cli/step_events.ts";
import { progressText } from "../terraform/estimate.ts";
import { countChanges, countsText, unexpectedLosses } from "../terraform/plan_summary.ts";
import { applyPlan, type MadePlan, makePlan } from "../terraform/stack.ts";
import { inStage, type StageName } from "../terraform/stages.ts";
import type { Infrastructure } from "./infrastructure.ts";

const MINUTE = 60_000;
/** An EKS cluster takes ten minutes where all is well, and AWS's own deadline is 30. */
const STAGE_DEADLINE_MS = 90 * MINUTE;
/** A line of progress for programs at most this often. */
const PROGRESS_EVERY_MS = 5_000;

/** Options of {@link applySteps}. */
export interface ApplyOptions {
  /** Only this stage; all of them unless given. */
  readonly stage?: StageName | undefined;
  /** Told each resource and how far it is. */
  readonly emit: Emit;
}

/**
 * A step for each stage in which something changes. Stages before the last get a plan of their
 * own; the last one applies the plan that was agreed to as it is, or, when stages came before
 * it, a new one of what is left.
 */
export function applySteps(found: Infrastructure, options: ApplyOptions): Step[] {
  const stages = options.stage === undefined
    ? found.stages
    : found.stages.filter(({ name }) => name === options.stage);
  let isFresh = true;
  return stages.map((stage, index) => {
    const isLast = index === stages.length - 1;
    const own = found.plan.summary.changes.filter((change) =>
      inStage(stage, change) && !stages.slice(0, index).some((before) => inStage(before, change))
    );
    const nothing = isLast ? !found.plan.summary.applyable : own.length === 0;
    return {
      id: `terraform-${stage.name}`,
      title: stage.title,
      touches: [`terraform: ${countsText(countChanges(own))}`],
      deadlineMs: STAGE_DEADLINE_MS,
      ...(nothing ? { skip: "is as planned" } : {}),
      async run(ctx, ui) {
        const plan = isLast && isFresh ? found.plan : await makePlan(ctx, found.stack, {
          name: stage.name,
          targets: stage.targets,
          onEvent: (event) => {
            if ("address" in event) ui.update(`planning, ${event.address}`);
          },
        });
        isFresh = false;
        requireAgreed(found.plan, plan);
        if (!plan.summary.applyable) return "nothing to change";
        let told = 0;
        await applyPlan(ctx, found.stack, plan, {
          onEvent: (event) => {
            if (event.kind !== "started" && event.kind !== "done" && event.kind !== "failed") {
              return;
            }
            const { kind: status, address, action, seconds } = event;
            options.emit({
              event: "resource",
              stage: stage.name,
              address,
              action,
              status,
              seconds,
            });
          },
          onProgress: (progress) => {
            ui.update(progressText(progress));
            if (ctx.clock.monotonic() - told < PROGRESS_EVERY_MS) return;
            told = ctx.clock.monotonic();
            const { done, total, secondsLeft = null, late } = progress;
            options.emit({ event: "progress", stage: stage.name, done, total, secondsLeft, late });
          },
        });
        return `${plan.summary.changes.length} changes made`;
      },
    };
  });
}

/** What a later plan destroys must have been agreed to. */
function requireAgreed(agreed: MadePlan, now: MadePlan): void {
  const losses = unexpectedLosses(agreed.summary, now.summary);
  if (losses.length === 0) return;
  throw new TaskError({
    code: "PLAN_CHANGED",
    message: `Terraform now wants to destroy what was not in the plan that was agreed to: ${
      losses.slice(0, 5).join(", ")
    }${losses.length > 5 ? ` and ${losses.length - 5} more` : ""}`,
    hint: "Something changed meanwhile. Run the same task again and look at the new plan.",
    exitCode: EXIT.precondition,
  });
}
