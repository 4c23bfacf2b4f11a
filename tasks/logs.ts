/**
 * `deno task logs`: what a graph's pods say.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { pickGraph } from "../lib/deploy/graphs.ts";
import { streamLogs } from "../lib/deploy/logs.ts";
import { openGraphs } from "../lib/deploy/session.ts";

/** The task. */
export const command = defineCommand({
  name: "logs",
  summary: "Show the logs of a graph's pods, merged",
  args: [
    { name: "graph", description: "Name of the graph; the only one when left out" },
    { name: "component", description: "Only this component, for example Frontend" },
  ],
  options: {
    target: commonOptions.target,
    namespace: commonOptions.namespace,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
    follow: { kind: "flag", short: "f", description: "Go on until interrupted" },
    previous: { kind: "flag", short: "p", description: "Of the container before the last restart" },
    tail: {
      kind: "integer",
      min: 0,
      placeholder: "lines",
      description: "Only the last lines of each pod",
    },
    since: {
      kind: "integer",
      min: 1,
      placeholder: "seconds",
      description: "Only the last seconds",
    },
  },
  examples: [
    { command: "logs vllm", text: "All pods of the graph" },
    { command: "logs vllm Frontend --follow", text: "Watch the frontend" },
    { command: "logs vllm VllmDecodeWorker --previous", text: "What a crashed worker said" },
  ],
  async run(ctx, { options, args }) {
    await using session = await openGraphs(ctx, options);
    const graph = pickGraph(await session.list(), args[0]);
    const prefix = args[1] === undefined || options.output === "json";
    await streamLogs(ctx, session.kube, graph, {
      component: args[1],
      follow: options.follow,
      previous: options.previous,
      ...(options.tail === undefined ? {} : { tailLines: options.tail }),
      ...(options.since === undefined ? {} : { sinceSeconds: options.since }),
    }, (line) => {
      if (options.output === "json") ctx.ui.out(JSON.stringify(line));
      else ctx.ui.out(prefix ? `${line.pod} ${line.line}` : line.line);
    });
  },
});

if (import.meta.main) await runTask(command);
