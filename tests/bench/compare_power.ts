/**
 * `deno task bench:power`: how often a comparison raises a false alarm, and how often it finds a
 * true slow-down, against mock servers whose delays are known.
 *
 * @module
 */
import { runBench } from "../../lib/bench/bench.ts";
import { compareBlocks, type Comparison } from "../../lib/bench/compare/comparison.ts";
import { runInterleaved } from "../../lib/bench/compare/interleave.ts";
import { blockOfSummary } from "../../lib/bench/compare/metrics.ts";
import { wilsonInterval } from "../../lib/bench/compare/student.ts";
import { startMock } from "../../lib/bench/mock.ts";
import { defineCommand } from "../../lib/cli/command.ts";
import type { Context } from "../../lib/cli/context.ts";
import { EXIT, messageOf, usageError } from "../../lib/cli/errors.ts";
import { runTask } from "../../lib/cli/main.ts";

const TTFT_MS = 50;
const ITL_MS = 10;
/** A gate between no change and the true slow-down. */
const GATE = 0.02;

const STAGGER_MS = 730;

/** One comparison of known servers. */
export interface PowerRound {
  /** B's delays over A's. */
  readonly factor: number;
  /** Its number among those of the same factor. */
  readonly round: number;
  /** Gated measures that were found to differ. */
  readonly found: readonly string[];
  /** Those that failed a gate of 2 %. */
  readonly regressions: readonly string[];
  /** Changes that were measured, by measure. */
  readonly changes: Readonly<Record<string, number>>;
}

/** A share of rounds with its 95 % interval (Wilson). */
export interface Rate {
  /** Rounds in which it happened. */
  readonly count: number;
  /** Rounds. */
  readonly of: number;
  /** count / of. */
  readonly share: number;
  /** Lower end of the interval. */
  readonly low: number;
  /** Upper end of the interval. */
  readonly high: number;
}

/** What many rounds come to. */
export interface Power {
  /** Same delays, and a difference was found. */
  readonly false_alarms: Rate;
  /** Same delays, and the gate of 2 % failed. */
  readonly gate_false_alarms: Rate;
  /** Slower, and found to be worse. */
  readonly found: Rate;
  /** Slower, and the gate of 2 % failed. */
  readonly gate_found: Rate;
}

/** How rounds are measured. */
export interface PowerOptions {
  /** B's delays over A's in the rounds that should be found. */
  readonly factor: number;
  /** Comparisons of each sort. */
  readonly rounds: number;
  /** Pairs of blocks of a comparison. */
  readonly pairs: number;
  /** Comparisons that run at a time. */
  readonly jobs: number;
  /** Requests of a block. */
  readonly requests: number;
}

/**
 * Measures the rounds that are not among `known`, in no order, until all are done or `until` (on
 * the monotonic clock) has come.
 */
