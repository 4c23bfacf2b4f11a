/**
 * One cluster's infrastructure: terraform in its work folder.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, preconditionError, TaskError } from "../cli/errors.ts";
import { exists, removeAll, writeFileAtomic } from "../cli/files.ts";
import { type Backend, backendConfiguration, requireS3Locking } from "./backend.ts";
import { terraformError } from "./errors.ts";
import { type ApplyProgress, progressMeter } from "./estimate.ts";
import { type PlanSummary, readPlan } from "./plan_summary.ts";
import type { TerraformProgram } from "./program.ts";
import { askTerraform, runTerraform } from "./run.ts";
import type { Diagnostic, TerraformEvent } from "./stream.ts";

/** What the functions below work on. */
export interface Stack {
  /** The program. */
  readonly program: TerraformProgram;
  /** Its work folder; `syncWorkFolder` has made it. */
  readonly folder: string;
  /** Whole environment of the program; see `terraformEnvironment`. */
  readonly env: Record<string, string>;
  /** Where the state is. */
  readonly backend: Backend;
}

/** A plan in a file, and what is in it. */
export interface MadePlan {
  /** Path of the plan's file. */
  readonly file: string;
  /** What it changes. */
  readonly summary: PlanSummary;
  /** Warnings that terraform gave, besides those about targets. */
  readonly warnings: readonly Diagnostic[];
}

/** Options of {@link makePlan}. */
export interface MakePlanOptions {
  /** Name of the plan: `whole`, `vpc`. */
  readonly name: string;
  /** Addresses for `-target`. */
  readonly targets?: readonly string[];
  /** Plan to destroy everything. */
  readonly destroy?: boolean;
  /** Told what terraform looks at. */
  readonly onEvent?: (event: TerraformEvent) => void;
}

/** Waits for a lock that somebody is about to give back. */
const LOCK_TIMEOUT = "-lock-timeout=10s";
const BACKUPS = 10;

/**
 * Gets modules and providers and connects the state. A state that is elsewhere (another
 * `--backend` before) is moved.
 *
 * @throws {TaskError} TERRAFORM_DOWNLOAD and others of `terraformError`, TERRAFORM_OLD.
 */
export async function initStack(
  ctx: Context,
  stack: Stack,
  options: {
    /** Where the state was until now; undefined before the first run. */
    readonly before: Backend | undefined;
    /** Told what terraform says. */
    readonly onLine?: (line: string) => void;
  },
): Promise<void> {
  const { folder, backend } = stack;
  if (backend.kind === "s3") requireS3Locking(stack.program);
  await writeFileAtomic(
    ctx,
    `${folder}/backend.tf.json`,
    JSON.stringify(backendConfiguration(backend, stack.env["AWS_ENDPOINT_URL"]), null, 2) + "\n",
  );
  const moved = options.before !== undefined &&
    JSON.stringify(options.before) !== JSON.stringify(backend);
  const args = [
    "init",
    "-input=false",
    "-no-color",
    ...(moved ? ["-migrate-state", "-force-copy"] : []),
  ];
  const first = await runPlain(ctx, stack, args, options.onLine);
  // A changed version in the sources; the lock file of the work folder is nobody's but ours.
  const result = /terraform init -upgrade|tofu init -upgrade/.test(first.output) && first.code !== 0
    ? await runPlain(ctx, stack, [...args, "-upgrade"], options.onLine)
    : first;
  if (result.code === 0) return;
  throw terraformError({
    command: "init",
    code: result.code,
    diagnostics: boxedErrors(result.output),
    text: linesOf(result.output),
  });
}

