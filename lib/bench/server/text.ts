/**
 * The server's side of a run for a terminal.
 *
 * @module
 */
import type { Interval, Level, ServerSummary, TtftSplit } from "./types.ts";

/** Labels and texts, to be wrapped; none when the server was not watched or told nothing. */
export function serverRows(server: ServerSummary | null): [string, string][] {
  if (server === null) return [];
  const told = server.sources.filter(({ scrapes }) => scrapes > 0);
  if (told.length === 0) {
    const problem = server.sources.find(({ problem }) => problem !== null)?.problem;
    return [["Server", `tells no metrics${problem === undefined ? "" : `: ${problem}`}`]];
  }
  const texts = [
    ...(server.ttft_ms === null
      ? []
      : [`TTFT mean ${ms(server.ttft_ms.mean)}, p50 ${interval(server.ttft_ms.p50)}`]),
    ...(server.itl_ms === null ? [] : [`ITL mean ${ms(server.itl_ms.mean)}`]),
    ...levels(server),
  ];
  const rows: [string, string][] = texts.length === 0 ? [] : [["Server", texts.join(", ")]];
  const { ttft_split_ms: split } = server;
  if (split !== null) {
    rows.push(["", splitText(split)]);
    if (split.note !== null) rows.push(["", split.note]);
  }
  const failures = server.sources.filter(({ failures }) => failures > 0);
  for (const { name, failures: count, problem } of failures) {
    rows.push(["", `${count} scrapes of ${name} failed: ${problem}`]);
  }
  return rows;
}

function splitText(split: TtftSplit): string {
  const trip = split.round_trip_mean;
  return `client ${ms(split.client_mean)} = ${ms(split.network_mean)} on the way + ${
    ms(split.server_mean)
  } in the server${trip === null ? "" : ` (a round trip takes ${ms(trip)})`}`;
}

function levels(server: ServerSummary): string[] {
  const count = (name: string, level: Level | null) =>
    level === null || level.max === 0
      ? []
      : [`${name} ${level.mean.toFixed(1)} (most ${level.max.toFixed(0)})`];
  const share = (name: string, level: Level | null) =>
    level === null ? [] : [`${name} ${percent(level.mean)} (most ${percent(level.max)})`];
  const { kv_hit_rate: hits, gpu } = server;
  return [
    ...count("waiting in frontends", server.queued),
    ...count("in workers", server.worker_waiting),
    ...share("KV cache in use", server.kv_usage),
    ...(hits === null || hits === 0 ? [] : [`${percent(hits)} of the prompts found in it`]),
    ...share("GPUs busy", gpu?.utilisation ?? null),
    ...(gpu?.power_w === null || gpu?.power_w === undefined
      ? []
      : [`${gpu.power_w.mean.toFixed(0)} W`]),
  ];
}

function interval({ low, high }: Interval): string {
  return high === null ? `over ${ms(low)}` : `${number(low)} to ${ms(high)}`;
}

function ms(value: number): string {
  return `${number(value)} ms`;
}

function number(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) < 100 ? 1 : 0)));
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
