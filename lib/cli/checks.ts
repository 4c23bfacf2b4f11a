/**
 * The project's own checks. Each is one command or several; those of all checks run side by side
 * as far as the processors reach, and are counted together.
 *
 * @module
 */
import type { Context } from "./context.ts";
import { formatDuration } from "./text.ts";
import type { StepUi } from "./ui.ts";

/** One check: commands that must all end with exit code 0. */
export interface Check {
  /** Short name, for the command line. */
  readonly id: string;
  /** What it checks. */
  readonly title: string;
  /** Its commands. */
  readonly runs: readonly CheckRun[];
  /** Whether the output counts passed and failed tests itself. */
  readonly counts: boolean;
}

/** One command of a check. */
export interface CheckRun {
  /** What it looks at: a file, a folder. */
  readonly name: string;
  /** Arguments of Deno. */
  readonly args: readonly string[];
  /** Seconds it takes when it is alone, about: the longest begin first. */
  readonly seconds: number;
  /** Processors it keeps busy meanwhile, about; Infinity for what measures times, and so runs alone. */
  readonly cores: number;
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

/** Options of {@link runChecks}. */
export interface RunChecksOptions {
  /** Processors to fill. */
  readonly cores: number;
  /** Most commands at the same time; as many as fill the processors unless given. */
  readonly most?: number | undefined;
}

/** `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`, as `deno test` ends. */
export function readTestSummary(output: string): { passed: number; failed: number } | undefined {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const lines = [...plain.matchAll(/(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/g)];
  const last = lines.at(-1);
  return last === undefined ? undefined : { passed: Number(last[1]), failed: Number(last[2]) };
}

/** What becomes of a check whose commands are under way. */
interface Progress {
  readonly check: Check;
  /** Its line on the terminal, from its first command on. */
  step: StepUi | undefined;
  passed: number;
  failed: number;
  /** Commands that are over, and those of them that ended badly. */
  ended: number;
  broken: number;
}

interface Waiting {
  readonly progress: Progress;
  readonly run: CheckRun;
}

/** Runs all commands of the checks, whatever fails. */
export async function runChecks(
  ctx: Context,
  checks: readonly Check[],
  options: RunChecksOptions,
): Promise<CheckTotals> {
  const totals: CheckTotals = { passed: 0, failed: 0, skipped: [] };
  const begun = checks.map((check): Progress => ({
    check,
    step: undefined,
    passed: 0,
    failed: 0,
    ended: 0,
    broken: 0,
  }));
  const waiting = begun.flatMap((progress) => progress.check.runs.map((run) => ({ progress, run })))
    .sort(order);
  const running = new Map<Waiting, Promise<void>>();
  for (;;) {
    const next = ctx.signal.aborted ? undefined : waiting[0];
    if (next !== undefined && hasRoom(next.run, [...running.keys()], options)) {
      waiting.shift();
      running.set(next, runOne(ctx, next, totals).finally(() => running.delete(next)));
    } else if (running.size > 0) await Promise.race(running.values());
    else break;
  }
  // Those that an interruption has left half done.
  for (const progress of begun) {
    if (progress.step !== undefined && progress.ended < progress.check.runs.length) {
      finish(progress, progress.step, totals);
    }
  }
  return totals;
}

// What is no test comes first, then what runs alone, and then what takes longest.
function order(a: Waiting, b: Waiting): number {
  const rank = ({ progress, run }: Waiting) =>
    progress.check.counts ? (run.cores === Infinity ? 1 : 2) : 0;
  return rank(a) - rank(b) || b.run.seconds - a.run.seconds;
}

/** As long as a processor has nothing to do the next one begins, however many it will want. */
function hasRoom(
  run: CheckRun,
  running: readonly Waiting[],
  { cores, most = Infinity }: RunChecksOptions,
): boolean {
  if (running.length === 0) return true;
  const busy = running.reduce((sum, { run }) => sum + run.cores, 0);
  return run.cores < Infinity && busy < cores && running.length < most;
}

async function runOne(
  ctx: Context,
  { progress, run }: Waiting,
  totals: CheckTotals,
): Promise<void> {
  const { check } = progress;
  const step = progress.step ??= ctx.ui.step(check.title);
  const start = ctx.clock.monotonic();
  const { code, output } = await runDeno(ctx, run, (line) => {
    if (line.includes("SKIPPED")) totals.skipped.push(`${check.id}: ${line}`);
    step.update(line);
  });
  const took = formatDuration(ctx.clock.monotonic() - start);
  ctx.ui.debug(`${check.id}: ${run.name}: ${took}`);
  const counted = check.counts ? readTestSummary(output) : undefined;
  progress.passed += counted?.passed ?? 0;
  // A run that ended badly without a failed test (a leak, a crash) still is a failure.
  progress.failed += code === 0 ? 0 : Math.max(1, counted?.failed ?? 0);
  progress.ended++;
  if (code !== 0) {
    progress.broken++;
    ctx.ui.error(`${check.id}: ${run.name}: exit code ${code} after ${took}`);
    ctx.ui.info(output.trimEnd());
  }
  if (progress.ended === check.runs.length) finish(progress, step, totals);
}

async function runDeno(
  ctx: Context,
  run: CheckRun,
  onLine: (line: string) => void,
): Promise<{ readonly code: number; readonly output: string }> {
  const lines: string[] = [];
  const { code } = await ctx.processes.run(ctx.processes.denoPath, run.args, {
    cwd: ctx.root,
    signal: ctx.signal,
    env: { NO_COLOR: "1" },
    onLine: (line) => {
      lines.push(line);
      if (line.trim() !== "") onLine(line.trim());
    },
  });
  return { code, output: lines.join("\n") };
}

function finish(progress: Progress, step: StepUi, totals: CheckTotals): void {
  const { check, passed, failed, ended, broken } = progress;
  const isWell = broken === 0 && ended === check.runs.length;
  // A check that counts nothing is one.
  totals.passed += check.counts ? passed : Number(isWell);
  totals.failed += failed;
  if (isWell) step.done(check.counts ? `${passed} passed` : undefined);
  else step.fail(check.counts ? `${passed} passed, ${failed} failed` : undefined);
}
