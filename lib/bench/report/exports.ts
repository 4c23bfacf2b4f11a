/**
 * A summary in the forms of other tools: CSV for spreadsheets, and the JSON of AIPerf's profile
 * export for scripts that read it.
 *
 * @module
 */
import type { Distribution } from "../samples.ts";
import type { BenchSummary } from "../summary.ts";

/** One row a measure: name, unit, count and percentiles, or one value. */
export function summaryCsv(summary: BenchSummary): string {
  const head = ["metric", "unit", "count", "min", "mean", "p50", "p90", "p95", "p99", "max"];
  const spread = (name: string, values: Distribution | null) =>
    values === null ? [] : [[
      name,
      "ms",
      values.count,
      values.min,
      values.mean,
      values.p50,
      values.p90,
      values.p95,
      values.p99,
      values.max,
    ]];
  const single = (name: string, unit: string, value: number | null) =>
    value === null ? [] : [[name, unit, "", "", value, "", "", "", "", ""]];
  const rows = [
    head,
    ...spread("ttft", summary.ttft_ms),
    ...spread("ttft_service", summary.ttft_service_ms),
    ...spread("tpot", summary.tpot_ms),
    ...spread("icl", summary.icl_ms),
    ...spread("e2e", summary.e2e_ms),
    ...spread("e2e_service", summary.e2e_service_ms),
    ...single("requests_per_second", "1/s", summary.requests_per_second),
    ...single("output_tokens_per_second", "1/s", summary.output_tokens_per_second),
    ...single("output_tokens_per_second_wall", "1/s", summary.output_tokens_per_second_wall),
    ...single("server_ttft_mean", "ms", summary.server?.ttft_ms?.mean ?? null),
    ...single("network_ttft_mean", "ms", summary.server?.ttft_split_ms?.network_mean ?? null),
    ...single("kv_hit_rate", "", summary.server?.kv_hit_rate ?? null),
    ...single("cost", "USD/h", summary.cost?.usd_per_hour ?? null),
    ...single(
      "cost_per_million_output_tokens",
      "USD",
      summary.cost?.usd_per_million_output_tokens ?? null,
    ),
    ...single("completed", "requests", summary.requests.completed),
    ...single("failed", "requests", summary.requests.failed),
    ...single("valid", "", summary.valid ? 1 : 0),
  ];
  return csvText(rows);
}

/** Rows as CSV; texts with commas, quotes or line ends are quoted. */
export function csvText(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The measures under AIPerf's names, which count from sending (see `schema.md`). Those that
 * AIPerf does not have are left out.
 */
export function aiperfJson(summary: BenchSummary): Record<string, unknown> {
  const metric = (unit: string, values: Distribution | null) =>
    values === null ? undefined : {
      unit,
      avg: values.mean,
      min: values.min,
      max: values.max,
      p50: values.p50,
      p90: values.p90,
      p95: values.p95,
      p99: values.p99,
    };
  const single = (unit: string, value: number | null) =>
    value === null ? undefined : { unit, avg: value };
  return {
    time_to_first_token: metric("ms", summary.ttft_service_ms),
    inter_token_latency: metric("ms", summary.tpot_ms),
    inter_chunk_latency: metric("ms", summary.icl_ms),
    request_latency: metric("ms", summary.e2e_service_ms),
    request_throughput: single("requests/sec", summary.requests_per_second),
    output_token_throughput: single("tokens/sec", summary.output_tokens_per_second_wall),
    output_token_throughput_per_user: single("tokens/sec/user", summary.user_tokens_per_second),
    request_count: single("requests", summary.requests.completed),
    error_request_count: single("requests", summary.errors.total),
    input_sequence_length: single("tokens", summary.input_tokens.mean),
    output_sequence_length: single("tokens", summary.output_tokens.mean),
    benchmark_duration: single("sec", summary.wall_s),
    start_time: summary.started_at,
    was_cancelled: false,
    input_config: summary.config,
  };
}
