/**
 * What a graph's frontends did between two scrapes. Pure: samples in, numbers out.
 *
 * @module
 */
import { grownBuckets, grownBy, type Growth, growthOf, presentValue } from "../serving/growth.ts";
import { histogramQuantile } from "../serving/histogram.ts";
import type { Metrics } from "../serving/prometheus.ts";

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

/** How much each series grew; of a pod that is new, all of it. */
function growths(before: Scrape, after: Scrape): Growth[] {
  return [...after.pods].flatMap(([pod, metrics]) =>
    growthOf(before.pods.get(pod), metrics)
      .filter(({ sample }) => sample.name.startsWith(PREFIX))
  );
}

function modelTraffic(model: string, growth: readonly Growth[], seconds: number): ModelTraffic {
  const grown = (name: string) => grownBy(growth, PREFIX + name) ?? 0;
  const now = (name: string) => presentValue(growth, PREFIX + name) ?? null;
  const quantile = (name: string, share: number) =>
    histogramQuantile(share, grownBuckets(growth, PREFIX + name)) ?? null;
  const ended = grown("requests_total");
  const errors = growth.filter(({ sample }) => sample.labels["status"] === "error");
  const failed = grownBy(errors, `${PREFIX}requests_total`) ?? 0;
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
    kvHitRate: now("cached_tokens_sum") === null || prompt === 0
      ? null
      : grown("cached_tokens_sum") / prompt,
  };
}