export async function measurePower(
  ctx: Context,
  options: PowerOptions,
  known: readonly PowerRound[],
  onRound: (round: PowerRound) => void | Promise<void>,
  until: number = Infinity,
): Promise<void> {
  const { factor, rounds } = options;
  // A pair of its own for each sort: a server asked by both would be busier than its partner.
  await using sameA = await startMock({ ttftMs: TTFT_MS, itlMs: ITL_MS });
  await using sameB = await startMock({ ttftMs: TTFT_MS, itlMs: ITL_MS });
  await using slowA = await startMock({ ttftMs: TTFT_MS, itlMs: ITL_MS });
  await using slowB = await startMock({ ttftMs: TTFT_MS * factor, itlMs: ITL_MS * factor });
  const has = (f: number, round: number) =>
    known.some((one) => one.factor === f && one.round === round);
  // Both sorts side by side: what the machine does meanwhile is alike for both.
  const waiting = Array.from({ length: rounds }, (_, round) => round)
    .flatMap((round) => [1, factor].map((f) => ({ factor: f, round })))
    .filter((one) => !has(one.factor, one.round));
  const work = async (_: unknown, job: number) => {
    // Comparisons in step would have the same noise.
    await ctx.clock.sleep(STAGGER_MS * job, ctx.signal).catch(() => {});
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (ctx.signal.aborted || ctx.clock.monotonic() > until) return;
      const urls = next.factor === 1
        ? { a: sameA.url, b: sameB.url }
        : { a: slowA.url, b: slowB.url };
      await onRound({ ...next, ...await compare(ctx, urls, next.round, options) });
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  ctx.signal.throwIfAborted();
}

async function compare(
  ctx: Context,
  urls: { readonly a: string; readonly b: string },
  round: number,
  { pairs, requests }: PowerOptions,
): Promise<Omit<PowerRound, "factor" | "round">> {
  const blocks = await runInterleaved(pairs, (side, pair) =>
    runBench(ctx, {
      url: urls[side],
      concurrency: 8,
      requests,
      outputTokens: 8,
      seed: round * pairs + pair,
    }));
  const comparison: Comparison = compareBlocks({
    a: "A",
    b: "B",
    blocksA: blocks.a.map(blockOfSummary),
    blocksB: blocks.b.map(blockOfSummary),
    design: "interleaved",
    maxRegression: GATE,
    // Blocks this short are no valid runs of their own.
    invalidReasons: [],
  });
  const gated = comparison.metrics.filter((metric) => metric.gate);
  return {
    found: gated.filter((metric) => metric.verdict !== "no difference found")
      .map((metric) => `${metric.metric} ${metric.verdict}`),
    regressions: comparison.regressions,
    changes: Object.fromEntries(gated.map(({ metric, effect }) => [metric, effect?.change ?? NaN])),
  };
}

/** Sums the rounds up. */
export function powerOf(all: readonly PowerRound[]): Power {
  const same = all.filter((one) => one.factor === 1);
  const slower = all.filter((one) => one.factor !== 1);
  return {
    false_alarms: rate(same, (one) => one.found.length > 0),
    gate_false_alarms: rate(same, (one) => one.regressions.length > 0),
    found: rate(slower, (one) => one.found.some((what) => what.endsWith(" worse"))),
    gate_found: rate(slower, (one) => one.regressions.length > 0),
  };
}

function rate(rounds: readonly PowerRound[], happened: (round: PowerRound) => boolean): Rate {
  const [count, of] = [rounds.filter(happened).length, rounds.length];
  return { count, of, share: of === 0 ? 0 : count / of, ...wilsonInterval(count, of) };
}

const command = defineCommand({
  name: "bench:power",
  summary: "Measure deno task compare itself: false alarms, and true slow-downs found",
  description: "Compares mock servers with the same delays, and with one of them slower, each so " +
    "many times. Exit code 1 when more than 5 % are false alarms, or less than 90 % of the " +
    "slow-downs are found. 100 rounds take about ten minutes.",
  options: {
    rounds: { kind: "integer", min: 1, max: 10_000, default: 100, description: "Rounds" },
    pairs: { kind: "integer", min: 2, max: 100, default: 5, description: "Pairs of blocks" },
    jobs: { kind: "integer", min: 1, max: 32, default: 6, description: "Comparisons at a time" },
    requests: { kind: "integer", min: 8, default: 48, description: "Requests of a block" },
    slower: {
      kind: "number",
      min: 0.1,
      max: 1000,
      default: 5,
      placeholder: "percent",
      description: "By how much B is slower where it is",
    },
    file: {
      kind: "text",
      placeholder: "file",
      description: "Keep the rounds in this file (JSON lines), and go on with those in it",
    },
    seconds: {
      kind: "number",
      min: 1,
      description: "Stop after this long; --file goes on from there",
    },
    output: {
      kind: "text",
      choices: ["text", "json"],
      default: "text",
      placeholder: "form",
      description: "text or json",
    },
  },
  examples: [{ command: "bench:power --rounds 20", text: "A first impression" }],
  async run(ctx, { options }) {
    const { file } = options;
    const all = file === undefined ? [] : await readRounds(ctx, file);
    const until = options.seconds === undefined
      ? Infinity
      : ctx.clock.monotonic() + 1000 * options.seconds;
    const asked: PowerOptions = { ...options, factor: 1 + options.slower / 100 };
    await measurePower(ctx, asked, all, async (round) => {
      all.push(round);
      ctx.ui.info(`${all.length} of ${2 * options.rounds}: ${JSON.stringify(round)}`);
      if (file !== undefined) {
        await ctx.fs.writeTextFile(file, `${JSON.stringify(round)}\n`, { append: true });
      }
    }, until);
    const power = powerOf(all);
    ctx.ui.out(options.output === "json" ? JSON.stringify(power, null, 2) : text(power));
    if (power.found.of < options.rounds) ctx.ui.warn("Not all rounds are done");
    return power.false_alarms.share <= 0.05 && power.found.share >= 0.9 ? EXIT.ok : EXIT.failed;
  },
});

async function readRounds(ctx: Context, file: string): Promise<PowerRound[]> {
  let lines: string;
  try {
    lines = await ctx.fs.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw usageError("POWER_FILE", `Cannot read --file ${file}: ${messageOf(error)}`);
  }
  return lines.split("\n").filter(Boolean).map((line) => JSON.parse(line) as PowerRound);
}

function text(power: Power): string {
  const line = (name: string, { count, of, share, low, high }: Rate) => {
    const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
    return `${name.padEnd(34)} ${count} of ${of}: ${percent(share)} (${percent(low)} to ${
      percent(high)
    })`;
  };
  return [
    line("false alarms", power.false_alarms),
    line("false alarms of a gate of 2 %", power.gate_false_alarms),
    line("slow-downs found", power.found),
    line("slow-downs that fail a gate of 2 %", power.gate_found),
  ].join("\n");
}

if (import.meta.main) await runTask(command);
