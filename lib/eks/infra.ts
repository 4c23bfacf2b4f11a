/**
 * `deno task infra`: the infrastructure alone.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError, usageError } from "../cli/errors.ts";
import { runPlan, type Step } from "../cli/plan.ts";
import { type Emit, tellingSteps } from "../cli/step_events.ts";
import { readStackNote } from "../terraform/backend.ts";
import { findTerraform, terraformEnvironment } from "../terraform/program.ts";
import { type Stack, stackOutputs, unlockStack } from "../terraform/stack.ts";
import { workFolder } from "../terraform/work_folder.ts";
import { applySteps } from "./apply.ts";
import { confirm, infrastructureLines, tellPlan } from "./confirm.ts";
import { type InfrastructureRequest, prepareInfrastructure } from "./infrastructure.ts";

/** What is asked for. */
export interface InfraRequest extends InfrastructureRequest {
  /** `--output`. */
  readonly output: "text" | "json";
  /** `--yes`. */
  readonly yes: boolean;
  /** Told all that happens. */
  readonly emit: Emit;
}

/** Plans, and unless it is a dry run applies after a yes. */
export async function applyInfrastructure(ctx: Context, request: InfraRequest): Promise<void> {
  const run = async (steps: readonly Step[]) =>
    await runPlan(ctx, {
      task: "infra",
      facts: {},
      warnings: [],
      steps: tellingSteps(ctx, request.emit, steps),
    });
  const preparation = prepareInfrastructure(ctx, request);
  const { found } = preparation;
  try {
    await run(preparation.steps);
    tellPlan(request.emit, found);
    const lines = infrastructureLines(found, ctx.ui.width);
    if (request.dryRun === true) {
      if (request.output === "text") ctx.ui.out(lines.join("\n"));
      return;
    }
    if (!found.plan.summary.applyable) {
      ctx.ui.success("Everything is as it should be");
      return;
    }
    for (const line of lines) ctx.ui.info(line);
    await confirm(ctx, `Do this in account ${found.identity.account}?`, request.yes);
    await run(applySteps(found, { stage: request.stage, emit: request.emit }));
    request.emit({ event: "infrastructure", outputs: await stackOutputs(ctx, found.stack) });
    ctx.ui.success("The infrastructure is as planned");
  } finally {
    await preparation.dispose();
  }
}

/**
 * Prints terraform's outputs, or one of them.
 *
 * @throws {TaskError} OUTPUT_UNKNOWN (exit code 2), INFRA_MISSING (exit code 3).
 */
export async function printOutputs(
  ctx: Context,
  request: InfraRequest,
  name: string | undefined,
): Promise<void> {
  const outputs = await stackOutputs(ctx, await existingStack(ctx, request));
  if (name !== undefined && !Object.hasOwn(outputs, name)) {
    throw usageError(
      "OUTPUT_UNKNOWN",
      `There is no output "${name}"`,
      `There is ${Object.keys(outputs).join(", ") || "none before the first apply"}.`,
    );
  }
  const shown = name === undefined ? outputs : outputs[name];
  const plain = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);
  if (request.output === "json") ctx.ui.out(JSON.stringify(shown, null, 2));
  else if (name !== undefined) ctx.ui.out(plain(shown));
  else ctx.ui.table(Object.entries(outputs).map(([key, value]) => [key, plain(value)]));
}

/** Takes a lock away, after a yes. */
export async function unlockState(
  ctx: Context,
  request: InfraRequest,
  id: string | undefined,
): Promise<void> {
  if (id === undefined) {
    throw usageError("USAGE", "infra unlock needs the id of the lock", "The error names it.");
  }
  const stack = await existingStack(ctx, request);
  await confirm(ctx, `Is the run that holds lock ${id} really gone?`, request.yes);
  await unlockStack(ctx, stack, id);
  ctx.ui.success("The lock is gone");
}

/** The stack of an earlier run. */
async function existingStack(
  ctx: Context,
  { blueprint, profile }: InfraRequest,
): Promise<Stack> {
  const ref = { region: blueprint.region.value, name: blueprint.name.value };
  const folder = workFolder(ctx, ref);
  const note = await readStackNote(ctx, folder);
  if (note === undefined) {
    throw preconditionError(
      "INFRA_MISSING",
      `Nothing was made for "${ref.name}" in ${ref.region} from here`,
      "Run deno task infra plan first; with --backend s3 it finds a state that is in S3.",
    );
  }
  return {
    program: await findTerraform(ctx),
    folder,
    backend: note.backend,
    env: terraformEnvironment(ctx, profile),
  };
}
