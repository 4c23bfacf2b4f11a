/**
 * `deno task status`: what is installed and how it is.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { openGraphs } from "../lib/deploy/session.ts";
import { readStatus, showStatus } from "../lib/deploy/status.ts";

/** The task. */
export const command = defineCommand({
  name: "status",
  summary: "Show target, release, operator, graphs, nodes and GPUs on one screen",
  options: {
    target: commonOptions.target,
    namespace: commonOptions.namespace,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
  },
  examples: [
    { command: "status", text: "One screen" },
    { command: "status --output json", text: "As data" },
  ],
  async run(ctx, { options }) {
    await using session = await openGraphs(ctx, options);
    const status = await readStatus(ctx, session);
    if (options.output === "json") ctx.ui.out(JSON.stringify(status, null, 2));
    else showStatus(ctx, status);
  },
});

if (import.meta.main) await runTask(command);
