/**
 * The infrastructure of one cluster: from the blueprint to a terraform plan that a person can
 * agree to. Nothing in AWS is changed here, but for the bucket of `--backend s3`.
 *
 * @module
 */
import { type AwsIdentity, type AwsSession, identity, openAws } from "../aws/session.ts";
import type { InfrastructureCost } from "../aws/infrastructure_cost.ts";
import type { Blueprint } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { removeAll } from "../cli/files.ts";
import type { Step } from "../cli/plan.ts";
import { findEksCluster } from "../target/eks_cluster.ts";
import { tokenCommand } from "../target/eks_kubeconfig.ts";
import {
  type Backend,
  readStackNote,
  s3Backend,
  type StackNote,
  stateBucketName,
  writeStackNote,
} from "../terraform/backend.ts";
import { estimateSeconds } from "../terraform/estimate.ts";
import { releaseLostLock } from "../terraform/lost_lock.ts";
import { countsText } from "../terraform/plan_summary.ts";
import { findTerraform, terraformEnvironment } from "../terraform/program.ts";
import { waitForOthers } from "../terraform/run.ts";
import {
  initStack,
  type MadePlan,
  makePlan,
  removePlans,
  type Stack,
  stackOutputs,
} from "../terraform/stack.ts";
import { readStages, type Stage, type StageName } from "../terraform/stages.ts";
import { ensureStateBucket, hasStateBucket } from "../terraform/state_bucket.ts";
import { syncWorkFolder, workFolder } from "../terraform/work_folder.ts";
import { planCost } from "./cost.ts";
import { keepInterruptedCluster } from "./interrupted_cluster.ts";

/** What is asked for. */
export interface InfrastructureRequest {
  /** What the user wants. */
  readonly blueprint: Blueprint;
  /** `--profile`. */
  readonly profile?: string | undefined;
  /** `--backend`; as it was, else local. */
  readonly backend?: Backend["kind"] | undefined;
  /** Only this stage and what it builds on. */
  readonly stage?: StageName | undefined;
  /** Make nothing, not even the bucket of the state. */
  readonly dryRun?: boolean | undefined;
}

/** What the steps find out, for those that come after them. */
export interface Infrastructure {
  /** AWS in the blueprint's region. */
  aws: AwsSession;
  /** Who we are. */
  identity: AwsIdentity;
  /** terraform in the cluster's work folder. */
  stack: Stack;
  /** All stages. */
  stages: readonly Stage[];
  /** terraform's outputs as they were before; empty before the first apply. */
  outputs: Readonly<Record<string, unknown>>;
  /** The plan: of the whole, or of the one stage asked for. */
  plan: MadePlan;
  /** Estimate of its cost. */
  cost: InfrastructureCost;
  /** Seconds that applying it is likely to take; undefined where nothing in it is slow. */
  seconds: number | undefined;
}

/** Steps, and what they leave; a part may be read once the step that makes it has run. */
export interface Preparation {
  /** The steps. */
  readonly steps: readonly Step[];
  /** What they found. */
  readonly found: Infrastructure;
  /** Removes plans, which nobody applies any more, and what a dry run made. */
  dispose(): Promise<void>;
}

const MINUTE = 60_000;

