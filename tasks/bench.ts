/**
 * `deno task bench`: measure a deployed graph, or any OpenAI-compatible endpoint.
 *
 * @module
 */
import { BENCH_FLAGS, benchOptions } from "../lib/bench/flags.ts";
import { inClusterOf, JOB_FLAGS } from "../lib/bench/job/flags.ts";
import { tunnelText } from "../lib/bench/job/tunnel.ts";
import type { BenchOptions } from "../lib/bench/options.ts";
import { compareWithBaseline } from "../lib/bench/compare/baseline.ts";
import type { Comparison } from "../lib/bench/compare/comparison.ts";
import { comparisonSection } from "../lib/bench/compare/comparison_html.ts";
import { comparisonToText } from "../lib/bench/compare/comparison_text.ts";
import { BASELINE_FLAGS, type BaselinePlan, baselinePlan } from "../lib/bench/compare/flags.ts";
import type { RequestRecord } from "../lib/bench/record.ts";
import { type ReportFiles, writeReport } from "../lib/bench/report/write_report.ts";
import { openResults } from "../lib/bench/results.ts";
import { curveHtml, curveToText } from "../lib/bench/search/curve.ts";
import { curveCsv } from "../lib/bench/search/curve_csv.ts";
import { SEARCH_FLAGS, type SearchPlan, searchPlan } from "../lib/bench/search/flags.ts";
import { runCurve } from "../lib/bench/search/run_curve.ts";
import {
  attainmentOf,
  goodputOf,
  goodputText,
  isGood,
  type Slo,
  tokensOfGood,
} from "../lib/bench/search/slo.ts";
import { SERVER_FLAGS } from "../lib/bench/server/flags.ts";
import type { BenchSummary } from "../lib/bench/summary.ts";
import { summaryToText } from "../lib/bench/summary_text.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, type ExitCode } from "../lib/cli/errors.ts";
import { writeFileAtomic } from "../lib/cli/files.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { type BenchEndpoint, openBenchEndpoint } from "../lib/deploy/bench_endpoint.ts";
import { showProgress } from "../lib/deploy/bench_progress.ts";
import { type BenchSurroundings, benchSurroundings } from "../lib/deploy/bench_surroundings.ts";

/** The task. */
export const command = defineCommand({
  name: "bench",
  summary: "Measure a deployed graph: TTFT, ITL, latency percentiles, throughput",
  description: "Exit code 1 when the numbers do not count, with the reason: the client was the " +
    "limit, the window was too short, tokens were guessed, or requests failed to get through; " +
    "and with --max-regression when the run is surely worse than its baseline.",
  args: [{ name: "graph", description: "Name of the graph; the only one when left out" }],
  options: {
    ...commonOptions,
    url: {
      kind: "text",
      placeholder: "url",
      description: "Measure this endpoint; no cluster needed",
    },
    ...BENCH_FLAGS,
    ...SEARCH_FLAGS,
    ...SERVER_FLAGS,
    ...BASELINE_FLAGS,
    ...JOB_FLAGS,
  },
  examples: [
    { command: "bench vllm", text: "8 in flight, 100 requests" },
    { command: "bench vllm -c 32 -d 60", text: "32, for a minute" },
    { command: "bench vllm --rate 20 -d 30", text: "20 requests a second" },
    { command: "bench vllm --stages 30s@5,60s@5-50", text: "A ramp" },
    { command: "bench vllm --sweep 1-64 -d 20", text: "Latency–throughput curve" },
    { command: "bench vllm --slo ttft=300ms --find rate", text: "Highest rate within it" },
    { command: "bench vllm --in-cluster", text: "From a pod beside it" },
    { command: "bench --url http://127.0.0.1:8000", text: "Any other endpoint" },
    { command: "bench vllm --baseline before", text: "Against an earlier run" },
  ],
  async run(ctx, { options, args }) {
    const asked = await benchOptions(ctx, options);
    const plan = searchPlan(options, options.rate);
    const baseline = await baselinePlan(ctx, options, plan.kind, {
      ...asked,
      url: options.url ?? "http://127.0.0.1",
    });
    const inCluster = inClusterOf(options, plan.kind === "one" ? "one" : "several");
    await using endpoint = await openBenchEndpoint(ctx, {
      graph: args[0],
      url: options.url,
      choice: options,
      inCluster,
      dryRun: options.dryRun,
    });
    if (options.dryRun) {
      ctx.ui.out(`Would measure ${endpoint.title}`);
      return EXIT.ok;
    }
    await using around = await benchSurroundings(ctx, { ...options, endpoint, asked });
    const folder = runFolder(ctx, endpoint.name);
    const json = options.output === "json";
    if (plan.kind !== "one") {
      return await several(ctx, { endpoint, around }, plan, asked, { folder, json });
    }
    let good = 0;
    const { slo } = plan;
    const { summary, report, comparison } = await measure(
      ctx,
      { endpoint, around },
      asked,
      folder,
      {
        title: `Measure ${endpoint.title}`,
        slo,
        baseline,
        onRequests: (records) => {
          if (slo !== undefined) good += records.filter((record) => isGood(record, slo)).length;
        },
      },
    );
    const goodput = slo === undefined
      ? undefined
      : goodputOf(slo, attainmentOf(good, summary.requests.scheduled), summary.wall_s);
    ctx.ui.out(
      json
        ? JSON.stringify(
          { ...summary, goodput: goodput ?? null, baseline: comparison ?? null },
          null,
          2,
        )
        : [
          summaryToText(summary, ctx.ui.width),
          ...(goodput === undefined ? [] : [goodputText(goodput)]),
          ...(summary.tunnel === undefined ? [] : [tunnelText(summary.tunnel)]),
          ...(comparison === undefined ? [] : ["", comparisonToText(comparison, ctx.ui.width)]),
        ].join("\n"),
    );
    ctx.ui.info(`Results: ${folder}`);
    ctx.ui.info(`Report:  ${report.html}`);
    const worse = comparison !== undefined &&
      (!comparison.valid || comparison.regressions.length > 0);
    return summary.valid && !worse ? EXIT.ok : EXIT.failed;
  },
});

