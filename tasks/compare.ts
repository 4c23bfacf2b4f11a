/**
 * `deno task compare`: which of two is faster, and how sure that is.
 *
 * @module
 */
import { differenceWarnings } from "../lib/bench/compare/baseline.ts";
import {
  compareBlocks,
  type Comparison,
  type ComparisonInput,
} from "../lib/bench/compare/comparison.ts";
import { comparisonHtml } from "../lib/bench/compare/comparison_html.ts";
import { comparisonToText } from "../lib/bench/compare/comparison_text.ts";
import { isResults, readFinishedRun } from "../lib/bench/compare/from_results.ts";
import { blockReasons, runInterleaved } from "../lib/bench/compare/interleave.ts";
import { blockOfSummary } from "../lib/bench/compare/metrics.ts";
import { readShare } from "../lib/bench/compare/share.ts";
import { BENCH_FLAGS, benchOptions } from "../lib/bench/flags.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, type ExitCode, usageError } from "../lib/cli/errors.ts";
import { writeFileAtomic } from "../lib/cli/files.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, type OptionValues } from "../lib/cli/options.ts";
import { type BenchEndpointOptions, openBenchEndpoint } from "../lib/deploy/bench_endpoint.ts";
import { showProgress } from "../lib/deploy/bench_progress.ts";

const options = {
  ...commonOptions,
  pairs: {
    kind: "integer",
    min: 2,
    max: 1000,
    default: 5,
    description: "Pairs of blocks; more of them find smaller differences",
  },
  ...BENCH_FLAGS,
  modelB: {
    kind: "text",
    placeholder: "name",
    description: "Model of B, where its name is not that of --model",
  },
  maxRegression: {
    kind: "text",
    placeholder: "share",
    description: "Exit code 1 when B is surely worse by more than this, such as 5%",
  },
} as const;

/** Length of a block unless the flags say another. */
const BLOCK_MS = 5000;

type Values = OptionValues<typeof options>;

/** The task. */
export const command = defineCommand({
  name: "compare",
  summary: "Compare two graphs, endpoints or results: differences with confidence intervals",
  description: "Live sides run in turn (ABBA), so that drift hits both alike. Folders of " +
    "deno task bench are cut into parts. Exit code 1 with --max-regression when B is worse, and " +
    "when the numbers do not count.",
  args: [
    { name: "a", description: "A graph (or namespace/graph), a URL, or a folder of results" },
    { name: "b", description: "The same kind of thing" },
  ],
  options,
  examples: [
    { command: "compare vllm vllm-router", text: "Two graphs" },
    { command: "compare old/vllm new/vllm", text: "In two namespaces" },
    { command: "compare http://a:8000 http://b:8000", text: "Two endpoints" },
    { command: "compare http://a http://b --model x --model-b y", text: "Of two names" },
    { command: "compare before after --max-regression 5%", text: "Two runs, as a gate" },
  ],
  async run(ctx, { options, args }) {
    const [a, b] = args;
    if (a === undefined || b === undefined) {
      throw usageError("COMPARE_SIDES", "Two sides are needed: deno task compare <a> <b>");
    }
    const maxRegression = readShare("max-regression", options.maxRegression);
    const finished = [await isResults(ctx, a), await isResults(ctx, b)];
    if (finished[0] !== finished[1]) {
      throw usageError(
        "COMPARE_SIDES",
        `${finished[0] ? a : b} is a folder of results, and ${finished[0] ? b : a} is none`,
        "Compare two folders, or two that run.",
      );
    }
    if (options.dryRun) {
      ctx.ui.out(`Would compare ${a} with ${b}`);
      return EXIT.ok;
    }
    const input = finished[0]
      ? await fromResults(ctx, a, b, maxRegression)
      : await live(ctx, a, b, options, maxRegression);
    return await report(ctx, compareBlocks(input), options);
  },
});

