/**
 * What a port-forward adds to a benchmark's figures: `tunnel` in `summary.json`, and its text.
 *
 * @module
 */

/** One measure on both paths. */
export interface Taxed {
  /** From inside the cluster. */
  readonly in_cluster: number;
  /** Through the tunnel. */
  readonly tunnel: number;
  /** What the tunnel adds: mean of the pairs' differences. */
  readonly added: number;
  /** 95 % confidence interval of `added`; null for what is not compared pair by pair. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** What a client and its path can do at most, against a server that takes no time. */
export interface PathCeiling {
  /** Requests a second. */
  readonly requests_per_second: number;
  /** Events with output a second. */
  readonly events_per_second: number;
}

/** The tunnel's tax: `tunnel` in `summary.json`. Null where nothing was measured. */
export interface TunnelTax {
  /** Pairs of blocks, in turn (ABBA). */
  readonly pairs: number;
  /** Length of a block in seconds. */
  readonly block_s: number;
  /** Requests in flight of the blocks, or null for a rate. */
  readonly concurrency: number | null;
  /** Requests a second of the blocks, or null in a closed loop. */
  readonly rate: number | null;
  /** Median of `ttft_ms` of the blocks. */
  readonly ttft_p50_ms: Taxed | null;
  /** 99th percentile over the requests of all blocks; null below 500 requests a side. */
  readonly ttft_p99_ms: Taxed | null;
  /** Median of `tpot_ms` of the blocks. */
  readonly tpot_p50_ms: Taxed | null;
  /** Processor time of the client's process for a request, milliseconds. */
  readonly cpu_ms_per_request: Taxed | null;
  /** Requests a second of the blocks. */
  readonly requests_per_second: Taxed | null;
  /** At most; `in_cluster` is the run's calibration. */
  readonly ceiling: {
    /** From inside the cluster; null without calibration. */
    readonly in_cluster: PathCeiling | null;
    /** Through the tunnel to a mock in the client's pod. */
    readonly tunnel: PathCeiling | null;
  };
}

/** The tax for people. */
export function tunnelText(tax: TunnelTax): string {
  const rows = [
    row("TTFT p50", tax.ttft_p50_ms, "ms"),
    row("TTFT p99", tax.ttft_p99_ms, "ms"),
    row("TPOT p50", tax.tpot_p50_ms, "ms"),
    row("CPU a request", tax.cpu_ms_per_request, "ms"),
    row("requests/s", tax.requests_per_second, ""),
  ].filter((line) => line !== undefined);
  const { in_cluster: inside, tunnel } = tax.ceiling;
  if (tunnel !== null) {
    const direct = inside === null ? "" : `, ${Math.round(inside.events_per_second)} without it`;
    rows.push(`at most ${Math.round(tunnel.events_per_second)} tokens/s through it${direct}`);
  }
  return [
    `What the tunnel from here would add (${tax.pairs} pairs of ${tax.block_s} s in turn):`,
    ...rows.map((line) => `  ${line}`),
  ].join("\n");
}

function row(name: string, taxed: Taxed | null, unit: string): string | undefined {
  if (taxed === null) return undefined;
  const sign = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const { in_cluster: inside, tunnel, added, interval } = taxed;
  const reach = interval === null ? "" : ` (${sign(interval[0])} to ${sign(interval[1])})`;
  const behind = unit === "" ? "" : ` ${unit}`;
  return `${name} ${inside.toFixed(2)} → ${tunnel.toFixed(2)}${behind}, ${
    sign(added)
  }${behind}${reach}`;
}
