/**
 * The project's own checks, run one after the other and counted together.
 *
 * @module
 */
import type { Context } from "./context.ts";
import { formatDuration } from "./text.ts";

/** One check: a command that must end with exit code 0. */
export interface Check {
  /** Short name, for `--only`. */
  readonly id: string;
  /** What it checks. */
  readonly title: string;
  /** Arguments of Deno. */
  readonly args: readonly string[];
  /** Whether the output counts passed and failed tests itself. */
  readonly counts: boolean;
}

/** Sum of a run. */
export interface CheckTotals {
  /** Tests, or checks that are no tests, that passed. */
  passed: number;
  /** Those that failed. */
  failed: number;
  /** Lines in which a check said that it left something out, and why. */
  readonly skipped: string[];
}

/** `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`, as `deno test` ends. */
export function readTestSummary(output: string): { passed: number; failed: number } | undefined {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const lines = [...plain.matchAll(/(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/g)];
  const last = lines.at(-1);
  return last === undefined ? undefined : { passed: Number(last[1]), failed: Number(last[2]) };
}

/** Runs the checks in order, all of them even when one fails. */
export async function runChecks(ctx: Context, checks: readonly Check[]): Promise<CheckTotals> {
  const totals: CheckTotals = { passed: 0, failed: 0, skipped: [] };
  for (const check of checks) {
    if (ctx.signal.aborted) break;
    await runCheck(ctx, check, totals);
  }
  return totals;
}

async function runCheck(ctx: Context, check: Check, totals: CheckTotals): Promise<void> {
  const step = ctx.ui.step(check.title);
  const start = ctx.clock.monotonic();
  const result = await ctx.processes.run(ctx.processes.denoPath, check.args, {
    cwd: ctx.root,
    signal: ctx.signal,
    env: { NO_COLOR: "1" },
    onLine: (line) => {
      if (line.includes("SKIPPED")) totals.skipped.push(`${check.id}: ${line.trim()}`);
      if (line.trim() !== "") step.update(line.trim());
    },
  });
  const output = result.stdout + result.stderr;
  const counted = check.counts ? readTestSummary(output) : undefined;
  const failed = counted?.failed ?? 0;
  totals.passed += counted?.passed ?? (result.code === 0 ? 1 : 0);
  // A run that ended badly without a failed test (a leak, a crash) still is a failure.
  totals.failed += result.code === 0 ? failed : Math.max(1, failed);
  if (result.code === 0) {
    step.done(counted === undefined ? undefined : `${counted.passed} passed`);
    return;
  }
  step.fail(`exit code ${result.code} after ${formatDuration(ctx.clock.monotonic() - start)}`);
  ctx.ui.info(output.trimEnd());
}
