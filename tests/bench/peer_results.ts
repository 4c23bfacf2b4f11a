/**
 * What load generators report, read from their result files into one form.
 *
 * @module
 */

/** Figures as a load generator reports them, times in milliseconds. */
export interface ReportedFigures {
  /** Requests that ended well. */
  readonly requests: number;
  /** Those per second. */
  readonly requestsPerSecond: number;
  /** Time to first token. */
  readonly ttft: { readonly p50: number; readonly p90: number; readonly p99: number };
  /** Median of the time per output token after the first. */
  readonly itl: number;
}

/** Reads `summary.json`, as `deno task bench --output json` prints it. */
export function readOurs(text: string): ReportedFigures {
  const at = reader("the summary", text);
  return {
    requests: at("requests", "completed"),
    requestsPerSecond: at("requests_per_second"),
    ttft: quantiles(at, "ttft_ms"),
    itl: at("tpot_ms", "p50"),
  };
}

/** Reads AIPerf's `profile_export_aiperf.json` (0.13). */
export function readAiperf(text: string): ReportedFigures {
  const at = reader("AIPerf's file", text);
  return {
    requests: at("request_count", "avg"),
    requestsPerSecond: at("request_throughput", "avg"),
    ttft: quantiles(at, "time_to_first_token"),
    itl: at("inter_token_latency", "p50"),
  };
}

/** Reads the JSON output of guidellm (0.8) with one benchmark in it. */
export function readGuidellm(text: string): ReportedFigures {
  const at = reader("guidellm's file", text);
  const of = (name: string) => ["benchmarks", "0", "metrics", name, "successful"];
  return {
    requests: at("benchmarks", "0", "metrics", "request_totals", "successful"),
    requestsPerSecond: at(...of("requests_per_second"), "mean"),
    ttft: quantiles(at, ...of("time_to_first_token_ms"), "percentiles"),
    itl: at(...of("inter_token_latency_ms"), "median"),
  };
}

type Reader = (...path: readonly string[]) => number;

function reader(what: string, text: string): Reader {
  const root: unknown = JSON.parse(text);
  return (...path) => {
    let value = root;
    for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new Error(`${path.join(".")} in ${what} is no number`);
  };
}

function quantiles(at: Reader, ...path: readonly string[]): ReportedFigures["ttft"] {
  return { p50: at(...path, "p50"), p90: at(...path, "p90"), p99: at(...path, "p99") };
}
