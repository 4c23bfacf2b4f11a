/**
 * `deno task forward`: a graph's frontend at a port of this machine.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { forwardGraph } from "../lib/deploy/forward.ts";
import { pickGraph } from "../lib/deploy/graphs.ts";
import { openGraphs } from "../lib/deploy/session.ts";

/** The task. */
export const command = defineCommand({
  name: "forward",
  summary: "Reach a graph's frontend at a port of this machine, until interrupted",
  description: "Prints the URL. Stays when the frontend's pod is replaced.",
  args: [{ name: "graph", description: "Name of the graph; the only one when left out" }],
  options: {
    target: commonOptions.target,
    namespace: commonOptions.namespace,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
    port: {
      kind: "integer",
      short: "p",
      min: 1,
      max: 65535,
      placeholder: "port",
      description: "Port on 127.0.0.1; a free one when left out",
    },
  },
  examples: [
    { command: "forward vllm --port 8000", text: "At http://127.0.0.1:8000" },
    { command: "forward", text: "The only graph, at a free port" },
  ],
  async run(ctx, { options, args }) {
    await using session = await openGraphs(ctx, options);
    await forwardGraph(ctx, session, pickGraph(await session.list(), args[0]), {
      localPort: options.port,
      json: options.output === "json",
    });
  },
});

if (import.meta.main) await runTask(command);
