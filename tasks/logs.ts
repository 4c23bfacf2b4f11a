/**
 * `deno task logs`: what a graph's pods say.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { tagged } from "../lib/cli/text.ts";
import { pickGraph } from "../lib/deploy/graphs.ts";
import { parseGrep, parseSince } from "../lib/deploy/log_options.ts";
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
      kind: "text",
      placeholder: "duration",
      description: "Only lines as old as this, such as 90s or 10m; a plain number is seconds",
    },
    grep: {
      kind: "text",
      placeholder: "regex",
      description: "Only lines that match this regular expression (JavaScript's)",
    },
    timestamps: { kind: "flag", description: "Begin each line with the node's time" },
  },
  examples: [
    { command: "logs vllm", text: "All pods of the graph" },
    { command: "logs vllm Frontend --follow", text: "Watch the frontend, across restarts" },
    { command: "logs vllm VllmDecodeWorker --previous", text: "What a crashed worker said" },
    { command: "logs vllm --since 10m --grep 'error|warn'", text: "Trouble of ten minutes" },
  ],
  async run(ctx, { options, args }) {
    if (options.follow && options.previous) {
      throw usageError(
        "USAGE",
        "logs: --follow and --previous contradict each other",
        "A container that has ended says nothing more.",
      );
    }
    const chosen = {
      component: args[1],
      follow: options.follow,
      previous: options.previous,
      ...(options.tail === undefined ? {} : { tailLines: options.tail }),
      ...(options.since === undefined ? {} : { sinceSeconds: parseSince(options.since) }),
      ...(options.grep === undefined ? {} : { grep: parseGrep(options.grep) }),
    };
    await using session = await openGraphs(ctx, options);
    const graph = pickGraph(await session.list(), args[0]);
    const color = ctx.ui.colorData === true;
    await streamLogs(ctx, session.kube, graph, chosen, ({ component, pod, line, time }) => {
      const stamp = options.timestamps && time !== undefined ? { time } : {};
      if (options.output === "json") {
        return ctx.ui.out(JSON.stringify({ component, pod, line, ...stamp }));
      }
      const words = [
        ...(args[1] === undefined ? [color ? tagged(pod, pod) : pod] : []),
        ...(stamp.time === undefined ? [] : [stamp.time]),
        line,
      ];
      ctx.ui.out(words.join(" "));
    });
  },
});

if (import.meta.main) await runTask(command);
