/**
 * `deno task cleanup`: remove a graph, all graphs, or everything.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { usageError } from "../lib/cli/errors.ts";
import { withLock } from "../lib/cli/lock.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { type Plan, printPlan, runPlan } from "../lib/cli/plan.ts";
import { type CleanupLevel, planCleanup } from "../lib/deploy/cleanup.ts";

/** The task. */
export const command = defineCommand({
  name: "cleanup",
  summary: "Remove a graph, all graphs, or everything that was installed",
  args: [{ name: "graph", description: "Only this graph" }],
  options: {
    ...commonOptions,
    graphs: { kind: "flag", description: "All graphs of the namespace; the platform stays" },
    all: { kind: "flag", description: "Everything: graphs, platform and the cluster" },
    cache: { kind: "flag", description: "With --all on local: the downloads and builds as well" },
  },
  examples: [
    { command: "cleanup vllm", text: "One graph" },
    { command: "cleanup --graphs", text: "All graphs" },
    { command: "cleanup --all --yes", text: "Everything, without asking" },
  ],
  async run(ctx, { options, args }) {
    const level = await chooseLevel(ctx, args[0], options);
    await using prepared = await planCleanup(ctx, level, options);
    const { plan } = prepared;
    if (options.dryRun) {
      printPlan(ctx, plan, options.output);
      return;
    }
    if (!options.yes) await agree(ctx, plan);
    // A graph can go while others work; the cluster cannot.
    if (level.kind === "all") await withLock(ctx, "cleanup", () => runPlan(ctx, plan));
    else await runPlan(ctx, plan);
    if (options.output === "json") ctx.ui.out(JSON.stringify({ cleaned: true, level: level.kind }));
    ctx.ui.success(level.kind === "graph" ? `Graph ${level.name} is gone` : "Clean");
  },
});

async function chooseLevel(
  ctx: Context,
  graph: string | undefined,
  options: { readonly graphs: boolean; readonly all: boolean; readonly cache: boolean },
): Promise<CleanupLevel> {
  const asked = [graph !== undefined, options.graphs, options.all].filter(Boolean).length;
  if (asked > 1) {
    throw usageError(
      "CLEANUP_LEVEL",
      "Give one of: a graph's name, --graphs, --all",
      "See deno task cleanup --help.",
    );
  }
  if (options.cache && !options.all) {
    throw usageError("CLEANUP_CACHE", "--cache goes with --all", "deno task cleanup --all --cache");
  }
  if (graph !== undefined) return { kind: "graph", name: graph };
  if (options.graphs) return { kind: "graphs" };
  if (options.all) return { kind: "all", cache: options.cache };
  if (!ctx.ui.interactive) {
    throw usageError(
      "CLEANUP_LEVEL",
      "What should go? There is no terminal to ask on",
      "Give a graph's name, --graphs, or --all (with --yes).",
    );
  }
  return await ctx.ui.select<CleanupLevel>("What should go?", [
    { value: { kind: "graphs" }, label: "All graphs", detail: "the platform stays" },
    {
      value: { kind: "all", cache: false },
      label: "Everything",
      detail: "graphs, platform and cluster",
    },
  ]);
}

async function agree(ctx: Context, plan: Plan): Promise<void> {
  if (!ctx.ui.interactive) {
    throw usageError(
      "CONFIRM_MISSING",
      "Removing needs a yes, and there is no terminal to ask on",
      "Look with --dry-run, then give --yes.",
    );
  }
  for (const step of plan.steps) {
    for (const touch of step.touches) ctx.ui.info(`  ${touch}`);
  }
  if (!await ctx.ui.confirm("Remove all this?", false)) {
    throw usageError(
      "CONFIRM_NO",
      "Nothing was removed",
      "Run it again and say yes, or give --yes.",
    );
  }
}

if (import.meta.main) await runTask(command);