/** Steps up to and with the plan. */
export function prepareInfrastructure(
  root: Context,
  request: InfrastructureRequest,
): Preparation {
  const { blueprint, profile } = request;
  const ref = { region: blueprint.region.value, name: blueprint.name.value };
  // Filled in by the steps, in order.
  const found = {} as Infrastructure;
  let note: StackNote | undefined;
  let scratch: string | undefined;
  const steps: Step[] = [
    {
      id: "aws-account",
      title: "AWS account",
      touches: ["nothing"],
      deadlineMs: 2 * MINUTE,
      async run(ctx) {
        // Sessions end with their context, and this one outlives the step.
        found.aws = await openAws(root, { region: ref.region, profile });
        found.identity = await identity(found.aws.within({ signal: ctx.signal }));
        note = await readStackNote(ctx, workFolder(ctx, ref));
        requireSameAccount(note, found.identity);
        return `${found.identity.account} in ${ref.region}, as ${found.identity.arn}`;
      },
    },
    {
      id: "terraform-init",
      title: "Terraform's providers and modules",
      touches: [workFolder(root, ref)],
      deadlineMs: 20 * MINUTE,
      async run(ctx, ui) {
        const program = await findTerraform(ctx);
        found.stages = await readStages(ctx);
        const { account } = found.identity;
        const kind = request.backend ?? note?.backend.kind ?? "local";
        let backend: Backend = kind === "s3" ? s3Backend(account, ref) : { kind: "local" };
        let folder = workFolder(ctx, ref);
        if (backend.kind === "s3") {
          const bucket = { bucket: stateBucketName(account, ref.region), account };
          const aws = found.aws.within({ signal: ctx.signal });
          if (request.dryRun !== true) {
            ui.update(`bucket for the state: ${await ensureStateBucket(aws, bucket)}`);
          } else if (!await hasStateBucket(aws, bucket)) {
            // Without a bucket there is no state; the plan is made beside everything else.
            scratch = folder = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-plan-" });
            backend = { kind: "local" };
          }
        }
        await waitForOthers(ctx, folder, {
          deadlineMs: EARLIER_DEADLINE_MS,
          onWait: (address) => ui.update(`waiting for the earlier run: ${address}`),
        });
        await syncWorkFolder(ctx, {
          blueprint,
          folder,
          tokenCommand: tokenCommand(ctx, { ...ref, cluster: ref.name, profile }),
        });
        found.stack = { program, folder, backend, env: terraformEnvironment(ctx, profile) };
        await initStack(ctx, found.stack, { before: note?.backend, onLine: ui.update });
        await releaseLostLock(ctx, found.aws.within({ signal: ctx.signal }), found.stack);
        if (scratch === undefined) {
          await writeStackNote(ctx, folder, { ...ref, account, backend });
        }
        const where = backend.kind === "s3" ? `s3://${backend.bucket}/${backend.key}` : folder;
        return `${program.product} ${program.version}, state in ${where}`;
      },
    },
    {
      id: "terraform-plan",
      title: "Terraform's plan",
      touches: ["nothing"],
      deadlineMs: 30 * MINUTE,
      async run(ctx, ui) {
        const stage = found.stages.find(({ name }) => name === request.stage);
        found.outputs = await stackOutputs(ctx, found.stack);
        const plan = () =>
          makePlan(ctx, found.stack, {
            name: stage?.name ?? "whole",
            targets: stage?.targets ?? [],
            onEvent: (event) => {
              if ("address" in event) ui.update(event.address);
            },
          });
        found.plan = await plan();
        const options = { name: ref.name, dryRun: request.dryRun === true, onWait: ui.update };
        if (await keepInterruptedCluster(ctx, found, options)) found.plan = await plan();
        await requireOwnCluster(found, ref.name);
        found.cost = await planCost(ctx, found.aws, found.plan.summary, blueprint);
        found.seconds = estimateSeconds(found.plan.summary.changes);
        return countsText(found.plan.summary.counts);
      },
    },
  ];
  return {
    steps,
    found,
    async dispose() {
      if (scratch !== undefined) await removeAll(root, scratch);
      else if (found.stack !== undefined) await removePlans(root, found.stack);
    },
  };
}

/** How long a terraform that an earlier run left behind is waited for. */
const EARLIER_DEADLINE_MS = 15 * MINUTE;

function requireSameAccount(note: StackNote | undefined, { account }: AwsIdentity): void {
  if (note === undefined || note.account === account) return;
  throw preconditionError(
    "AWS_OTHER_ACCOUNT",
    `The credentials are of account ${account}, and "${note.name}" in ${note.region} was ` +
      `begun in account ${note.account}`,
    `Use credentials of account ${note.account} (AWS_PROFILE), or choose another --name.`,
  );
}

/** A cluster of the name that terraform did not make is nobody's to change here. */
async function requireOwnCluster(
  { aws, plan, stack, outputs }: Infrastructure,
  name: string,
): Promise<void> {
  const ours = outputs["cluster_name"] === name ||
    plan.summary.before.some(({ type, values }) =>
      type === "aws_eks_cluster" && values["name"] === name
    );
  if (ours) return;
  const cluster = await findEksCluster(aws, name);
  if (cluster === undefined) return;
  const lost = cluster.tags["managed-by"] === "dynamo-eks";
  throw preconditionError(
    "EKS_CLUSTER_FOREIGN",
    `There is an EKS cluster "${name}" in ${aws.region} that terraform's state here does not know`,
    lost
      ? `It was made by this project, with a state that is elsewhere: give --backend ${
        stack.backend.kind === "s3" ? "local" : "s3"
      }, or run this where it was installed.`
      : "Choose another --name, or install only the platform on it: deno task install " +
        "--context NAME.",
  );
}
