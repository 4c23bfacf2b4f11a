/**
 * `deno task bench`: measure a deployed graph, or any OpenAI-compatible endpoint.
 *
 * @module
 */
import { runBench } from "../lib/bench/bench.ts";
import { BENCH_FLAGS, benchOptions } from "../lib/bench/flags.ts";
import { writeReport } from "../lib/bench/report/write_report.ts";
import { openResults } from "../lib/bench/results.ts";
import { summaryToText } from "../lib/bench/summary_text.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { openBenchEndpoint } from "../lib/deploy/bench_endpoint.ts";
import { showProgress } from "../lib/deploy/bench_progress.ts";

/** The task. */
export const command = defineCommand({
  name: "bench",
  summary: "Measure a deployed graph: TTFT, ITL, latency percentiles, throughput",
  description: "Exit code 1 when the numbers do not count, with the reason: the client was the " +
    "limit, the window was too short, tokens were guessed, or requests failed to get through.",
  args: [{ name: "graph", description: "Name of the graph; the only one when left out" }],
  options: {
    ...commonOptions,
    url: {
      kind: "text",
      placeholder: "url",
      description: "Measure this endpoint; no cluster needed",
    },
    ...BENCH_FLAGS,
  },
  examples: [
    { command: "bench vllm", text: "8 in flight, 100 requests" },
    { command: "bench vllm --concurrency 32 --duration 60", text: "32 in flight for a minute" },
    {
      command: "bench vllm --rate 20 --duration 30 --output json",
      text: "20 requests a second, as data",
    },
    {
      command: "bench vllm --stages 30s@5,60s@5-50 --burstiness 0.5",
      text: "A ramp, in bursts",
    },
    { command: "bench --url http://127.0.0.1:8000", text: "Any OpenAI-compatible endpoint" },
  ],
  async run(ctx, { options, args }) {
    const asked = await benchOptions(ctx, options);
    await using endpoint = await openBenchEndpoint(ctx, {
      graph: args[0],
      url: options.url,
      choice: options,
      dryRun: options.dryRun,
    });
    if (options.dryRun) {
      ctx.ui.out(`Would measure ${endpoint.title}`);
      return EXIT.ok;
    }
    const progress = showProgress(ctx, `Measure ${endpoint.title}`);
    const results = await openResults(ctx, runFolder(ctx, endpoint.name));
    try {
      const summary = await progress.during((onProgress) =>
        runBench(ctx, {
          ...asked,
          url: endpoint.url,
          onProgress,
          onRequests: results.onRequests,
        })
      );
      const files = await results.finish(summary);
      const report = await writeReport(ctx, files, endpoint.title, summary);
      ctx.ui.out(
        options.output === "json"
          ? JSON.stringify(summary, null, 2)
          : summaryToText(summary, ctx.ui.width),
      );
      ctx.ui.info(`Results: ${files.folder}`);
      ctx.ui.info(`Report:  ${report.html}`);
      return summary.valid ? EXIT.ok : EXIT.failed;
    } finally {
      await results.close();
    }
  },
});

/** `.dynamo/bench/<UTC time>-<name>`: sorts by time. */
function runFolder(ctx: Context, name: string): string {
  const time = new Date(ctx.clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${ctx.home}/bench/${time}-${name}`;
}

if (import.meta.main) await runTask(command);
