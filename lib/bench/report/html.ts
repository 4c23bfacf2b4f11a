/**
 * The report of a run: one HTML file that needs nothing else.
 *
 * @module
 */
import type { Distribution } from "../samples.ts";
import type { BenchSummary } from "../summary.ts";
import type { Aggregate } from "./aggregate.ts";
import type { ServerPoint } from "../server/types.ts";
import { barChart, escapeHtml } from "./charts.ts";
import { costTable, costTile, environmentTable, serverTable } from "./facts.ts";
import { STYLE } from "./style.ts";
import { table } from "./table.ts";
import { timeline } from "./timeline.ts";

/** What else is on the page. */
export interface ReportMore {
  /** Further sections as HTML. */
  readonly sections?: readonly string[] | undefined;
  /** The server along the run. */
  readonly serverPoints?: readonly ServerPoint[] | undefined;
}

/** The page. `title` names what was measured. */
export function reportHtml(
  title: string,
  summary: BenchSummary,
  charts: Aggregate,
  { sections = [], serverPoints = [] }: ReportMore = {},
): string {
  return page(`Benchmark: ${title}`, [
    `<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(subtitle(summary))}</p></header>`,
    verdict(summary),
    tiles(summary),
    ...sections,
    `<section class="charts">${timeline(summary, charts, serverPoints)}</section>`,
    serverTable(summary),
    `<section class="charts">${histograms(charts)}</section>`,
    latencyTable(summary),
    costTable(summary),
    errorTable(summary),
    environmentTable(summary),
    details(summary),
  ]);
}

/** A whole page around its parts. */
export function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${parts.filter((part) => part !== "").join("\n")}
</main>
</body>
</html>
`;
}

function subtitle(summary: BenchSummary): string {
  const { config } = summary;
  const load = config.load === "concurrency"
    ? `${config.concurrency} requests in flight`
    : `${config.stages ?? config.rate} requests/s, ${config.arrival}`;
  return `${config.model} · ${load} · ${summary.started_at.replace("T", " ").slice(0, 19)} UTC`;
}

function verdict(summary: BenchSummary): string {
  const list = (lines: readonly string[]) =>
    `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;
  const invalid = summary.valid
    ? ""
    : `<div class="note bad"><strong>INVALID: these numbers are not about the server.</strong>${
      list(summary.invalid_reasons)
    }</div>`;
  const warnings = summary.warnings.length === 0
    ? ""
    : `<div class="note"><strong>Good to know</strong>${list(summary.warnings)}</div>`;
  return invalid + warnings;
}

function tiles(summary: BenchSummary): string {
  const { errors, requests } = summary;
  const rows: [string, string, string][] = [
    ["TTFT p50", ms(summary.ttft_ms?.p50), `p99 ${ms(summary.ttft_ms?.p99)}`],
    ["TPOT p50", ms(summary.tpot_ms?.p50), `p99 ${ms(summary.tpot_ms?.p99)}`],
    ["end to end p50", ms(summary.e2e_ms?.p50), `p99 ${ms(summary.e2e_ms?.p99)}`],
    [
      "output tokens",
      `${round(summary.output_tokens_per_second ?? summary.output_tokens_per_second_wall)}/s`,
      summary.user_tokens_per_second === null
        ? ""
        : `${round(summary.user_tokens_per_second)}/s a user`,
    ],
    ["requests", `${round(summary.requests_per_second)}/s`, `${requests.completed} ended well`],
    ["failed", String(errors.total), `${(errors.rate * 100).toFixed(2)} %`],
    ...costTile(summary),
  ];
  return `<section class="tiles">${
    rows.map(([name, value, more]) =>
      `<div><span>${escapeHtml(name)}</span><b>${escapeHtml(value)}</b><small>${
        escapeHtml(more)
      }</small></div>`
    ).join("")
  }</section>`;
}

function histograms({ ttft, tpot, e2e }: Aggregate): string {
  const bars = (title: string, data: Aggregate["ttft"]) =>
    barChart({ title, x: "milliseconds", y: "requests" }, data);
  return [
    bars("Time to first token: how often", ttft),
    bars("Time per output token: how often", tpot),
    bars("End to end: how often", e2e),
  ].join("");
}

const COLUMNS = ["mean", "min", "p50", "p90", "p95", "p99", "max"] as const;

function latencyTable(summary: BenchSummary): string {
  const rows: [string, Distribution | null][] = [
    ["TTFT, from due", summary.ttft_ms],
    ["TTFT, from sending", summary.ttft_service_ms],
    ["TPOT", summary.tpot_ms],
    ["gap between events", summary.icl_ms],
    ["end to end, from due", summary.e2e_ms],
    ["end to end, from sending", summary.e2e_service_ms],
    ["sent late by", summary.client.send_lag_ms],
    ["client's loop late by", summary.client.loop_lag_ms],
  ];
  return table(
    "Latencies in milliseconds",
    ["", ...COLUMNS],
    rows.map(([name, values]) => [
      name,
      ...COLUMNS.map((column) => values === null ? "–" : round(values[column])),
    ]),
  );
}

function errorTable({ errors }: BenchSummary): string {
  if (errors.details.length === 0) return "";
  return table(
    "Failures",
    ["kind", "count", "first of them"],
    errors.details.map(({ kind, count, message }) => [kind, String(count), message]),
  );
}

function details(summary: BenchSummary): string {
  return `<details><summary>Configuration</summary><pre>${
    escapeHtml(JSON.stringify(summary.config, null, 2))
  }</pre></details>`;
}

function ms(value: number | undefined): string {
  return value === undefined ? "–" : `${round(value)} ms`;
}

function round(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0);
}
