/**
 * The charts of a report over time: the client's and the server's on the same axis.
 *
 * @module
 */
import type { ServerPoint } from "../server/types.ts";
import type { BenchSummary } from "../summary.ts";
import type { Aggregate } from "./aggregate.ts";
import { lineChart, type Series } from "./charts.ts";

type Points = Series["points"];

/** All charts over time; those that the server says nothing about are left out. */
export function timeline(
  summary: BenchSummary,
  { bins, binSeconds }: Aggregate,
  server: readonly ServerPoint[],
): string {
  const x = "seconds from the start";
  const range = { from: 0, to: summary.wall_s };
  const inside = server.filter(({ at_s }) => at_s > 0);
  const own = (y: (bin: Aggregate["bins"][number]) => number | undefined): Points =>
    bins.map((bin) => ({ x: bin.start + binSeconds / 2, y: y(bin) }));
  // In the middle of the interval that they are of, as the client's.
  const theirs = (y: (point: ServerPoint) => number | null): Points =>
    inside.map((point) => ({
      x: Math.min(range.to, Math.max(0, point.at_s - point.seconds / 2)),
      y: y(point) ?? undefined,
    }));
  const chart = (title: string, y: string, series: readonly Series[]) => {
    const told = series.filter(({ points }) => points.some((point) => point.y !== undefined));
    return told.length === 0 ? "" : lineChart({ title, x, y, range }, told);
  };
  const percent = (value: number | null) => value === null ? null : 100 * value;
  return [
    chart("Time to first token, by when it was due", "milliseconds", [
      { name: "client p50", css: "s1", points: own((bin) => bin.ttftP50) },
      { name: "client p99", css: "s2", points: own((bin) => bin.ttftP99) },
      { name: "server mean", css: "s4", points: theirs((point) => point.ttft_mean_ms) },
    ]),
    chart("Output tokens a second", "tokens/s", [
      {
        name: "client, when requests end",
        css: "s1",
        points: own((bin) => bin.tokensPerSecond),
      },
      { name: "server", css: "s4", points: theirs((point) => point.output_tokens_per_second) },
    ]),
    chart("Requests in flight, and failures", "requests", [
      { name: "in flight", css: "s1", points: own((bin) => bin.inFlight) },
      { name: "failed", css: "s3", points: own((bin) => bin.failed) },
      { name: "in the server", css: "s4", points: theirs((point) => point.in_flight) },
    ]),
    chart("Requests that wait in the server", "requests", [
      { name: "in frontends", css: "s1", points: theirs((point) => point.queued) },
      { name: "in workers", css: "s2", points: theirs((point) => point.worker_waiting) },
    ]),
    chart("KV cache", "percent", [
      { name: "in use", css: "s1", points: theirs((point) => percent(point.kv_usage)) },
      {
        name: "found in it, of the prompts",
        css: "s2",
        points: theirs((point) => percent(point.kv_hit_rate)),
      },
    ]),
    chart("Time between tokens, as the server has it", "milliseconds", [
      { name: "mean", css: "s4", points: theirs((point) => point.itl_mean_ms) },
    ]),
    chart("GPUs busy", "percent", [
      { name: "mean", css: "s1", points: theirs((point) => percent(point.gpu_utilisation)) },
    ]),
    chart("Power of the GPUs", "watts", [
      { name: "all of them", css: "s1", points: theirs((point) => point.gpu_power_w) },
    ]),
    chart("Memory of the GPUs", "GiB", [
      {
        name: "all of them",
        css: "s1",
        points: theirs((point) =>
          point.gpu_memory_bytes === null ? null : point.gpu_memory_bytes / 2 ** 30
        ),
      },
    ]),
  ].join("");
}
