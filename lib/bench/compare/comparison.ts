/**
 * The comparison of two sides, block by block: effects, significance, verdict.
 *
 * @module
 */
import {
  chanceWithin,
  CONFIDENCE,
  type Effect,
  effectOnValue,
  pairedEffect,
  significant,
  unpairedEffect,
} from "./effect.ts";
import { type BlockValues, type Metric, type MetricId, METRICS } from "./metrics.ts";

/** Value of `schema` in comparisons. */
export const COMPARISON_SCHEMA = "dynamo-eks/bench-comparison/v1" as const;

/** One measure of both sides. */
export interface MetricComparison {
  /** Name of the measure. */
  readonly metric: MetricId;
  /** Milliseconds or per second. */
  readonly unit: Metric["unit"];
  /** Which direction is good. */
  readonly better: Metric["better"];
  /** Median over A's blocks. */
  readonly a: number;
  /** Median over B's blocks. */
  readonly b: number;
  /** How much larger B is, as a share of A, with its confidence interval; null without enough blocks. */
  readonly effect: Effect | null;
  /** What B is compared with A, where a difference was found. */
  readonly verdict: "better" | "worse" | "no difference found";
  /** Whether it counts for the gate. */
  readonly gate: boolean;
}

/** Result of a comparison. */
export interface Comparison {
  /** Version of this format. */
  readonly schema: typeof COMPARISON_SCHEMA;
  /** Names of the sides. */
  readonly a: string;
  /** Name of the other side. */
  readonly b: string;
  /**
   * `interleaved`: blocks in turn (ABBA); `separate`: parts of two runs; `summary`: parts of B, and
   * of A nothing but its summary.
   */
  readonly design: "interleaved" | "separate" | "summary";
  /** Blocks of each side. */
  readonly blocks: number;
  /** Share of repetitions in which an interval holds the true difference. */
  readonly confidence: number;
  /** The measures. */
  readonly metrics: readonly MetricComparison[];
  /** Largest regression allowed, as a share; null without a gate. */
  readonly max_regression: number | null;
  /** Gated measures that are surely worse than allowed. */
  readonly regressions: readonly MetricId[];
  /** Other gated measures that may be: their interval reaches beyond what is allowed. */
  readonly possible_regressions: readonly MetricId[];
  /** Whether the numbers are about the servers. */
  readonly valid: boolean;
  /** Why not. */
  readonly invalid_reasons: readonly string[];
  /** What a person should know: in what the two runs differ, besides what is compared. */
  readonly warnings: readonly string[];
}

/** What is compared. */
export interface ComparisonInput {
  /** Name of A. */
  readonly a: string;
  /** Name of B. */
  readonly b: string;
  /** A's blocks, in the order in which they ran. */
  readonly blocksA: readonly BlockValues[];
  /** B's blocks; pairs with A's by place when interleaved. */
  readonly blocksB: readonly BlockValues[];
  /** How they were made. */
  readonly design: Comparison["design"];
  /** Largest regression allowed, as a share; undefined without a gate. */
  readonly maxRegression: number | undefined;
  /** Why the blocks do not count. */
  readonly invalidReasons: readonly string[];
  /** What a person should know; nothing unless given. */
  readonly warnings?: readonly string[] | undefined;
}

const EFFECTS = {
  interleaved: pairedEffect,
  separate: unpairedEffect,
  summary: effectOnValue,
} as const;

/**
 * Compares. A difference is found when its interval excludes zero; over the gated measures
 * together a false alarm happens in at most 5 % of comparisons (Holm). The gate has the same
 * protection: a regression counts when it is beyond the limit, not just beyond zero, at 95 %.
 */
export function compareBlocks(input: ComparisonInput): Comparison {
  const effectOf = EFFECTS[input.design];
  const rows = METRICS.flatMap((metric) => {
    const a = values(input.blocksA, metric.id);
    const b = values(input.blocksB, metric.id);
    // A block without the value would leave its partner alone.
    if (a === undefined || b === undefined) return [];
    return [{ metric, a, b, effect: effectOf(a, b) }];
  });
  const found = new Map<MetricId, boolean>();
  for (const gate of [true, false]) {
    const family = rows.filter((row) => row.metric.gate === gate && row.effect !== undefined);
    const verdicts = significant(family.map((row) => row.effect!.p));
    family.forEach((row, i) => found.set(row.metric.id, verdicts[i]!));
  }
  const metrics = rows.map(({ metric, a, b, effect }): MetricComparison => ({
    metric: metric.id,
    unit: metric.unit,
    better: metric.better,
    a: median(a),
    b: median(b),
    effect: effect ?? null,
    verdict: effect === undefined || found.get(metric.id) !== true
      ? "no difference found"
      : worsening(metric.better, effect.change) > 0
      ? "worse"
      : "better",
    gate: metric.gate,
  }));
  const { maxRegression } = input;
  return {
    schema: COMPARISON_SCHEMA,
    a: input.a,
    b: input.b,
    design: input.design,
    blocks: input.design === "summary"
      ? input.blocksB.length
      : Math.min(input.blocksA.length, input.blocksB.length),
    confidence: CONFIDENCE,
    metrics,
    max_regression: maxRegression ?? null,
    ...gate(metrics, maxRegression),
    valid: input.invalidReasons.length === 0,
    invalid_reasons: input.invalidReasons,
    warnings: input.warnings ?? [],
  };
}

function gate(
  metrics: readonly MetricComparison[],
  limit: number | undefined,
): Pick<Comparison, "regressions" | "possible_regressions"> {
  const gated = metrics.filter((row) => row.gate && row.effect !== null);
  if (limit === undefined) return { regressions: [], possible_regressions: [] };
  const surely = significant(gated.map((row) => chanceWithin(row.effect!, row.better, limit)));
  const worst = ({ effect, better }: MetricComparison) =>
    worsening(better, better === "lower" ? effect!.high : effect!.low);
  return {
    regressions: gated.filter((_, i) => surely[i]).map((row) => row.metric),
    possible_regressions: gated.filter((row, i) => !surely[i] && worst(row) > limit)
      .map((row) => row.metric),
  };
}

/** By which share B is worse than A: positive is worse. Half the throughput is 100 % worse. */
function worsening(better: Metric["better"], change: number): number {
  return better === "lower" ? change : 1 / (1 + change) - 1;
}

function values(blocks: readonly BlockValues[], id: MetricId): number[] | undefined {
  const all = blocks.map((block) => block[id]);
  return all.length > 0 && all.every((value) => value !== undefined) ? all : undefined;
}

function median(list: readonly number[]): number {
  const sorted = list.toSorted((x, y) => x - y);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
