/**
 * What servers call the things that a benchmark wants to know of them.
 *
 * Sources: scrapes of Dynamo 0.4.1 and 1.6.1 (frontends, mocker workers); Dynamo's
 * `docs/observability/metrics.md` (`dynamo_component_kvstats_*`); vLLM's
 * `docs/usage/metrics.md` and SGLang's `docs/references/production_metrics.md` (workers of those
 * engines pass their metrics on); DCGM exporter's `default-counters.csv`.
 *
 * @module
 */

/** Names in the order of preference: the first that a source has counts. */
export type Names = readonly string[];

/** Histograms of times in seconds, as frontends (or a server without one) have them. */
export const TIMES: Readonly<Record<"ttft" | "itl" | "duration", Names>> = {
  ttft: [
    "dynamo_frontend_time_to_first_token_seconds",
    "nv_llm_http_service_time_to_first_token_seconds",
    "vllm:time_to_first_token_seconds",
    "sglang:time_to_first_token_seconds",
  ],
  itl: [
    "dynamo_frontend_inter_token_latency_seconds",
    "nv_llm_http_service_inter_token_latency_seconds",
    "vllm:inter_token_latency_seconds",
    "vllm:time_per_output_token_seconds",
    "sglang:inter_token_latency_seconds",
  ],
  duration: [
    "dynamo_frontend_request_duration_seconds",
    "nv_llm_http_service_request_duration_seconds",
    "vllm:e2e_request_latency_seconds",
    "sglang:e2e_request_latency_seconds",
  ],
};

/** Counters of frontends. */
export const COUNTERS: Readonly<
  Record<"requests" | "outputTokens" | "inputTokens" | "cachedTokens", Names>
> = {
  requests: [
    "dynamo_frontend_requests_total",
    "nv_llm_http_service_requests_total",
    "vllm:request_success_total",
    "sglang:num_requests_total",
  ],
  outputTokens: [
    // Grows with each token; the sum below it only when requests end.
    "dynamo_frontend_output_tokens_total",
    "dynamo_frontend_output_sequence_tokens_sum",
    "nv_llm_http_service_output_sequence_tokens_sum",
    "vllm:generation_tokens_total",
    "sglang:generation_tokens_total",
  ],
  inputTokens: [
    "dynamo_frontend_input_sequence_tokens_sum",
    "nv_llm_http_service_input_sequence_tokens_sum",
    "vllm:prompt_tokens_total",
    "sglang:prompt_tokens_total",
  ],
  cachedTokens: [
    "dynamo_frontend_cached_tokens_sum",
    "vllm:prefix_cache_hits_total",
    "sglang:cached_tokens_total",
  ],
};

/** Gauges of frontends. */
export const GAUGES: Readonly<Record<"inFlight" | "queued", Names>> = {
  inFlight: [
    "dynamo_frontend_inflight_requests",
    "dynamo_frontend_active_requests",
    "nv_llm_http_service_inflight_requests",
    "vllm:num_requests_running",
    "sglang:num_running_reqs",
  ],
  queued: [
    "dynamo_frontend_queued_requests",
    "vllm:num_requests_waiting",
    "sglang:num_queue_reqs",
  ],
};

/** What workers say, and servers that are their own frontend. */
export const WORKER_GAUGES: Readonly<Record<"kvUsage" | "waiting" | "inFlight", Names>> = {
  // Shares, 0 to 1, whatever their names say.
  kvUsage: [
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "sglang:token_usage",
    "trtllm_kv_cache_utilization",
    "dynamo_component_kvstats_gpu_cache_usage_percent",
  ],
  waiting: [
    "vllm:num_requests_waiting",
    "sglang:num_queue_reqs",
    "dynamo_work_handler_queue_depth",
  ],
  inFlight: ["dynamo_component_inflight_requests", "vllm:num_requests_running"],
};

/** Share of a prompt that a router found in a cache; asked where no cached tokens are counted. */
export const ROUTER_HIT_RATE = "dynamo_component_router_kv_hit_rate";

/** The exporter's names: percent, MiB, watts. */
export const GPU_GAUGES = {
  utilisation: "DCGM_FI_DEV_GPU_UTIL",
  memory: "DCGM_FI_DEV_FB_USED",
  power: "DCGM_FI_DEV_POWER_USAGE",
} as const;

const WANTED: ReadonlySet<string> = new Set([
  ...Object.values(TIMES).flat().flatMap((name) =>
    ["bucket", "sum", "count"].map((part) => `${name}_${part}`)
  ),
  ...Object.values(COUNTERS).flat(),
  ...Object.values(GAUGES).flat(),
  ...Object.values(WORKER_GAUGES).flat(),
  `${ROUTER_HIT_RATE}_sum`,
  `${ROUTER_HIT_RATE}_count`,
  ...Object.values(GPU_GAUGES),
]);

/** Whether a sample of this name is read at all; a Dynamo frontend has a thousand others. */
export function isWanted(name: string): boolean {
  return WANTED.has(name);
}