/** Length of one of several loads unless the flags say another. */
const LOAD_MS = 10_000;

/** What is measured, and what belongs to it. */
interface Subject {
  readonly endpoint: BenchEndpoint;
  readonly around: BenchSurroundings;
}

interface Measuring {
  readonly title: string;
  readonly slo: Slo | undefined;
  readonly baseline?: BaselinePlan | undefined;
  readonly onRequests: (records: readonly RequestRecord[]) => void;
}

interface Measurement {
  readonly summary: BenchSummary;
  readonly report: ReportFiles;
  /** With the baseline, where there is one. */
  readonly comparison: Comparison | undefined;
}

async function measure(
  ctx: Context,
  { endpoint, around }: Subject,
  asked: Omit<BenchOptions, "url">,
  folder: string,
  { title, slo, baseline, onRequests }: Measuring,
): Promise<Measurement> {
  const progress = showProgress(ctx, title);
  const results = await openResults(ctx, folder);
  const server = around.watch();
  let goodTokens = 0;
  try {
    const measured = await progress.during((onProgress) =>
      endpoint.measure({
        ...asked,
        server,
        onProgress,
        onRequests: (records) => {
          onRequests(records);
          if (slo !== undefined) goodTokens += tokensOfGood(records, slo);
          results.onRequests(records);
        },
      })
    );
    const summary = around.complete(measured, slo === undefined ? undefined : goodTokens);
    const serverPoints = server?.points;
    const files = await results.finish(summary, {
      environment: around.environment,
      serverPoints,
    });
    const comparison = baseline && await compareWithBaseline(ctx, baseline.baseline, summary, {
      folder,
      title: endpoint.title,
      maxRegression: baseline.maxRegression,
    });
    const sections = comparison === undefined ? [] : [comparisonSection(comparison)];
    if (comparison !== undefined) {
      const text = `${JSON.stringify(comparison, null, 2)}\n`;
      await writeFileAtomic(ctx, `${folder}/comparison.json`, text);
    }
    const report = await writeReport(ctx, files, endpoint.title, summary, {
      sections,
      serverPoints,
    });
    return { summary, report, comparison };
  } finally {
    await results.close();
  }
}

async function several(
  ctx: Context,
  subject: Subject,
  plan: SearchPlan,
  asked: Omit<BenchOptions, "url">,
  { folder, json }: { readonly folder: string; readonly json: boolean },
): Promise<ExitCode> {
  const start = plan.axis === "rate" ? asked.rate ?? 1 : asked.concurrency ?? 1;
  const unit = plan.axis === "rate" ? "requests/s" : "in flight";
  // A number of requests would make high loads short: a time is the same for all of them.
  const extent = asked.requests === undefined && asked.durationMs === undefined
    ? { durationMs: LOAD_MS }
    : {};
  const curve = await runCurve(plan, start, async (load, onRequests) => {
    const title = `${Number(load.toFixed(3))} ${unit}`;
    const options = {
      ...asked,
      ...extent,
      concurrency: undefined,
      rate: undefined,
      [plan.axis]: load,
    };
    const { summary } = await measure(ctx, subject, options, `${folder}/${plan.axis}-${load}`, {
      title,
      slo: plan.slo,
      onRequests,
    });
    return summary;
  });
  await writeFileAtomic(ctx, `${folder}/curve.json`, `${JSON.stringify(curve, null, 2)}\n`);
  await writeFileAtomic(ctx, `${folder}/curve.csv`, curveCsv(curve));
  await writeFileAtomic(ctx, `${folder}/report.html`, curveHtml(subject.endpoint.title, curve));
  ctx.ui.out(json ? JSON.stringify(curve, null, 2) : curveToText(curve));
  ctx.ui.info(`Results: ${folder}`);
  ctx.ui.info(`Report:  ${folder}/report.html`);
  return curve.valid && (curve.slo === null || curve.best !== null) ? EXIT.ok : EXIT.failed;
}

/** `.dynamo/bench/<UTC time>-<name>`: sorts by time. */
function runFolder(ctx: Context, name: string): string {
  const time = new Date(ctx.clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${ctx.home}/bench/${time}-${name}`;
}

if (import.meta.main) await runTask(command);
