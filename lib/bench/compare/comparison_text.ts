/**
 * A comparison as text for a terminal.
 *
 * @module
 */
import { wrap } from "../../cli/text.ts";
import type { Comparison, MetricComparison } from "./comparison.ts";
import { type MetricId, metricOf } from "./metrics.ts";

/** A table of the measures and the verdict, in at most `width` columns. */
export function comparisonToText(comparison: Comparison, width: number): string {
  return [
    ...side("A", comparison.a, width),
    ...side("B", comparison.b, width),
    ...wrap(designText(comparison), width),
    "",
    ...table(comparisonRows(comparison)),
    ...verdict(comparison, width),
  ].join("\n");
}

/** How the sides were measured, and what that means for the intervals. */
export function designText({ design, blocks, confidence }: Comparison): string {
  const how = {
    interleaved: `${blocks} pairs of blocks, ABBA`,
    separate: `${blocks} parts of each run; a drift between the runs counts as a difference`,
    summary: `${blocks} parts of B; A is a summary without its requests, whose own spread is ` +
      "unknown: differences look surer than they are",
  }[design];
  return `${how}; intervals of ${confidence * 100} %`;
}

/** The measures as cells; the first row is the heading. */
export function comparisonRows({ metrics }: Comparison): string[][] {
  return [["", "A", "B", "B − A", "INTERVAL", ""], ...metrics.map(row)];
}

function side(letter: string, name: string, width: number): string[] {
  return wrap(name, width, "   ").map((line, i) => i === 0 ? `${letter}  ${line.slice(3)}` : line);
}

function row(metric: MetricComparison): string[] {
  const { title, unit } = metricOf(metric.metric);
  const { effect } = metric;
  return [
    `${title}${metric.gate ? " *" : ""}`,
    `${number(metric.a)} ${unit}`,
    `${number(metric.b)} ${unit}`,
    effect === null ? "?" : percent(effect.change),
    effect === null ? "too few blocks" : `${percent(effect.low)} to ${percent(effect.high)}`,
    metric.verdict === "no difference found" ? "=" : metric.verdict,
  ];
}

function verdict(comparison: Comparison, width: number): string[] {
  const lines = ["", ...wrap("* counts for the gate, --max-regression", width)];
  if (!comparison.valid) {
    lines.push("", "INVALID: these numbers are not about the servers.");
    for (const reason of comparison.invalid_reasons) {
      lines.push(...wrap(`- ${reason}`, width, "  "));
    }
  }
  for (const warning of comparison.warnings) lines.push("", ...wrap(`Warning: ${warning}`, width));
  if (comparison.max_regression !== null) lines.push("", ...wrap(gateText(comparison), width));
  return lines;
}

/** What the gate says, in a sentence or two; empty without a gate. */
export function gateText(comparison: Comparison): string {
  const { max_regression: max, regressions, possible_regressions: possible } = comparison;
  if (max === null) return "";
  const titles = (ids: readonly MetricId[]) => ids.map((id) => metricOf(id).title).join(", ");
  const sentences = [
    regressions.length === 0
      ? `No regression above ${percent(max)} was found.`
      : `REGRESSION above ${percent(max)}: ${titles(regressions)}.`,
  ];
  if (possible.length > 0) {
    sentences.push(`It cannot be ruled out for ${titles(possible)}: measure for longer.`);
  }
  return sentences.join(" ");
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  return rows.map((cells) =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
      .trimEnd()
  );
}

function number(value: number): string {
  return value.toFixed(value < 100 ? 2 : value < 10_000 ? 1 : 0);
}

function percent(share: number): string {
  const text = (share * 100).toFixed(1);
  return `${share > 0 ? "+" : ""}${text === "-0.0" ? "0.0" : text} %`;
}
