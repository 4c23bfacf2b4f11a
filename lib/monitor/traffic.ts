/**
 * What a graph's frontends did between two scrapes. Pure: samples in, numbers out.
 *
 * @module
 */
import type { Metrics, Sample } from "../serving/prometheus.ts";
import { histogramQuantile } from "./histogram.ts";

/** One scrape of all frontends of a graph. */
export interface Scrape {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Samples by pod. */
  readonly pods: ReadonlyMap<string, Metrics>;
}

/** Traffic of one model between two scrapes. What could not be told is null. */
export interface ModelTraffic {
  /** Name of the model, as the metrics have it (0.4.1 writes it in lower case). */
  readonly model: string;
  /** Requests that ended, a second. */
  readonly requestsPerSecond: number;
  /** Share of them that failed, 0 to 1; null when none ended. */
  readonly errorRate: number | null;
  /** Tokens generated, a second. */
  readonly outputTokensPerSecond: number;
  /** Median time to first token, in seconds. */
  readonly ttftP50: number | null;
  /** 90th percentile of the time to first token, in seconds. */
  readonly ttftP90: number | null;
  /** Median inter-token latency, in seconds. */
  readonly itlP50: number | null;
  /** 90th percentile of the inter-token latency, in seconds. */
  readonly itlP90: number | null;
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Requests in the frontends' HTTP processing queue; null where the release has no such metric. */
  readonly queued: number | null;
  /** Share of prompt tokens found in a KV cache, 0 to 1; null where the release has no such metric. */
  readonly kvHitRate: number | null;
}

const PREFIX = "dynamo_frontend_";

/** Traffic of every model that the second scrape knows, by name. */
export function trafficBetween(before: Scrape, after: Scrape): ModelTraffic[] {
  const seconds = (after.at - before.at) / 1000;
  const growth = growths(before, after);
  const models = new Set(growth.flatMap(({ sample }) => sample.labels["model"] ?? []));
  // Requests for models that are not served; their errors are nobody's traffic.
  models.delete("unknown_model");
  return [...models].sort().map((model) =>
    modelTraffic(model, growth.filter(({ sample }) => sample.labels["model"] === model), seconds)
  );
}

interface Growth {
  readonly sample: Sample;
  readonly grown: number;
}

/** How much each series grew; of a pod or series that is new, and of one that began anew, all of it. */
function growths(before: Scrape, after: Scrape): Growth[] {
  return [...after.pods].flatMap(([pod, metrics]) => {
    const earlier = new Map(
      before.pods.get(pod)?.samples.map((sample) => [seriesKey(sample), sample.value]),
    );
    return metrics.samples
      .filter((sample) => sample.name.startsWith(PREFIX))
      .map((sample) => {
        const old = earlier.get(seriesKey(sample)) ?? 0;
        return { sample, grown: sample.value < old ? sample.value : sample.value - old };
      });
  });
}

function seriesKey({ name, labels }: Sample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

function modelTraffic(model: string, growth: readonly Growth[], seconds: number): ModelTraffic {
  const named = (name: string) => growth.filter(({ sample }) => sample.name === PREFIX + name);
  const grown = (name: string) => sum(named(name).map((one) => one.grown));
  const now = (name: string) => {
    const found = named(name);
    return found.length === 0 ? null : sum(found.map((one) => one.sample.value));
  };
  const quantile = (name: string, share: number) => {
    const buckets = new Map<number, number>();
    for (const { sample, grown } of named(`${name}_bucket`)) {
      const bound = Number(sample.labels["le"]?.replace("+Inf", "Infinity"));
      buckets.set(bound, (buckets.get(bound) ?? 0) + grown);
    }
    return histogramQuantile(share, buckets) ?? null;
  };
  const ended = grown("requests_total");
  const failed = sum(
    named("requests_total").filter(({ sample }) => sample.labels["status"] === "error")
      .map((one) => one.grown),
  );
  const prompt = grown("input_sequence_tokens_sum");
  return {
    model,
    requestsPerSecond: ended / seconds,
    errorRate: ended === 0 ? null : failed / ended,
    outputTokensPerSecond: grown("output_sequence_tokens_sum") / seconds,
    ttftP50: quantile("time_to_first_token_seconds", 0.5),
    ttftP90: quantile("time_to_first_token_seconds", 0.9),
    itlP50: quantile("inter_token_latency_seconds", 0.5),
    itlP90: quantile("inter_token_latency_seconds", 0.9),
    inFlight: now("inflight_requests") ?? now("active_requests") ?? 0,
    queued: now("queued_requests"),
    kvHitRate: named("cached_tokens_sum").length === 0 || prompt === 0
      ? null
      : grown("cached_tokens_sum") / prompt,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
