/**
 * What a report says besides the charts: the server's side, cost, environment.
 *
 * @module
 */
import type { Interval, Level, ServerTimes } from "../server/types.ts";
import type { BenchSummary } from "../summary.ts";
import { escapeHtml } from "./charts.ts";
import { factTable, table } from "./table.ts";

/** The server's times and levels, and how the time to first token divides. */
export function serverTable({ server }: BenchSummary): string {
  if (server === null) return "";
  const times: [string, ServerTimes | null][] = [
    ["TTFT", server.ttft_ms],
    ["time between tokens", server.itl_ms],
    ["request", server.duration_ms],
  ];
  const rows = times.flatMap(([name, value]) =>
    value === null ? [] : [[
      name,
      String(value.count),
      number(value.mean),
      interval(value.p50),
      interval(value.p90),
      interval(value.p99),
    ]]
  );
  const caption = "The server's side, in milliseconds; percentiles as the bounds of their bucket";
  return [
    rows.length === 0 ? "" : table(caption, ["", "count", "mean", "p50", "p90", "p99"], rows),
    splitTable(server.ttft_split_ms),
    levelTable(server),
  ].join("");
}

function splitTable(split: NonNullable<BenchSummary["server"]>["ttft_split_ms"]): string {
  if (split === null) return "";
  const rows = [
    ["client", number(split.client_mean), number(split.client_p50)],
    ["server", number(split.server_mean), interval(split.server_p50)],
    ["between them", number(split.network_mean), interval(split.network_p50)],
    ["a round trip", orDash(split.round_trip_mean), orDash(split.round_trip_p50)],
  ];
  const note = split.note === null
    ? "A round trip explains what lies between."
    : `${split.note[0]!.toUpperCase()}${split.note.slice(1)}.`;
  return table("Time to first token: client = network + server, in milliseconds", [
    "",
    "mean",
    "p50",
  ], rows) + `<p class="remark">${escapeHtml(note)}</p>`;
}

function levelTable(server: NonNullable<BenchSummary["server"]>): string {
  const percent = (level: Level | null): Level | null =>
    level && { mean: 100 * level.mean, max: 100 * level.max };
  const gib = (level: Level | null): Level | null =>
    level && { mean: level.mean / 2 ** 30, max: level.max / 2 ** 30 };
  const levels: [string, Level | null][] = [
    ["requests in flight", server.in_flight],
    ["waiting in frontends", server.queued],
    ["waiting in workers", server.worker_waiting],
    ["KV cache in use, %", percent(server.kv_usage)],
    ["GPUs busy, %", percent(server.gpu?.utilisation ?? null)],
    ["GPU memory, GiB", gib(server.gpu?.memory_bytes ?? null)],
    ["GPU power, W", server.gpu?.power_w ?? null],
  ];
  const rows = levels.flatMap(([name, level]) =>
    level === null ? [] : [[name, number(level.mean), number(level.max)]]
  );
  if (server.kv_hit_rate !== null) {
    rows.push(["found in a cache, % of the prompts", number(100 * server.kv_hit_rate), ""]);
  }
  return rows.length === 0 ? "" : table("Inside the server", ["", "mean", "most"], rows);
}

/** The tile of the cost; none where it is not known. */
export function costTile({ cost }: BenchSummary): [string, string, string][] {
  const all = cost?.usd_per_million_output_tokens ?? null;
  if (cost === null || all === null) return [];
  const good = cost.usd_per_million_good_tokens;
  const more = good === null ? `${usd(cost.usd_per_hour)} an hour` : `good ones ${usd(good)}`;
  return [["USD a million tokens", usd(all), cost.simulated ? `simulated, ${more}` : more]];
}

/** The cost and what it is made of. */
export function costTable({ cost }: BenchSummary): string {
  if (cost === null) return "";
  const rows = [
    ...cost.instances.map((one) => [
      `${one.count} × ${one.instance_type ?? "unknown"}${
        one.capacity_type === null ? "" : `, ${one.capacity_type}`
      }`,
      number(one.share),
      one.usd_per_hour === null ? "–" : usd(one.usd_per_hour),
    ]),
    ["in all", "", usd(cost.usd_per_hour)],
    ["whole nodes", "", usd(cost.usd_per_hour_whole_nodes)],
  ];
  const where = cost.price_source === "flag"
    ? "as given with --price-per-hour"
    : `on demand in ${cost.price_region}, ${cost.price_date}, from ${
      cost.price_source === "table" ? "the project's table" : "the AWS price list"
    }`;
  return table(`Cost in USD an hour, ${where}`, ["", "share", "USD/h"], rows) +
    cost.notes.map((note) => `<p class="remark">${escapeHtml(note)}</p>`).join("");
}

/** Where it was measured. */
export function environmentTable({ environment }: BenchSummary): string {
  if (environment === null) return "";
  const rows: [string, string | null][] = [
    ["client", environment.client],
    ["Deno", environment.deno],
    ["commit", environment.commit],
    ["target", environment.target],
    ["Kubernetes", environment.kubernetes],
    ["Dynamo", environment.dynamo],
    ["graph", environment.graph],
    ["components", environment.components.join(", ") || null],
    ["nodes", environment.nodes.join(", ") || null],
    ["simulated", environment.simulated ? "nodes, GPUs and engines" : null],
  ];
  const told = rows.flatMap(([name, value]): [string, string][] =>
    value === null ? [] : [[name, value]]
  );
  return factTable("Environment", told);
}

function interval({ low, high }: Interval): string {
  return high === null ? `over ${number(low)}` : `${number(low)} to ${number(high)}`;
}

function orDash(value: number | null): string {
  return value === null ? "–" : number(value);
}

function number(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 1000 ? 1 : 0);
}

function usd(value: number): string {
  return value.toFixed(value < 0.1 ? 4 : 2);
}
