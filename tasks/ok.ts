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

// Without --quiet: it hides what passing tests print, and so why they skipped something.
const TEST = ["test", "--no-prompt", "--allow-all"];

/** The checks in the order they run: cheap ones first. */
export async function allChecks(ctx: Context): Promise<Check[]> {
  return [
    { id: "fmt", title: "Format", args: ["fmt", "--check", "--quiet"], counts: false },
    { id: "lint", title: "Lint", args: ["lint", "--quiet"], counts: false },
    {
      id: "check",
      title: "Types",
      args: ["check", "--quiet", "tasks", "lib", "tests"],
      counts: false,
    },
    {
      id: "doc",
      title: "Documentation of exports",
      args: ["doc", "--lint", "--quiet", ...await sourceFiles(ctx)],
      counts: false,
    },
    {
      id: "unit",
      title: "Unit tests, and what the load generator costs",
      args: [...TEST, "lib", "tasks", "tests/bench"],
      counts: true,
    },
    {
      id: "terraform",
      title: "Terraform (offline: init, validate, plan, apply, destroy)",
      args: [...TEST, "tests/terraform"],
      counts: true,
    },
    {
      id: "integration",
      title: "Integration tests (real control plane, real processes)",
      args: [...TEST, "tests/integration"],
      counts: true,
    },
    {
      id: "e2e",
      title: "End-to-end tests (the tasks as a user runs them)",
      args: [...TEST, "tests/e2e"],
      counts: true,
    },
  ];
}

async function sourceFiles(ctx: Context): Promise<string[]> {
  const files: string[] = [];
  async function walk(folder: string): Promise<void> {
    for await (const entry of ctx.fs.readDir(`${ctx.root}/${folder}`)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await walk(path);
      else if (path.endsWith(".ts") && !path.endsWith("_test.ts")) files.push(path);
    }
  }
  await walk("lib");
  return files.sort();
}

/** The task. */
export const command = defineCommand({
  name: "ok",
  summary:
    "Run all checks: format, lint, types, docs, unit, terraform, integration and end-to-end tests",
  description: "The last line on stdout is `N passed, N failed`.",
  args: [{ name: "check", description: "Run only this check (fmt, lint, check, doc, unit, …)" }],
  options: {
    verbose: { kind: "flag", short: "v", description: "Say more" },
  },
  examples: [
    { command: "ok", text: "Everything" },
    { command: "ok unit", text: "Unit tests only" },
  ],
  async run(ctx, { args }) {
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
    const totals = await runChecks(ctx, checks);
    for (const line of totals.skipped) ctx.ui.warn(line);
    ctx.ui.close();
    ctx.ui.out(`${totals.passed} passed, ${totals.failed} failed`);
    return totals.failed === 0 && !ctx.signal.aborted ? EXIT.ok : EXIT.failed;
  },
});

if (import.meta.main) await runTask(command);
