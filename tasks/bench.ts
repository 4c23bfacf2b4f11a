/**
 * `deno task bench`: measure a deployed graph, or any OpenAI-compatible endpoint.
 *
 * @module
 */
import { runBench } from "../lib/bench/bench.ts";
import { writeReport } from "../lib/bench/report/write_report.ts";
import { openResults } from "../lib/bench/results.ts";
import { isStagesFile, parseStages, parseStagesFile, type Stage } from "../lib/bench/stages.ts";
import { summaryToText } from "../lib/bench/summary_text.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, messageOf, usageError } from "../lib/cli/errors.ts";
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
    model: {
      kind: "text",
      short: "m",
      placeholder: "name",
      description: "Model to ask; the served one when left out",
    },
    concurrency: {
      kind: "integer",
      short: "c",
      min: 1,
      description: "Requests in flight (default 8)",
    },
    rate: {
      kind: "number",
      min: 0.001,
      placeholder: "rate",
      description: "Requests a second instead of a fixed number in flight",
    },
    arrival: {
      kind: "text",
      choices: ["constant", "poisson", "gamma"],
      placeholder: "how",
      description: "How requests of a rate are spaced: constant, poisson (default) or gamma",
    },
    burstiness: {
      kind: "number",
      min: 0.01,
      max: 1000,
      placeholder: "shape",
      description: "Shape of gamma arrivals: below 1 bursts, above 1 more even than poisson",
    },
    stages: {
      kind: "text",
      placeholder: "stages",
      description: "Rates that change: 30s@10,60s@10-50 (a ramp), or a YAML file",
    },
    requests: { kind: "integer", short: "r", min: 1, description: "Requests to measure" },
    duration: {
      kind: "number",
      short: "d",
      min: 0.1,
      placeholder: "seconds",
      description: "Measure for this long",
    },
    inputTokens: {
      kind: "integer",
      min: 1,
      placeholder: "tokens",
      description: "Tokens of a prompt (default 128)",
    },
    outputTokens: {
      kind: "integer",
      min: 1,
      placeholder: "tokens",
      description: "Tokens of an answer (default 64)",
    },
    warmup: { kind: "integer", min: 0, description: "Requests before the clock starts" },
    grace: {
      kind: "number",
      min: 0,
      placeholder: "seconds",
      description: "Time for requests to end after the last one was due (default 30)",
    },
    seed: {
      kind: "integer",
      min: 0,
      placeholder: "number",
      description: "Same prompts and arrivals each time",
    },
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
    const stages = await readStages(ctx, options.stages);
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
          url: endpoint.url,
          model: options.model,
          concurrency: options.concurrency,
          rate: options.rate,
          arrival: options.arrival,
          burstiness: options.burstiness,
          stages,
          graceMs: options.grace === undefined ? undefined : options.grace * 1000,
          requests: options.requests,
          durationMs: options.duration === undefined ? undefined : options.duration * 1000,
          inputTokens: options.inputTokens,
          outputTokens: options.outputTokens,
          warmup: options.warmup,
          seed: options.seed,
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

async function readStages(ctx: Context, value: string | undefined): Promise<Stage[] | undefined> {
  if (value === undefined) return undefined;
  if (!isStagesFile(value)) return parseStages(value);
  let text: string;
  try {
    text = await ctx.fs.readTextFile(value);
  } catch (error) {
    throw usageError("BENCH_OPTIONS", `Cannot read --stages ${value}: ${messageOf(error)}`);
  }
  return parseStagesFile(text, value);
}

/** `.dynamo/bench/<UTC time>-<name>`: sorts by time. */
function runFolder(ctx: Context, name: string): string {
  const time = new Date(ctx.clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${ctx.home}/bench/${time}-${name}`;
}

if (import.meta.main) await runTask(command);
