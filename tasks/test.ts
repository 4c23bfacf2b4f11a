/**
 * `deno task test`: check that a deployed graph does what it should.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { EXIT } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { checkGraph } from "../lib/deploy/check.ts";
import { pickGraph } from "../lib/deploy/graphs.ts";
import { openGraphs } from "../lib/deploy/session.ts";

/** The task. */
export const command = defineCommand({
  name: "test",
  summary: "Check a deployed graph: health, models, metrics, chat completions streamed and not",
  description: "Opens its own port-forward on a free port. Exit code 1 when a check failed.",
  args: [{ name: "graph", description: "Name of the graph; the only one when left out" }],
  options: { ...commonOptions },
  examples: [
    { command: "test vllm", text: "All checks, with the time of each" },
    { command: "test vllm --output json", text: "As data" },
  ],
  async run(ctx, { options, args }) {
    await using session = await openGraphs(ctx, options);
    const graph = pickGraph(await session.list(), args[0]);
    const results = await checkGraph(ctx, session, graph, { dryRun: options.dryRun });
    const failed = results.filter((result) => result.outcome === "failed");
    if (options.output === "json") {
      ctx.ui.out(
        JSON.stringify(
          { graph: graph.name, passed: failed.length === 0, checks: results },
          null,
          2,
        ),
      );
    } else if (!options.dryRun) {
      const passed = results.filter((result) => result.outcome === "passed").length;
      const say = failed.length === 0 ? ctx.ui.success : ctx.ui.error;
      say(`${graph.name}: ${passed} passed, ${failed.length} failed`);
    }
    return failed.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

if (import.meta.main) await runTask(command);
