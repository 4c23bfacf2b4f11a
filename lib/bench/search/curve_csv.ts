/**
 * The loads of a sweep or a search as rows, for spreadsheets.
 *
 * @module
 */
import { csvText } from "../report/exports.ts";
import { type Curve, tokensPerSecond } from "./curve.ts";

const HEAD = [
  "load",
  "output_tokens_per_second",
  "requests_per_second",
  "ttft_p50_ms",
  "ttft_p99_ms",
  "tpot_p50_ms",
  "tpot_p99_ms",
  "completed",
  "failed",
  "good_share",
  "good_share_low",
  "usd_per_hour",
  "usd_per_million_output_tokens",
  "usd_per_million_good_tokens",
  "valid",
];

/** One row a load, in the order of the loads; what is not known is empty. */
export function curveCsv({ axis, points }: Curve): string {
  const rows = points.toSorted((a, b) => a.load - b.load).map(({ load, summary, attainment }) =>
    [
      load,
      tokensPerSecond(summary),
      summary.requests_per_second,
      summary.ttft_ms?.p50,
      summary.ttft_ms?.p99,
      summary.tpot_ms?.p50,
      summary.tpot_ms?.p99,
      summary.requests.completed,
      summary.errors.total,
      attainment?.share,
      attainment?.low,
      summary.cost?.usd_per_hour,
      summary.cost?.usd_per_million_output_tokens,
      summary.cost?.usd_per_million_good_tokens,
      summary.valid ? 1 : 0,
    ].map((cell) => cell ?? "")
  );
  return csvText([[axis, ...HEAD.slice(1)], ...rows]);
}
