/**
 * `deno task ok`: everything that has to hold before a change goes in.
 *
 * @module
 */
import { type Check, runChecks } from "../lib/cli/checks.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { EXIT, usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { didYouMean } from "../lib/cli/suggest.ts";
import type { Context } from "../lib/cli/context.ts";
import { sourceFiles, testFileRuns, unitTestRuns } from "../tests/test_runs.ts";

/** The checks in the order in which they are listed. */
export async function allChecks(ctx: Context): Promise<Check[]> {
  return [
    oneCommand("fmt", "Format", ["fmt", "--check", "--quiet"], 1.5),
    oneCommand("lint", "Lint", ["lint", "--quiet"], 2),
    oneCommand("check", "Types", ["check", "--quiet", "tasks", "lib", "tests"], 15),
    oneCommand(
      "doc",
      "Documentation of exports",
      ["doc", "--lint", "--quiet", ...await sourceFiles(ctx, "lib")],
      1.5,
    ),
    {
      id: "unit",
      title: "Unit tests, and what the load generator costs",
      runs: await unitTestRuns(ctx),
      counts: true,
    },
    {
      id: "terraform",
      title: "Terraform (offline: init, validate, plan, apply, destroy)",
      runs: await testFileRuns(ctx, "tests/terraform"),
      counts: true,
    },
    {
      id: "integration",
      title: "Integration tests (real control plane, real processes)",
      runs: await testFileRuns(ctx, "tests/integration"),
      counts: true,
    },
    {
      id: "e2e",
      title: "End-to-end tests (the tasks as a user runs them)",
      runs: await testFileRuns(ctx, "tests/e2e"),
      counts: true,
    },
  ];
}

/** A check that is one command, and no test. */
function oneCommand(id: string, title: string, args: readonly string[], seconds: number): Check {
  return { id, title, runs: [{ name: title, args, seconds, cores: 1 }], counts: false };
}

/** The task. */
export const command = defineCommand({
  name: "ok",
  summary:
    "Run all checks: format, lint, types, docs, unit, terraform, integration and end-to-end tests",
  description: "Test files run side by side, those that measure times alone. What fails is shown " +
    "whole. The last line on stdout is `N passed, N failed`.",
  args: [{ name: "check", description: "Run only this check (fmt, lint, check, doc, unit, …)" }],
  options: {
    jobs: {
      kind: "integer",
      short: "j",
      min: 1,
      placeholder: "n",
      description: "Most commands at the same time (default: what fills the processors)",
    },
    verbose: { kind: "flag", short: "v", description: "Say how long each test file took" },
  },
  examples: [
    { command: "ok", text: "Everything" },
    { command: "ok unit", text: "Unit tests only" },
    { command: "ok e2e --jobs 1", text: "One test file after the other" },
  ],
  async run(ctx, { options, args }) {
    const all = await allChecks(ctx);
    const wanted = args[0];
    const checks = wanted === undefined ? all : all.filter((check) => check.id === wanted);
    if (checks.length === 0) {
      const ids = all.map((check) => check.id);
      throw usageError(
        "CHECK_UNKNOWN",
        `No check is called "${wanted}". ${didYouMean(wanted ?? "", ids)}`.trim(),
        `Checks: ${ids.join(", ")}.`,
      );
    }
    const cores = navigator.hardwareConcurrency;
    const totals = await runChecks(ctx, checks, { cores, most: options.jobs });
    for (const line of totals.skipped) ctx.ui.warn(line);
    ctx.ui.close();
    ctx.ui.out(`${totals.passed} passed, ${totals.failed} failed`);
    return totals.failed === 0 && !ctx.signal.aborted ? EXIT.ok : EXIT.failed;
  },
});

if (import.meta.main) await runTask(command);
