/**
 * Writes what people and other tools read of a finished run into its folder.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { writeFileAtomic } from "../../cli/files.ts";
import type { ResultFiles } from "../results.ts";
import type { BenchSummary } from "../summary.ts";
import { aggregateRequests, binsFor } from "./aggregate.ts";
import { aiperfJson, summaryCsv } from "./exports.ts";
import { reportHtml, type ReportMore } from "./html.ts";

/** Paths of the report's files. */
export interface ReportFiles {
  /** One page with charts. */
  readonly html: string;
  /** The summary as rows. */
  readonly csv: string;
  /** The summary under AIPerf's names. */
  readonly aiperf: string;
}

/** Writes `report.html`, `summary.csv` and `profile_export_aiperf.json`. */
export async function writeReport(
  ctx: Pick<Context, "fs" | "processes">,
  files: ResultFiles,
  title: string,
  summary: BenchSummary,
  more: ReportMore = {},
): Promise<ReportFiles> {
  const report: ReportFiles = {
    html: `${files.folder}/report.html`,
    csv: `${files.folder}/summary.csv`,
    aiperf: `${files.folder}/profile_export_aiperf.json`,
  };
  const bins = binsFor(summary.requests.completed);
  const charts = await aggregateRequests(ctx, files.requests, summary.wall_s, bins);
  await writeFileAtomic(ctx, report.html, reportHtml(title, summary, charts, more));
  await writeFileAtomic(ctx, report.csv, summaryCsv(summary));
  await writeFileAtomic(ctx, report.aiperf, `${JSON.stringify(aiperfJson(summary), null, 2)}\n`);
  return report;
}
