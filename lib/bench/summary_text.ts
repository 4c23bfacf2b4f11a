/**
 * A summary as text for a terminal.
 *
 * @module
 */
import { wrap } from "../cli/text.ts";
import { costLines } from "./cost.ts";
import { serverRows } from "./server/text.ts";
import type { Distribution } from "./samples.ts";
import type { BenchSummary } from "./summary.ts";

type Column = Exclude<keyof Distribution, "count">;

const COLUMNS: readonly Column[] = ["mean", "min", "p50", "p90", "p95", "p99", "max"];
// What is left out first where the terminal is narrow.
const EXPENDABLE: readonly Column[] = ["p95", "min", "mean"];
const COLUMN_WIDTH = 10;

/** The summary in at most `width` columns: what was asked, a table of latencies, rates, errors, the verdict. */
export function summaryToText(summary: BenchSummary, width: number): string {
  return [
    ...facts(summary, width),
    "",
    ...latencies(summary, width),
    "",
    ...rates(summary, width),
    ...verdict(summary, width),
  ].join("\n");
}

function facts(summary: BenchSummary, width: number): string[] {
  const { config, input_tokens: input, output_tokens: output } = summary;
  const load = config.load === "concurrency"
    ? `${config.concurrency} requests in flight`
    : `${config.stages ?? rate(Number(config.rate))} requests/s (${config.arrival}${
      config.burstiness === null ? "" : `, burstiness ${config.burstiness}`
    })`;
  const extent = [
    ...(config.requests === null ? [] : [`${config.requests} requests`]),
    ...(config.duration_s === null ? [] : [`${config.duration_s} s`]),
  ].join(" or ");
  return labelled([
    ["Model", String(config.model)],
    ["Endpoint", `${config.url} (${config.api}, ${config.stream ? "streamed" : "not streamed"})`],
    ["Load", `${load}, ${extent}, after ${config.warmup} to warm up`],
    ["Tokens", `in ${tokens(input)}, out ${tokens(output)}`],
    ["Seed", String(config.seed)],
  ], width);
}

function tokens(counts: BenchSummary["input_tokens"]): string {
  const asked = counts.asked === null ? null : Math.round(counts.asked * 10) / 10;
  const also = asked === null ? "" : ` (asked ${asked})`;
  if (counts.mean === null) return `not counted${also}`;
  const mean = Math.round(counts.mean * 10) / 10;
  const range = counts.min === counts.max ? "" : `, ${counts.min} to ${counts.max}`;
  return `${mean}${mean === asked ? "" : also}${range}`;
}

function latencies(summary: BenchSummary, width: number): string[] {
  const rows: [string, Distribution | null][] = [
    ["TTFT", summary.ttft_ms],
    ["TTFT, from sending", summary.ttft_service_ms],
    ["TPOT (ITL)", summary.tpot_ms],
    ["gap between events", summary.icl_ms],
    ["end to end", summary.e2e_ms],
  ];
  const label = Math.max(...rows.map(([name]) => name.length), "milliseconds".length);
  const columns = COLUMNS.filter((column) => {
    const dropped = EXPENDABLE.indexOf(column);
    return dropped < 0 || label + COLUMN_WIDTH * (COLUMNS.length - dropped) <= width;
  });
  const cells = (name: string, values: readonly string[]) =>
    name.padEnd(label) + values.map((value) => value.padStart(COLUMN_WIDTH)).join("");
  return [
    cells("milliseconds", columns),
    ...rows.map(([name, values]) =>
      cells(name, columns.map((column) => values === null ? "–" : milliseconds(values[column])))
    ),
  ];
}

function milliseconds(value: number): string {
  return value.toFixed(value < 100 ? 2 : value < 10_000 ? 1 : 0);
}