/** Runs a command whose output is for people. */
async function runPlain(
  ctx: Context,
  { program, folder, env }: Stack,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<{ readonly code: number; readonly output: string }> {
  const result = await ctx.processes.run(program.path, args, {
    cwd: folder,
    clearEnv: true,
    env,
    signal: ctx.signal,
    onLine: (line) => {
      ctx.ui.debug(line);
      if (line.startsWith("- ")) onLine?.(line.slice(2));
    },
  });
  ctx.signal.throwIfAborted();
  return { code: result.code, output: `${result.stdout}\n${result.stderr}` };
}

function linesOf(output: string): string[] {
  return output.split("\n").filter((line) => line.trim() !== "");
}

/** Errors as people are shown them: `│ Error: summary` and lines below it. */
function boxedErrors(output: string): Diagnostic[] {
  const plain = output.split("\n").map((line) => line.replace(/^[│╷╵]\s?/, "").trimEnd());
  const errors: { severity: "error"; summary: string; detail: string }[] = [];
  for (const line of plain) {
    const start = /^Error: (.*)$/.exec(line);
    if (start !== null) errors.push({ severity: "error", summary: start[1]!, detail: "" });
    else if (errors.length > 0) errors.at(-1)!.detail += `${line}\n`;
  }
  return errors;
}

/**
 * Plans, and reads the plan.
 *
 * @throws {TaskError} as `terraformError`, or INTERRUPTED.
 */
export async function makePlan(
  ctx: Context,
  stack: Stack,
  options: MakePlanOptions,
): Promise<MadePlan> {
  const file = `${stack.folder}/${options.name}.tfplan`;
  await removeAll(ctx, file);
  const result = await runTerraform(ctx, [
    "plan",
    "-json",
    "-input=false",
    LOCK_TIMEOUT,
    `-out=${options.name}.tfplan`,
    ...(options.destroy === true ? ["-destroy"] : []),
    ...(options.targets ?? []).map((target) => `-target=${target}`),
  ], { ...stack, onEvent: options.onEvent });
  if (result.code !== 0) {
    throw terraformError({ ...result, command: "plan", backend: stack.backend });
  }
  const json = await askTerraform(ctx, ["show", "-json", `${options.name}.tfplan`], stack);
  return {
    file,
    summary: readPlan(json),
    warnings: result.diagnostics.filter(({ severity, summary }) =>
      severity === "warning" && summary !== "Resource targeting is in effect"
    ),
  };
}

/**
 * Applies a plan as it is, after a copy of the state was put aside.
 *
 * @throws {TaskError} as `terraformError`, PLAN_STALE, or INTERRUPTED. What was made until then
 * is in the state.
 */
export async function applyPlan(
  ctx: Context,
  stack: Stack,
  plan: MadePlan,
  options: {
    /** Told each event. */
    readonly onEvent?: (event: TerraformEvent) => void;
    /** Told twice a second how far it is. */
    readonly onProgress?: (progress: ApplyProgress) => void;
  } = {},
): Promise<void> {
  await backUpState(ctx, stack);
  const meter = progressMeter(plan.summary.changes);
  const name = plan.file.slice(plan.file.lastIndexOf("/") + 1);
  const failed: string[] = [];
  const result = await runTerraform(ctx, ["apply", "-json", "-input=false", LOCK_TIMEOUT, name], {
    ...stack,
    onEvent: (event) => {
      meter.observe(event, ctx.clock.monotonic());
      if (event.kind === "failed") failed.push(event.address);
      options.onEvent?.(event);
    },
    onTick: () => options.onProgress?.(meter.progress(ctx.clock.monotonic())),
  });
  await removeAll(ctx, plan.file);
  if (result.code === 0) return;
  if (result.diagnostics.some(({ summary }) => /plan is stale/i.test(summary))) {
    throw new TaskError({
      code: "PLAN_STALE",
      message: "The state changed between plan and apply: somebody else is at work on this cluster",
      hint: "Run the same task again; it makes a new plan.",
      exitCode: EXIT.precondition,
    });
  }
  const { create, update, replace } = plan.summary.counts;
  const command = create + update + replace === 0 ? "destroy" : "apply";
  throw terraformError({ ...result, command, failed, backend: stack.backend });
}

/** Copies of the local state, the newest ten, as `backups/<time>.tfstate` (0600). */
async function backUpState(ctx: Context, { folder, backend }: Stack): Promise<void> {
  const state = `${folder}/terraform.tfstate`;
  if (backend.kind !== "local" || !await exists(ctx, state)) return;
  const backups = `${folder}/backups`;
  const time = new Date(ctx.clock.now()).toISOString().replaceAll(/[:.]/g, "");
  await writeFileAtomic(ctx, `${backups}/${time}.tfstate`, await ctx.fs.readFile(state));
  const names: string[] = [];
  for await (const entry of ctx.fs.readDir(backups)) {
    if (/^\d.*\.tfstate$/.test(entry.name)) names.push(entry.name);
  }
  for (const name of names.sort().slice(0, -BACKUPS)) await removeAll(ctx, `${backups}/${name}`);
}

/** Runs a command that writes the state and has no events; a lock that is in the way is explained. */
async function changeState(ctx: Context, stack: Stack, args: readonly string[]): Promise<void> {
  const { code, output } = await runPlain(ctx, stack, args);
  if (code === 0) return;
  throw terraformError({
    command: args[0] ?? "",
    code,
    diagnostics: boxedErrors(output),
    text: linesOf(output),
    backend: stack.backend,
  });
}

/** Takes a resource that terraform gave up on for a good one, so that it is not made anew. */
export async function untaintResource(ctx: Context, stack: Stack, address: string): Promise<void> {
  await backUpState(ctx, stack);
  await changeState(ctx, stack, ["untaint", "-no-color", LOCK_TIMEOUT, address]);
}

/** Forgets resources that will go in another way; they stay where they are. */
export async function forgetResources(
  ctx: Context,
  stack: Stack,
  addresses: readonly string[],
): Promise<void> {
  await backUpState(ctx, stack);
  await changeState(ctx, stack, ["state", "rm", "-no-color", LOCK_TIMEOUT, ...addresses]);
}

/** Removes the plans of the work folder: they are old once anything was applied. */
export async function removePlans(ctx: Context, { folder }: Stack): Promise<void> {
  for await (const { name } of ctx.fs.readDir(folder)) {
    if (name.endsWith(".tfplan")) await removeAll(ctx, `${folder}/${name}`);
  }
}

/** Outputs by name; sensitive ones are left out. Empty before the first apply. */
export async function stackOutputs(
  ctx: Context,
  stack: Stack,
): Promise<Readonly<Record<string, unknown>>> {
  const raw: Record<string, { readonly value: unknown; readonly sensitive?: boolean }> = JSON.parse(
    await askTerraform(ctx, ["output", "-json"], stack),
  );
  return Object.fromEntries(
    Object.entries(raw).filter(([, { sensitive }]) => sensitive !== true)
      .map(([name, { value }]) => [name, value]),
  );
}

/**
 * Takes away a lock that a lost run left behind.
 *
 * @throws {TaskError} TERRAFORM_LOCK_ID for what is no lock's id, TERRAFORM_COMMAND.
 */
export async function unlockStack(ctx: Context, stack: Stack, id: string): Promise<void> {
  if (!/^[0-9a-f-]{8,64}$/i.test(id)) {
    throw preconditionError(
      "TERRAFORM_LOCK_ID",
      `"${id}" is no id of a lock`,
      "The message about the lock names it.",
    );
  }
  await askTerraform(ctx, ["force-unlock", "-force", id], stack);
}
