/**
 * A comparison as a part of a page, and as a page of its own.
 *
 * @module
 */
import { escapeHtml } from "../report/charts.ts";
import { page } from "../report/html.ts";
import { table } from "../report/table.ts";
import type { Comparison, MetricComparison } from "./comparison.ts";
import { comparisonRows, designText, gateText } from "./comparison_text.ts";
import { metricOf } from "./metrics.ts";

const WIDTH = 640;
const ROW = 34;
// Names have to fit in the letters of narrow screens.
const PAD = { left: 160, right: 20, top: 8, bottom: 36 };

/** A page of its own. */
export function comparisonHtml(comparison: Comparison): string {
  const { a, b } = comparison;
  return page(`Comparison: ${a} and ${b}`, [
    `<header><h1>${escapeHtml(`${b} against ${a}`)}</h1><p>${
      escapeHtml(designText(comparison))
    }</p></header>`,
    comparisonSection(comparison),
  ]);
}

/** Verdict, intervals as a chart, and the table. */
export function comparisonSection(comparison: Comparison): string {
  const { a, b, regressions, invalid_reasons: invalid, warnings } = comparison;
  const list = (lines: readonly string[]) =>
    `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;
  const gate = gateText(comparison);
  const [head, ...rows] = comparisonRows(comparison);
  return [
    invalid.length === 0
      ? ""
      : `<div class="note bad"><strong>INVALID: the comparison is not about the servers.</strong>${
        list(invalid)
      }</div>`,
    gate === ""
      ? ""
      : `<div class="note${regressions.length > 0 ? " bad" : ""}">${escapeHtml(gate)}</div>`,
    warnings.length === 0
      ? ""
      : `<div class="note"><strong>Good to know</strong>${list(warnings)}</div>`,
    `<section class="charts">${intervals(comparison)}</section>`,
    table(`A: ${a} — B: ${b}`, head!, rows),
  ].join("\n");
}

function intervals({ metrics, confidence, max_regression: limit }: Comparison): string {
  const rows = metrics.filter((row) => row.effect !== null);
  if (rows.length === 0) return "";
  const title = `How much larger B is, with intervals of ${100 * confidence} %`;
  const reach = 1.1 * Math.max(
    0.01,
    limit ?? 0,
    ...rows.flatMap(({ effect }) => [Math.abs(effect!.low), Math.abs(effect!.high)]),
  );
  const x = (change: number) =>
    (PAD.left + (WIDTH - PAD.left - PAD.right) * (change + reach) / (2 * reach)).toFixed(1);
  const bottom = PAD.top + ROW * rows.length;
  const step = niceStep(reach);
  const marks = [-2, -1, 0, 1, 2].map((n) => n * step).filter((change) => Math.abs(change) < reach);
  const axis = marks.map((change) =>
    `<line class="grid" x1="${x(change)}" y1="${PAD.top}" x2="${x(change)}" y2="${bottom}"/>` +
    `<text class="tick" x="${x(change)}" y="${bottom + 16}" text-anchor="middle">${
      change > 0 ? "+" : ""
    }${Number((100 * change).toFixed(3))} %</text>`
  ).join("");
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${bottom + PAD.bottom}" role="img" aria-label="${
      escapeHtml(title)
    }">${axis}${
      rows.map((row, i) => bar(row, PAD.top + ROW * (i + 0.5), x)).join("")
    }</svg></figure>`;
}

function bar(row: MetricComparison, y: number, x: (change: number) => string): string {
  const { change, low, high } = row.effect!;
  const css = row.verdict === "worse" ? "s3" : row.verdict === "better" ? "s1" : "s0";
  return `<text class="tick" x="${PAD.left - 10}" y="${y + 4}" text-anchor="end">${
    escapeHtml(metricOf(row.metric).title)
  }</text><path class="${css}" d="M${x(low)} ${y}L${x(high)} ${y}"/>` +
    `<circle class="${css}" cx="${x(change)}" cy="${y}" r="4"/>`;
}

// Two steps of 1, 2 or 5 times a power of ten fit on either side of zero.
function niceStep(reach: number): number {
  const power = 10 ** Math.floor(Math.log10(reach / 2));
  return [5, 2, 1].map((factor) => factor * power).find((size) => size <= reach / 2)!;
}
