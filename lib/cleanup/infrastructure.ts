/**
 * Taking away what terraform made, from the state in the cluster's work folder.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { removeAll } from "../cli/files.ts";
import type { Step } from "../cli/plan.ts";
import { readStackNote, type StackNote } from "../terraform/backend.ts";
import { progressText } from "../terraform/estimate.ts";
import { countsText } from "../terraform/plan_summary.ts";
import { findTerraform, terraformEnvironment } from "../terraform/program.ts";
import { askTerraform, earlierRun, waitForEarlierRun } from "../terraform/run.ts";
import { applyPlan, initStack, makePlan, type Stack } from "../terraform/stack.ts";
import { workFolder } from "../terraform/work_folder.ts";
import type { AwsPlace } from "./place.ts";

const DEADLINE_MS = 90 * 60_000;

/**
 * The steps that destroy a cluster's infrastructure; undefined when no state of it is known here.
 * A run that failed or was interrupted goes on with what the state still lists.
 */
export async function infrastructureSteps(
  ctx: Context,
  place: AwsPlace,
): Promise<Step[] | undefined> {
  const folder = workFolder(ctx, { region: place.region, name: place.cluster });
  const note = await readStackNote(ctx, folder);
  if (note === undefined) return undefined;
  return [{
    id: "infrastructure",
    title: "Destroy the infrastructure",
    touches: [`everything in terraform's state (${stateText(note, folder)})`],
    deadlineMs: DEADLINE_MS,
    run: async (stepCtx, ui) => {
      const earlier = await earlierRun(stepCtx, folder);
      if (earlier !== undefined) {
        ui.update(`waits for terraform ${earlier.command}, at work since ${earlier.since}`);
        await waitForEarlierRun(stepCtx, folder, earlier, { deadlineMs: DEADLINE_MS / 2 });
      }
      const stack = await openStack(stepCtx, { folder, note, profile: place.profile });
      ui.update("connects the state");
      await initStack(stepCtx, stack, { before: note.backend });
      ui.update("plans");
      const plan = await makePlan(stepCtx, stack, { name: "destroy", destroy: true });
      if (plan.summary.changes.length === 0) return "was already gone";
      await applyPlan(stepCtx, stack, plan, {
        onProgress: (progress) => ui.update(progressText(progress)),
      });
      return countsText(plan.summary.counts);
    },
  }, {
    id: "work-folder",
    title: "Remove terraform's work folder",
    touches: [folder],
    deadlineMs: 120_000,
    run: async (stepCtx): Promise<string | undefined> => {
      const stack = await openStack(stepCtx, { folder, note, profile: place.profile });
      const left = (await askTerraform(stepCtx, ["state", "list"], stack)).trim();
      if (left !== "") return `stays: the state still lists ${left.split("\n").length} resources`;
      await removeAll(stepCtx, folder);
      return undefined;
    },
  }];
}

async function openStack(
  ctx: Context,
  options: {
    readonly folder: string;
    readonly note: StackNote;
    readonly profile: string | undefined;
  },
): Promise<Stack> {
  return {
    program: await findTerraform(ctx),
    folder: options.folder,
    env: terraformEnvironment(ctx, options.profile),
    backend: options.note.backend,
  };
}

function stateText({ backend }: StackNote, folder: string): string {
  return backend.kind === "s3" ? `s3://${backend.bucket}/${backend.key}` : folder;
}
