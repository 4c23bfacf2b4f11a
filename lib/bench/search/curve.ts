/**
 * Several loads of one endpoint: as data, as a table, and as a page with the latency–throughput
 * curve.
 *
 * @module
 */
import { costBasis, usd } from "../cost.ts";
import { escapeHtml, lineChart } from "../report/charts.ts";
import { page } from "../report/html.ts";
import { table } from "../report/table.ts";
import type { BenchSummary } from "../summary.ts";
import { type Attainment, type Slo, sloText } from "./slo.ts";

/** Value of `schema` in curves. */
export const CURVE_SCHEMA = "dynamo-eks/bench-curve/v1" as const;

/** One load. */
export interface CurvePoint {
  /** Requests in flight or requests a second. */
  readonly load: number;
  /** What was measured. */
  readonly summary: BenchSummary;
  /** Good requests; null without service levels. */
  readonly attainment: Attainment | null;
}

/** All loads of a sweep or a search. */
export interface Curve {
  /** Version of this format. */
  readonly schema: typeof CURVE_SCHEMA;
  /** What `load` is. */
  readonly axis: "concurrency" | "rate";
  /** Service levels; null without. */
  readonly slo: Slo | null;
  /** Share of requests that has to be good; null without service levels. */
  readonly target: number | null;
  /** The points, in the order in which they were measured. */
  readonly points: readonly CurvePoint[];
  /** Highest load that keeps the levels, on the lower end of its interval; null when none does. */
  readonly best: number | null;
  /** Whether every point's numbers are about the server. */
  readonly valid: boolean;
}

/** Makes a curve of points; `best` is found among them. */
export function curveOf(
  input: Pick<Curve, "axis" | "slo" | "target" | "points">,
): Curve {
  const { target } = input;
  const keeping = target === null
    ? []
    : input.points.filter((point) => (point.attainment?.low ?? 0) >= target);
  return {
    schema: CURVE_SCHEMA,
    ...input,
    best: keeping.length === 0 ? null : Math.max(...keeping.map((point) => point.load)),
    valid: input.points.every((point) => point.summary.valid),
  };
}

/** A table, one line a load, and the answer. */
export function curveToText(curve: Curve): string {
  const rows = tableRows(curve);
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  const lines = rows.map((cells) =>
    cells.map((cell, i) => cell.padStart(widths[i]!)).join("  ").trimEnd()
  );
  return [...lines, "", answer(curve), ...costNotes(curve.points)].join("\n");
}

/** The answer in a sentence. */
export function answer({ axis, slo, target, best, points, valid }: Curve): string {
  const unit = axis === "rate" ? "requests/s" : "requests in flight";
  const doubt = valid ? "" : " Some loads are INVALID, see each one's reasons.";
  if (slo === null || target === null) return `${points.length} loads.${doubt}`;
  const levels = `${sloText(slo)} for ${(target * 100).toFixed(1)} % of requests`;
  return (best === null
    ? `No load that was tried keeps ${levels}.`
    : `Up to ${number(best)} ${unit} keep ${levels}, at 95 % confidence.`) + doubt;
}

/** One page: the curve, and a table. */
export function curveHtml(title: string, curve: Curve): string {
  const sorted = curve.points.toSorted((a, b) => a.load - b.load);
  const series = (
    name: string,
    css: string,
    y: (summary: BenchSummary) => number | undefined,
  ) => ({
    name,
    css,
    marks: true,
    points: sorted.map(({ summary }) => ({ x: tokensPerSecond(summary), y: y(summary) })),
  });
  const x = "output tokens a second";
  // What is said of a load's figures stands in the first column, which narrow screens show.
  const [head, ...rows] = tableRows({ ...curve, points: sorted }).map((cells) => [
    `${cells[0]} ${cells.at(-1)}`.trim(),
    ...cells.slice(1, -1),
  ]);
  return page(`Benchmark: ${title}`, [
    `<header>${heading(title, curve)}</header>`,
    `<section class="charts">` +
    lineChart({ title: "Time to first token against throughput", x, y: "milliseconds" }, [
      series("p50", "s1", (one) => one.ttft_ms?.p50),
      series("p99", "s2", (one) => one.ttft_ms?.p99),
    ]) +
    lineChart({ title: "Time per output token against throughput", x, y: "milliseconds" }, [
      series("p50", "s1", (one) => one.tpot_ms?.p50),
      series("p99", "s2", (one) => one.tpot_ms?.p99),
    ]) +
    `</section>`,
    table("Loads", head!, rows),
  ]);
}

function heading(title: string, curve: Curve): string {
  const lines = [answer(curve), ...costNotes(curve.points)];
  return `<h1>${escapeHtml(title)}</h1>${
    lines.map((line) => `<p>${escapeHtml(line)}</p>`).join("")
  }`;
}

function tableRows({ axis, slo, points }: Curve): string[][] {
  const head = [
    axis === "rate" ? "RATE/s" : "IN FLIGHT",
    "TOKENS/s",
    "REQUESTS/s",
    "TTFT p50",
    "TTFT p99",
    "TPOT p50",
    "TPOT p99",
    "FAILED",
    ...(hasCost(points) ? ["USD/M"] : []),
    ...(slo === null ? [] : ["GOOD", "AT LEAST"]),
    "",
  ];
  return [
    head,
    ...points.map(({ load, summary, attainment }) => [
      number(load),
      number(tokensPerSecond(summary)),
      number(summary.requests_per_second),
      number(summary.ttft_ms?.p50),
      number(summary.ttft_ms?.p99),
      number(summary.tpot_ms?.p50),
      number(summary.tpot_ms?.p99),
      String(summary.errors.total),
      ...(hasCost(points) ? [usdPerMillion(summary)] : []),
      ...(slo === null ? [] : [percent(attainment?.share), percent(attainment?.low)]),
      summary.valid ? "" : "INVALID",
    ]),
  ];
}

/** Output tokens a second: over the steady window, or else over all. */
export function tokensPerSecond(summary: BenchSummary): number {
  return summary.output_tokens_per_second ?? summary.output_tokens_per_second_wall;
}

function number(value: number | undefined): string {
  if (value === undefined) return "–";
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 2 : 0);
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
}

function hasCost(points: readonly CurvePoint[]): boolean {
  return points.some(({ summary }) => summary.cost !== null);
}

/** What the column of costs means; nothing without one. The price is that of all loads. */
function costNotes(points: readonly CurvePoint[]): string[] {
  const cost = points.find(({ summary }) => summary.cost !== null)?.summary.cost;
  if (cost === null || cost === undefined) return [];
  const [basis, ...notes] = costBasis(cost);
  return [`USD/M: USD a million output tokens, at ${basis}`, ...notes];
}

function usdPerMillion({ cost }: BenchSummary): string {
  const each = cost?.usd_per_million_output_tokens ?? null;
  return each === null ? "–" : usd(each);
}