async function fromResults(
  ctx: Context,
  a: string,
  b: string,
  maxRegression: number | undefined,
): Promise<ComparisonInput> {
  const [runA, runB] = [await readFinishedRun(ctx, a), await readFinishedRun(ctx, b)];
  return {
    a,
    b,
    blocksA: runA.blocks,
    blocksB: runB.blocks,
    design: "separate",
    maxRegression,
    invalidReasons: [
      ...runA.summary.invalid_reasons.map((reason) => `A: ${reason}`),
      ...runB.summary.invalid_reasons.map((reason) => `B: ${reason}`),
    ],
    warnings: differenceWarnings(runA.summary, runB.summary),
  };
}

async function live(
  ctx: Context,
  a: string,
  b: string,
  options: Values,
  maxRegression: number | undefined,
): Promise<ComparisonInput> {
  // Checked for both before anything is opened. A URL gets the key that is meant for URLs.
  const askedOf = async (side: string, model: string | undefined) =>
    await benchOptions(ctx, { ...options, url: urlOf(side), model });
  const { model, modelB = model } = options;
  const sides = { a: await askedOf(a, model), b: await askedOf(b, modelB) };
  const open = (side: string) =>
    openBenchEndpoint(ctx, { ...placeOf(side, options), dryRun: false });
  await using endpointA = await open(a);
  await using endpointB = await open(b);
  const endpoints = { a: endpointA, b: endpointB };
  const asked = sides.a;
  const extent = asked.requests === undefined && asked.durationMs === undefined
    ? { durationMs: BLOCK_MS }
    : {};
  const blocks = await runInterleaved(options.pairs, (side, pair) => {
    const { measure, title } = endpoints[side];
    const progress = showProgress(
      ctx,
      `${side.toUpperCase()}, block ${pair + 1} of ${options.pairs}: ${title}`,
    );
    return progress.during((onProgress) =>
      measure({
        ...sides[side],
        ...extent,
        // The same work for both sides of a pair, other work in the next one.
        seed: (asked.seed ?? 1) + pair,
        // Once is enough: all blocks run on the same machine.
        calibration: pair === 0 && asked.calibration,
        onProgress,
      })
    );
  });
  return {
    a: endpointA.title,
    b: endpointB.title,
    blocksA: blocks.a.map(blockOfSummary),
    blocksB: blocks.b.map(blockOfSummary),
    design: "interleaved",
    maxRegression,
    invalidReasons: [...blockReasons("A", blocks.a), ...blockReasons("B", blocks.b)],
  };
}

function urlOf(side: string): string | undefined {
  return /^https?:\/\//.test(side) ? side : undefined;
}

/** A URL, a graph, or a graph of another namespace: `namespace/graph`. */
function placeOf(side: string, options: Values): Omit<BenchEndpointOptions, "dryRun"> {
  const url = urlOf(side);
  if (url !== undefined) return { url, graph: undefined, choice: options };
  const [, namespace, graph] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(side) ?? [];
  return namespace === undefined
    ? { url, graph: side, choice: options }
    : { url, graph, choice: { ...options, namespace } };
}

async function report(ctx: Context, comparison: Comparison, options: Values): Promise<ExitCode> {
  const time = new Date(ctx.clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  const folder = `${ctx.home}/bench/${time}-comparison`;
  await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify(comparison, null, 2)}\n`;
  await writeFileAtomic(ctx, `${folder}/comparison.json`, text);
  await writeFileAtomic(ctx, `${folder}/report.html`, comparisonHtml(comparison));
  ctx.ui.out(
    options.output === "json"
      ? JSON.stringify(comparison, null, 2)
      : comparisonToText(comparison, ctx.ui.width),
  );
  ctx.ui.info(`Results: ${folder}`);
  ctx.ui.info(`Report:  ${folder}/report.html`);
  return comparison.valid && comparison.regressions.length === 0 ? EXIT.ok : EXIT.failed;
}

if (import.meta.main) await runTask(command);
