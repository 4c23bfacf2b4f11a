/**
 * `deno task describe`: everything about one graph, and a support archive.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { describeGraph } from "../lib/deploy/describe.ts";
import { checkBundle, writeBundle } from "../lib/deploy/describe_bundle.ts";
import { describeLines } from "../lib/deploy/describe_text.ts";
import { openGraphs } from "../lib/deploy/session.ts";

/** The task. */
export const command = defineCommand({
  name: "describe",
  summary: "Show everything about one graph: diagnosis, pods, nodes, events, logs",
  args: [{ name: "graph", description: "Name of the graph; the only one when left out" }],
  options: {
    target: commonOptions.target,
    namespace: commonOptions.namespace,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
    bundle: {
      kind: "text",
      placeholder: "file.tar.gz",
      description: "Write a support archive without secrets: objects, events, logs, versions",
    },
    force: { kind: "flag", description: "Overwrite the file of --bundle" },
  },
  examples: [
    { command: "describe vllm", text: "What support would ask" },
    { command: "describe vllm --bundle vllm.tar.gz", text: "The same as an archive to send" },
  ],
  async run(ctx, { options, args }) {
    const { bundle, force } = options;
    if (force && bundle === undefined) {
      throw usageError("USAGE", "describe: --force is for --bundle", "Add --bundle FILE.tar.gz.");
    }
    if (bundle !== undefined) await checkBundle(ctx, bundle, force);
    await using session = await openGraphs(ctx, options);
    const described = await describeGraph(ctx, session, args[0]);
    const { description } = described;
    if (options.output === "json") ctx.ui.out(JSON.stringify(description, null, 2));
    else ctx.ui.out(describeLines(description, ctx.ui.width).join("\n"));
    if (bundle === undefined) return;
    await writeBundle(ctx, session.kube, { described, path: bundle, force });
    ctx.ui.success(`Support archive: ${bundle} (read it before you send it)`);
  },
});

if (import.meta.main) await runTask(command);
