/**
 * Taking away what terraform made, from the state in the cluster's work folder.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import type { Context } from "../cli/context.ts";
import { removeAll } from "../cli/files.ts";
import { withLock } from "../cli/lock.ts";
import { type Plan, runPlan, type Step } from "../cli/plan.ts";
import type { StepUi } from "../cli/ui.ts";
import { readStackNote, type StackNote } from "../terraform/backend.ts";
import { progressText } from "../terraform/estimate.ts";
import { releaseLostLock } from "../terraform/lost_lock.ts";
import { countsText } from "../terraform/plan_summary.ts";
import { findTerraform, terraformEnvironment } from "../terraform/program.ts";
import { earlierRun, waitForOthers } from "../terraform/run.ts";
import { applyPlan, forgetResources, initStack, makePlan, type Stack } from "../terraform/stack.ts";
import { type DeletedState, deleteState } from "../terraform/state_bucket.ts";
import { workFolder } from "../terraform/work_folder.ts";
import { type KnownState, readKnownState } from "./known_state.ts";
import type { AwsPlace, OpenPlace } from "./place.ts";

const DEADLINE_MS = 90 * 60_000;
const WAIT = { deadlineMs: DEADLINE_MS / 2 };
/** What the cluster consists of; what is inside it and builds on it goes with them. */
const CLUSTER_TARGETS = ["module.eks", "module.karpenter"];

/** What is known before terraform runs. */
export interface KnownStack {
  /** The cluster's work folder. */
  readonly folder: string;
  /** What is noted there. */
  readonly note: StackNote;
  /** What its state says; undefined when there is none. */
  readonly state: KnownState | undefined;
}

/** Steps that destroy a cluster's infrastructure. */
export interface InfrastructureSteps {
  /** Only for a cluster that cannot be asked: the cluster by itself, so that nothing in it acts. */
  readonly cluster: readonly Step[];
  /** Everything that is left. */
  readonly rest: Step;
  /** Removes the state and its folder once the state lists nothing. */
  readonly folder: Step;
}

/** Reads what is known of a cluster's infrastructure; undefined when no state of it is known here. */
export async function knownStack(
  ctx: Context,
  { aws, place }: OpenPlace,
): Promise<KnownStack | undefined> {
  const folder = workFolder(ctx, { region: place.region, name: place.cluster });
  const note = await readStackNote(ctx, folder);
  if (note === undefined) return undefined;
  return { folder, note, state: await readKnownState(ctx, aws, { folder, ...note }) };
}

/**
 * The steps that destroy a cluster's infrastructure. A run that failed or was interrupted goes on
 * with what the state still lists.
 */
export function infrastructureSteps(
  open: OpenPlace,
  stack: KnownStack,
  options: {
    /** Whether the cluster's API server does not answer. */
    readonly lost: boolean;
    /** When it may fall silent after the plan was made. */
    readonly later?: {
      /** Whether it has. */
      readonly lost: () => boolean;
      /** Deletes what the cluster's controllers left, once the cluster is gone. */
      readonly orphans: Step;
    };
  },
): InfrastructureSteps {
  const { state } = stack;
  const { lost, later } = options;
  const job: Job = { ...stack, open, connected: undefined };
  return {
    cluster: lost && state?.hasCluster === true ? [clusterStep(job, state)] : [],
    rest: {
      id: "infrastructure",
      title: "Destroy the infrastructure",
      touches: [`everything in terraform's state (${countText(state)}${stateText(stack)})`],
      deadlineMs: DEADLINE_MS,
      run: async (ctx, ui) => {
        const silent = later?.lost() ?? false;
        if (later !== undefined && silent && state?.hasCluster === true) {
          await clusterStep(job, state).run(ctx, ui);
          if (later.orphans.skip === undefined) await later.orphans.run(ctx, ui);
        }
        return await destroy(ctx, job, { ui, forget: lost || silent });
      },
    },
    folder: folderStep(job),
  };
}

interface Job extends KnownStack {
  /** terraform, once a step has connected the state. */
  connected: Stack | undefined;
  readonly open: OpenPlace;
}

/**
 * Charts and manifests cannot be uninstalled without the API server, and go with the cluster. The
 * cluster goes before the network: what its controllers have made keeps subnets in use, and can
 * only be deleted for good when nothing makes it again.
 */
