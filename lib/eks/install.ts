/**
 * `deno task install --target eks`: from an AWS account to a cluster with Dynamo on it. Every
 * part looks at what is there, so the same command goes on where an earlier one stopped.
 *
 * @module
 */
import { openAws } from "../aws/session.ts";
import type { Context } from "../cli/context.ts";
import { EXIT, interruptedError, TaskError } from "../cli/errors.ts";
import { runPlan, type Step } from "../cli/plan.ts";
import { tellingSteps } from "../cli/step_events.ts";
import { problemsOf, quickChecks, requireHealthy } from "../doctor/doctor.ts";
import type { Target } from "../target/target.ts";
import type { Backend } from "../terraform/backend.ts";
import { stackOutputs } from "../terraform/stack.ts";
import type { StageName } from "../terraform/stages.ts";
import { type Access, accessStep } from "./access.ts";
import { applySteps } from "./apply.ts";
import { confirm, infrastructureLines, tellPlan } from "./confirm.ts";
import { type Infrastructure, prepareInfrastructure } from "./infrastructure.ts";
import { monitoringStep } from "./monitoring.ts";
import { installPlatform, type InstallRequest, readToken } from "./platform.ts";

/** What is asked for. */
export interface EksInstallRequest extends InstallRequest {
  /** `--profile`. */
  readonly profile?: string | undefined;
  /** `--backend`. */
  readonly backend?: Backend["kind"] | undefined;
  /** `--stage`: only this one and what it builds on. */
  readonly stage?: StageName | "platform" | undefined;
  /** `--skip-checks`. */
  readonly skipChecks: boolean;
}

/** What was done. */
export interface EksInstalled {
  /** The target, when Dynamo is on it. */
  readonly target: Target | undefined;
  /** terraform's outputs; empty where terraform did not run. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Installs. Undefined after a dry run.
 *
 * @throws {TaskError} of the steps; INTERRUPTED says how to go on.
 */
export async function installEks(
  ctx: Context,
  request: EksInstallRequest,
): Promise<EksInstalled | undefined> {
  try {
    await runSteps(ctx, request, request.skipChecks ? [] : [checksStep(request)]);
    if (request.stage === "platform") {
      return await platformPart(ctx, request, { agreed: false, outputs: {} });
    }
    return await infrastructurePart(ctx, request);
  } catch (error) {
    if (!(error instanceof TaskError) || error.exitCode !== EXIT.interrupted) throw error;
    throw interruptedError(
      "What was made until now is kept and known: the same command goes on from here.",
    );
  }
}

async function infrastructurePart(
  ctx: Context,
  request: EksInstallRequest,
): Promise<EksInstalled | undefined> {
  const { blueprint, profile, backend, dryRun } = request;
  const stage = request.stage as StageName | undefined;
  const preparation = prepareInfrastructure(ctx, { blueprint, profile, backend, stage, dryRun });
  const { found } = preparation;
  try {
    await runSteps(ctx, request, preparation.steps);
    tellPlan(request.emit, found);
    const lines = infrastructureLines(found, ctx.ui.width);
    const clusterIsThere = found.outputs["cluster_name"] !== undefined;
    const withPlatform = stage === undefined && wantsDynamo(request);
    if (dryRun) {
      for (const line of lines) ctx.ui.info(line);
      if (!withPlatform) return undefined;
      if (clusterIsThere) await platformPart(ctx, request, { agreed: false, outputs: {}, found });
      else ctx.ui.info("Then Dynamo's platform, which is planned when the cluster is there.");
      return undefined;
    }
    const token = withPlatform ? await readToken(ctx, request, { clusterIsThere }) : undefined;
    const { applyable } = found.plan.summary;
    if (applyable) {
      for (const line of lines) ctx.ui.info(line);
      await confirm(ctx, question(request, found), request.yes);
    }
    await runSteps(ctx, request, applySteps(found, { stage, emit: request.emit }));
    const outputs = await stackOutputs(ctx, found.stack);
    if (!withPlatform) return { target: undefined, outputs };
    return await platformPart(ctx, request, { agreed: applyable, outputs, found, token });
  } finally {
    await preparation.dispose();
  }
}

function question(request: EksInstallRequest, { identity, cost, aws }: Infrastructure): string {
  const price = cost.rows.length === 0
    ? ""
    : ` for ${cost.complete ? "about" : "at least"} ${cost.perHour.toFixed(2)} USD an hour`;
  const what = request.stage === undefined && wantsDynamo(request)
    ? `Do this, and install Dynamo ${request.release.version},`
    : "Do this";
  return `${what} in account ${identity.account} (${aws.region})${price}?`;
}

interface PlatformPart {
  readonly agreed: boolean;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly found?: Infrastructure;
  readonly token?: Awaited<ReturnType<typeof readToken>>;
}

async function platformPart(
  ctx: Context,
  request: EksInstallRequest,
  { agreed, outputs, found, token }: PlatformPart,
): Promise<EksInstalled | undefined> {
  const { blueprint, release, profile } = request;
  const aws = found?.aws ?? await openAws(ctx, { region: blueprint.region.value, profile });
  // Filled in by the step.
  const access = {} as Access;
  await runSteps(ctx, request, [accessStep(ctx, {
    aws,
    profile,
    name: blueprint.name.value,
    namespace: blueprint.namespace.value,
    release: release.version,
  }, access)]);
  try {
    const namespace = outputs["monitoring_namespace"];
    await installPlatform(ctx, {
      ...request,
      ...access,
      agreed,
      token: token ?? await readToken(ctx, request, { clusterIsThere: true }),
      after: typeof namespace === "string" ? [monitoringStep(access.kube, namespace)] : [],
    });
    return request.dryRun ? undefined : { target: access.target, outputs };
  } finally {
    access.kube.close();
  }
}

function checksStep(request: EksInstallRequest): Step {
  const { blueprint, release, profile, platform } = request;
  return {
    id: "checks",
    title: "What would stop it",
    touches: ["nothing"],
    deadlineMs: 3 * 60_000,
    async run(ctx, ui) {
      const report = await quickChecks(ctx, {
        kind: "eks",
        blueprint,
        release,
        profile,
        chartRepository: platform.chartRepository,
        onProgress: (done, total) => ui.progress(done, total, "checks"),
      });
      requireHealthy(report);
      const problems = problemsOf(report);
      for (const { what, why, todo } of problems) ctx.ui.warn(`${what}: ${why}. ${todo}`);
      return problems.length === 0 ? "nothing" : `${problems.length} things to know`;
    },
  };
}

function wantsDynamo({ blueprint }: EksInstallRequest): boolean {
  return blueprint.switches["enable_dynamo_stack"]?.value !== false;
}

async function runSteps(
  ctx: Context,
  { emit }: EksInstallRequest,
  steps: readonly Step[],
): Promise<void> {
  await runPlan(ctx, {
    task: "install",
    facts: {},
    warnings: [],
    steps: tellingSteps(ctx, emit, steps),
  });
}
