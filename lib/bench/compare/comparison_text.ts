/**
 * A comparison as text for a terminal.
 *
 * @module
 */
import { wrap } from "../../cli/text.ts";
import type { Comparison, MetricComparison } from "./comparison.ts";
import { METRICS } from "./metrics.ts";

/** A table of the measures and the verdict, in at most `width` columns. */
export function comparisonToText(comparison: Comparison, width: number): string {
  const { metrics, blocks, design, confidence } = comparison;
  const how = design === "interleaved"
    ? `${blocks} pairs of blocks, ABBA`
    : `${blocks} parts of each run; a drift between the runs counts as a difference`;
  return [
    ...wrap(`A  ${comparison.a}`, width, "   "),
    ...wrap(`B  ${comparison.b}`, width, "   "),
    ...wrap(`${how}; intervals of ${confidence * 100} %`, width),
    "",
    ...table([
      ["", "A", "B", "B − A", "INTERVAL", ""],
      ...metrics.map(row),
    ]),
    ...verdict(comparison, width),
  ].join("\n");
}

function row(metric: MetricComparison): string[] {
  const { title, unit } = METRICS.find((one) => one.id === metric.metric)!;
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
  const { max_regression: max, regressions } = comparison;
  if (max !== null) {
    const titles = regressions.map((id) => METRICS.find((one) => one.id === id)!.title);
    lines.push(
      "",
      ...wrap(
        regressions.length === 0
          ? `No regression above ${percent(max)} was found.`
          : `REGRESSION above ${percent(max)}: ${titles.join(", ")}.`,
        width,
      ),
    );
  }
  return lines;
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
