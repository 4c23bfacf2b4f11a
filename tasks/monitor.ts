/**
 * `deno task monitor`: Grafana, Prometheus, or a graph's traffic in the terminal.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import { usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { didYouMean } from "../lib/cli/suggest.ts";
import { openGraphs } from "../lib/deploy/session.ts";
import { forwardMonitoring } from "../lib/monitor/browse.ts";
import { TRAFFIC_HEADING, trafficLines, watchGraph } from "../lib/monitor/graph.ts";

const SUBJECTS = ["grafana", "prometheus", "graph"];
const LINES_A_HEADING = 20;

/** The task. */
export const command = defineCommand({
  name: "monitor",
  summary: "Open Grafana or Prometheus, or watch a graph's traffic in the terminal",
  description: "grafana and prometheus need the observability stack of terraform. graph needs " +
    "nothing: it computes the numbers from two scrapes of the frontends.",
  args: [
    { name: "subject", description: "grafana, prometheus or graph", required: true },
    { name: "graph", description: "With graph: its name; the only one when left out" },
  ],
  options: {
    target: commonOptions.target,
    namespace: commonOptions.namespace,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
    open: { kind: "flag", description: "Show it in the browser" },
    port: {
      kind: "integer",
      min: 1,
      max: 65535,
      placeholder: "port",
      description: "Port on 127.0.0.1; a free one when left out",
    },
    once: { kind: "flag", description: "With graph: one round, then end" },
    interval: {
      kind: "number",
      min: 0.2,
      default: 2,
      placeholder: "seconds",
      description: "With graph: time between scrapes",
    },
  },
  examples: [
    { command: "monitor grafana --open", text: "Dashboards in the browser" },
    { command: "monitor prometheus --port 9090", text: "Prometheus at http://127.0.0.1:9090" },
    { command: "monitor graph vllm", text: "Requests, TTFT, ITL, KV hit rate, line by line" },
    { command: "monitor graph vllm --once --output json", text: "One round, as data" },
  ],
  async run(ctx, { options, args: [subject = "", graph] }) {
    if (!SUBJECTS.includes(subject)) {
      throw usageError(
        "SUBJECT_UNKNOWN",
        `There is no "${subject}" to monitor. ${didYouMean(subject, SUBJECTS)}`.trim(),
        `Subjects: ${SUBJECTS.join(", ")}.`,
      );
    }
    await using session = await openGraphs(ctx, options);
    if (subject === "grafana" || subject === "prometheus") {
      await forwardMonitoring(ctx, session, {
        kind: subject,
        localPort: options.port,
        open: options.open,
        json: options.output === "json",
      });
      return;
    }
    let lines = 0;
    const { interval, once } = options;
    await watchGraph(ctx, session, { graph, interval, once }, (traffic) => {
      if (options.output === "json") return ctx.ui.out(JSON.stringify(traffic));
      for (const line of trafficLines(traffic)) {
        if (lines++ % LINES_A_HEADING === 0) ctx.ui.out(TRAFFIC_HEADING);
        ctx.ui.out(line);
      }
    });
  },
});

if (import.meta.main) await runTask(command);