function rates(summary: BenchSummary, width: number): string[] {
  const { requests, errors, client, steady_window: steady } = summary;
  const rows: [string, string][] = [[
    "Requests",
    `${requests.completed} of ${requests.scheduled} ended well, ${
      rate(summary.requests_per_second)
    }/s in ${summary.wall_s.toFixed(1)} s`,
  ]];
  const window = steady === null
    ? ""
    : ` steady (over ${(steady.end_s - steady.start_s).toFixed(1)} s)`;
  const perUser = summary.user_tokens_per_second;
  rows.push([
    "Output",
    [
      ...(summary.output_tokens_per_second === null
        ? []
        : [`${rate(summary.output_tokens_per_second)} tokens/s${window}`]),
      `${rate(summary.output_tokens_per_second_wall)} tokens/s over all`,
      ...(perUser === null ? [] : [`${rate(perUser)} tokens/s a user`]),
    ].join(", "),
  ]);
  if (summary.tokens_per_event !== null) {
    rows.push(["Events", `${summary.tokens_per_event.toFixed(2)} tokens an event`]);
  }
  const cache = cacheText(summary);
  if (cache !== undefined) rows.push(["Cache", cache]);
  rows.push([
    "Client",
    [
      ...(client.in_flight === null ? [] : [`${client.in_flight.toFixed(1)} in flight`]),
      `${client.connections} connections`,
      `late by ${
        client.loop_lag_ms === null ? "?" : milliseconds(client.loop_lag_ms.p99)
      } ms at p99`,
    ].join(", "),
  ]);
  if (summary.calibration !== null) rows.push(["", calibrationText(summary.calibration)]);
  rows.push(...serverRows(summary.server));
  if (summary.cost !== null) {
    costLines(summary.cost).forEach((line, i) => rows.push([i === 0 ? "Cost" : "", line]));
  }
  for (const { kind, count, message } of errors.details) {
    rows.push(["Failed", `${count} × ${kind}: ${message}`]);
  }
  return labelled(rows, width);
}

function cacheText({ prefix_sharing: { planned, cached } }: BenchSummary): string | undefined {
  const percent = (share: number) => `${Math.round(1000 * share) / 10} %`;
  const shared = planned === null || planned === 0 ? undefined : `${percent(planned)} shared`;
  if (cached === null) {
    return shared && `${shared} with earlier prompts; the server does not say what it had cached`;
  }
  if (cached === 0 && shared === undefined) return undefined;
  return `${percent(cached)} of the prompts' tokens came from a cache${
    shared === undefined ? "" : `, ${shared} with earlier prompts`
  }`;
}

function calibrationText(calibration: NonNullable<BenchSummary["calibration"]>): string {
  const { ttft_error_ms: ttft, tpot_error_percent: tpot, ceiling } = calibration;
  const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  return [
    ...(ttft === null
      ? []
      : [`adds ${signed(ttft.p50)} ms to the median TTFT (${signed(ttft.p99)} at p99)`]),
    ...(tpot === null ? [] : [`${signed(tpot)} % to TPOT`]),
    `manages ${rate(ceiling.requests_per_second)} requests/s, ` +
    `${rate(ceiling.events_per_second)} events/s`,
  ].join(", ");
}

function verdict(summary: BenchSummary, width: number): string[] {
  const lines: string[] = [];
  for (const warning of summary.warnings) lines.push(...wrap(`Warning: ${warning}`, width));
  if (summary.valid) return lines.length === 0 ? [] : ["", ...lines];
  lines.push("INVALID: these numbers are not about the server.");
  for (const reason of summary.invalid_reasons) lines.push(...wrap(`- ${reason}`, width, "  "));
  return ["", ...lines];
}

function rate(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 1 : 0);
}

// Label and text, the text wrapped under itself.
function labelled(rows: readonly (readonly [string, string])[], width: number): string[] {
  const label = 10;
  return rows.flatMap(([name, text]) =>
    wrap(text, width, " ".repeat(label)).map((line, i) =>
      i === 0 ? name.padEnd(label) + line.slice(label) : line
    )
  );
}