function clusterStep(job: Job, state: KnownState): Step {
  return {
    id: "cluster",
    title: "Destroy the cluster",
    touches: [
      ...CLUSTER_TARGETS.map((one) => `${one} of terraform's state, and what builds on it`),
      ...state.inside.map((one) => `${one}: goes with the cluster, unasked`),
    ],
    deadlineMs: DEADLINE_MS,
    run: (ctx, ui) => destroy(ctx, job, { ui, forget: true, targets: CLUSTER_TARGETS }),
  };
}

/**
 * Waits for a terraform that an earlier task left behind when it was killed: what it still makes or
 * takes away has to be known before a cleanup is planned.
 *
 * @throws {TaskError} LOCKED (exit code 3) when that task is still at work; TERRAFORM_BUSY (exit
 * code 4) when it takes too long.
 */
export async function waitForTerraform(
  ctx: Context,
  { cluster, region }: Pick<AwsPlace, "cluster" | "region">,
): Promise<void> {
  const folder = workFolder(ctx, { region, name: cluster });
  if (await earlierRun(ctx, folder) === undefined) return;
  const step: Step = {
    id: "earlier-run",
    title: "Wait for terraform of an earlier run",
    touches: [],
    deadlineMs: DEADLINE_MS,
    run: (stepCtx, ui) => waitForOthers(stepCtx, folder, { ...WAIT, onWait: ui.update }),
  };
  const plan: Plan = { task: "cleanup", facts: {}, warnings: [], steps: [step] };
  await withLock(ctx, "cleanup", () => runPlan(ctx, plan));
}

async function destroy(
  ctx: Context,
  job: Job,
  options: {
    readonly ui: StepUi;
    /** Forget what is inside the cluster. */
    readonly forget: boolean;
    readonly targets?: readonly string[];
  },
): Promise<string> {
  const { ui, forget, targets = [] } = options;
  const { folder, note } = job;
  await waitForOthers(ctx, folder, { ...WAIT, onWait: ui.update });
  const aws = job.open.aws.within({ signal: ctx.signal });
  const stack = job.connected ??= await connect(ctx, aws, job, ui);
  if (forget) {
    const { inside = [] } = await readKnownState(ctx, aws, { folder, ...note }) ?? {};
    if (inside.length > 0) await forgetResources(ctx, stack, inside);
  }
  ui.update("plans");
  const plan = await makePlan(ctx, stack, { name: "destroy", destroy: true, targets });
  if (plan.summary.changes.length === 0) return "was already gone";
  await applyPlan(ctx, stack, plan, {
    onProgress: (progress) => ui.update(progressText(progress)),
  });
  return countsText(plan.summary.counts);
}

function folderStep(job: Job): Step {
  const { folder, note: { account, backend }, open } = job;
  return {
    id: "work-folder",
    title: "Remove terraform's work folder",
    touches: [
      folder,
      ...(backend.kind === "s3" ? [`${stateText(job)}, all its versions`] : []),
    ],
    deadlineMs: 120_000,
    run: async (ctx): Promise<string | undefined> => {
      const aws = open.aws.within({ signal: ctx.signal });
      // `terraform state list` fails where there is no state: before the first apply, and when an
      // earlier run was stopped between the state and the folder.
      const left = (await readKnownState(ctx, aws, { folder, backend }))?.resources ?? 0;
      if (left > 0) return `stays: the state still lists ${left} resources`;
      const said = backend.kind === "s3"
        ? stateGoneText(backend.bucket, await deleteState(aws, { ...backend, account }))
        : undefined;
      await removeAll(ctx, folder);
      return said;
    },
  };
}

function stateGoneText(bucket: string, { versions, stays }: DeletedState): string {
  const gone = `${versions} versions of the state gone`;
  return stays === undefined ? `${gone}, and ${bucket}` : `${gone}; ${bucket} stays: ${stays}`;
}

async function connect(ctx: Context, aws: AwsSession, job: Job, ui: StepUi): Promise<Stack> {
  const { folder, note: { backend }, open: { place } } = job;
  const program = await findTerraform(ctx);
  const stack = { program, folder, env: terraformEnvironment(ctx, place.profile), backend };
  ui.update("connects the state");
  await initStack(ctx, stack, { before: backend });
  await releaseLostLock(ctx, aws, stack);
  return stack;
}

function countText(state: KnownState | undefined): string {
  return state === undefined ? "" : `${state.resources} resources, `;
}

function stateText({ folder, note: { backend } }: KnownStack): string {
  return backend.kind === "s3" ? `s3://${backend.bucket}/${backend.key}` : folder;
}
