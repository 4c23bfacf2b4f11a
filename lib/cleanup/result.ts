/**
 * Carrying out a cleanup that was agreed to, and telling what became of it.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, interruptedError, TaskError } from "../cli/errors.ts";
import { withLock } from "../cli/lock.ts";
import { type Plan, runPlan, type StepResult } from "../cli/plan.ts";

/** What a cleanup did: the shape of `--output json`. */
export interface CleanupResult {
  /** Whether all steps came to their end. */
  readonly cleaned: true;
  /** How much was asked for: `graph`, `graphs`, `platform`, `all`, `sweep`. */
  readonly level: string;
  /** What became of each step. */
  readonly steps: readonly StepResult[];
  /** What stayed and other things to know, as the plan told them. */
  readonly warnings: readonly string[];
  /** Milliseconds in all. */
  readonly ms: number;
}

/** How to carry it out. */
export interface CarryOutOptions {
  /** Name of the level. */
  readonly level: string;
  /** Whether no other task may be at work: a graph can go while others work, a cluster cannot. */
  readonly alone: boolean;
  /** `--output`. */
  readonly output: "text" | "json";
}

/**
 * Runs a plan that was shown already and returns what it did; with `--output json` that goes to
 * stdout.
 *
 * @throws {TaskError} of a step; INTERRUPTED, which says how to go on; LOCKED (exit code 3) when
 * another task is at work.
 */
export async function carryOut(
  ctx: Context,
  plan: Plan,
  options: CarryOutOptions,
): Promise<CleanupResult> {
  const start = ctx.clock.monotonic();
  // The plan that was shown had them.
  const quiet = { ...plan, warnings: [] };
  const run = () => runPlan(ctx, quiet).catch(sayHowToGoOn);
  const steps = options.alone ? await withLock(ctx, "cleanup", run) : await run();
  const result: CleanupResult = {
    cleaned: true,
    level: options.level,
    steps,
    warnings: plan.warnings,
    ms: Math.round(ctx.clock.monotonic() - start),
  };
  if (options.output === "json") ctx.ui.out(JSON.stringify(result, null, 2));
  return result;
}

function sayHowToGoOn(error: unknown): never {
  if (!(error instanceof TaskError) || error.exitCode !== EXIT.interrupted) throw error;
  throw interruptedError("What is gone stays gone: the same command goes on from here.");
}
