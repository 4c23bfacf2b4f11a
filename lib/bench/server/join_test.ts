// Scrapes of known numbers, put together: growth, restarts, missing scrapes, several pods.
import assert from "node:assert/strict";
import { type Metrics, parseMetrics } from "../../serving/prometheus.ts";
import { type Answer, joiner } from "./join.ts";
import { readSource } from "./reading.ts";
import type { SourceKind } from "./source.ts";

interface Numbers {
  readonly requests: number;
  /** First tokens within 0.022 s and within 0.047 s. */
  readonly ttft: readonly [number, number];
  readonly ttftSum: number;
  readonly tokens: number;
  readonly input?: number;
  readonly cached?: number;
  readonly inFlight?: number;
}

function frontend(numbers: Numbers, model = "Org/Model"): Metrics {
  const { requests, ttft, ttftSum, tokens, input = 0, cached, inFlight = 0 } = numbers;
  const labels = `{model="${model}"}`;
  const name = "dynamo_frontend_time_to_first_token_seconds";
  return parseMetrics(`
dynamo_frontend_requests_total{model="${model}",status="success"} ${requests}
dynamo_frontend_requests_total{model="other",status="success"} 1000
dynamo_frontend_output_sequence_tokens_sum${labels} ${tokens}
dynamo_frontend_input_sequence_tokens_sum${labels} ${input}
${cached === undefined ? "" : `dynamo_frontend_cached_tokens_sum${labels} ${cached}`}
dynamo_frontend_inflight_requests${labels} ${inFlight}
${name}_bucket{model="${model}",le="0.022"} ${ttft[0]}
${name}_bucket{model="${model}",le="0.047"} ${ttft[1]}
${name}_bucket{model="${model}",le="+Inf"} ${ttft[1]}
${name}_sum${labels} ${ttftSum}
${name}_count${labels} ${ttft[1]}
`);
}

const worker = (usage: number, waiting: number) =>
  parseMetrics(`
dynamo_component_inflight_requests{dynamo_endpoint="generate"} 3
dynamo_component_inflight_requests{dynamo_endpoint="clear_kv_blocks"} 40
vllm:kv_cache_usage_perc{engine="0",model_name="Org/Model"} ${usage}
vllm:num_requests_waiting{engine="0",model_name="Org/Model"} ${waiting}
`);

function answer(
  before: Metrics | undefined,
  after: Metrics,
  seconds = 1,
  kind: SourceKind = "auto",
): Answer {
  return { reading: readSource(before, after, { kind, model: "org/model" }), seconds };
}

const A = { requests: 10, ttft: [5, 10], ttftSum: 0.3, tokens: 100, input: 1000 } as const;
const B = {
  requests: 14,
  ttft: [6, 14],
  ttftSum: 0.42,
  tokens: 300,
  input: 1400,
  inFlight: 4,
} as const;

Deno.test("a point has rates, means and gauges; other models do not count", () => {
  const join = joiner();
  const answers = [
    answer(frontend(A), frontend(B), 2),
    answer(worker(0, 0), worker(0.25, 2)),
    answer(worker(0, 0), worker(0.75, 1)),
  ];
  join.add({ at: 5000, seconds: 2, answers, failed: 0 });
  const [point] = join.points;
  assert.equal(point?.requests_per_second, 2);
  assert.equal(point?.output_tokens_per_second, 100);
  assert.ok(Math.abs(point!.ttft_mean_ms! - 30) < 1e-9);
  assert.equal(point?.in_flight, 4);
  assert.equal(point?.kv_usage, 0.5);
  assert.equal(point?.worker_waiting, 3);
  assert.equal(point?.worker_in_flight_max, 3);
  assert.equal(point?.kv_hit_rate, null, "0.4.1 has no such metric: null, not 0");
  assert.equal(point?.gpu_utilisation, null);
});

Deno.test("totals are of the run: an exact mean, quantiles as the bounds of their bucket", () => {
  const join = joiner();
  const half = { ...A, requests: 12, ttft: [5, 12] as const, ttftSum: 0.37, tokens: 200 };
  join.add({
    at: 1000,
    seconds: 1,
    answers: [answer(frontend(A), frontend(half))],
    failed: 0,
  });
  join.add({
    at: 2000,
    seconds: 1,
    answers: [answer(frontend(half), frontend(B))],
    failed: 0,
  });
  const totals = join.totals();
  assert.equal(totals.requests, 4);
  assert.equal(totals.output_tokens, 200);
  assert.equal(totals.ttft_ms?.count, 4);
  assert.ok(Math.abs(totals.ttft_ms!.mean - 30) < 1e-9);
  assert.deepEqual(totals.ttft_ms?.p50, { low: 22, high: 47 });
  assert.deepEqual(totals.in_flight, { mean: 2, max: 4 });
  assert.equal(totals.itl_ms, null);
});

Deno.test("a restart counts from zero, and no request of the run is lost or doubled", () => {
  const join = joiner();
  const after = { requests: 3, ttft: [3, 3], ttftSum: 0.03, tokens: 30, input: 300 } as const;
  join.add({ at: 1, seconds: 1, answers: [answer(frontend(A), frontend(B))], failed: 0 });
  join.add({ at: 2, seconds: 1, answers: [answer(frontend(B), frontend(after))], failed: 0 });
  assert.equal(join.totals().requests, 4 + 3);
  assert.equal(join.totals().ttft_ms?.count, 4 + 3);
});

Deno.test("after missing scrapes the growth is spread over the time it took", () => {
  const join = joiner();
  join.add({ at: 1000, seconds: 1, answers: [], failed: 1 });
  join.add({ at: 2000, seconds: 1, answers: [], failed: 1 });
  join.add({ at: 3000, seconds: 1, answers: [answer(frontend(A), frontend(B), 3)], failed: 0 });
  assert.deepEqual(join.points.map((point) => point.requests_per_second), [null, null, 4 / 3]);
  assert.deepEqual(join.points.map((point) => point.failed_scrapes), [1, 1, 0]);
  assert.equal(join.totals().requests, 4);
});

Deno.test("pods add up, and shares are of the tokens of all of them", () => {
  const join = joiner();
  const [from, to] = [{ ...A, cached: 100 }, { ...B, cached: 300 }];
  const answers = [
    answer(frontend(from), frontend(to)),
    answer(frontend({ ...from, input: 600 }), frontend({ ...to, input: 1400 })),
  ];
  join.add({ at: 1000, seconds: 1, answers, failed: 0 });
  assert.equal(join.points[0]?.requests_per_second, 8);
  assert.equal(join.points[0]?.in_flight, 8);
  assert.equal(join.totals().kv_hit_rate, 400 / 1200);
});

Deno.test("a router's shares are taken where no cached tokens are counted", () => {
  const name = "dynamo_component_router_kv_hit_rate";
  const text = (sum: number, count: number) =>
    parseMetrics(
      `dynamo_frontend_requests_total ${count}\n${name}_sum ${sum}\n${name}_count ${count}\n`,
    );
  const join = joiner();
  join.add({ at: 1, seconds: 1, answers: [answer(text(1, 10), text(4, 16))], failed: 0 });
  assert.equal(join.totals().kv_hit_rate, 0.5);
});

Deno.test("an exporter's GPUs: those of the graph's pods, in shares, bytes and watts", () => {
  const gpu = (id: number, pod: string, busy: number) => `
DCGM_FI_DEV_GPU_UTIL{gpu="${id}",UUID="GPU-${id}",pod="${pod}",namespace="n"} ${busy}
DCGM_FI_DEV_FB_USED{gpu="${id}",UUID="GPU-${id}",pod="${pod}",namespace="n"} 1024
DCGM_FI_DEV_POWER_USAGE{gpu="${id}",UUID="GPU-${id}",pod="${pod}",namespace="n"} 200.5`;
  const metrics = parseMetrics(gpu(0, "mine-1", 90) + gpu(1, "mine-2", 50) + gpu(2, "other", 1));
  const reading = readSource(undefined, metrics, {
    kind: "auto",
    model: "m",
    pods: new Set(["mine-1", "mine-2"]),
  });
  assert.equal(reading.kind, "gpu");
  const join = joiner();
  join.add({ at: 1, seconds: 1, answers: [{ reading, seconds: 1 }], failed: 0 });
  assert.ok(Math.abs(join.points[0]!.gpu_utilisation! - 0.7) < 1e-9);
  assert.equal(join.points[0]?.gpu_memory_bytes, 2 * 2 ** 30);
  assert.equal(join.points[0]?.gpu_power_w, 401);
  assert.equal(join.totals().gpu?.power_w?.max, 401);
  const unnamed = parseMetrics('DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-0"} 10\n');
  const all = readSource(undefined, unnamed, { kind: "gpu", model: "m", pods: new Set(["x"]) });
  assert.equal(all.gpus.length, 1, "where the exporter names no pods all of its GPUs count");
});

Deno.test("a server without a frontend of Dynamo's is its own", () => {
  const text = (n: number) =>
    parseMetrics(`
vllm:time_to_first_token_seconds_bucket{model_name="Org/Model",le="0.1"} ${n}
vllm:time_to_first_token_seconds_bucket{model_name="Org/Model",le="+Inf"} ${n}
vllm:time_to_first_token_seconds_sum{model_name="Org/Model"} ${n * 0.05}
vllm:time_to_first_token_seconds_count{model_name="Org/Model"} ${n}
vllm:num_requests_running{model_name="Org/Model"} 2
vllm:kv_cache_usage_perc{model_name="Org/Model"} 0.5
vllm:request_success_total{model_name="Org/Model",finished_reason="length"} ${n}
`);
  const join = joiner();
  join.add({ at: 1, seconds: 1, answers: [answer(text(1), text(5))], failed: 0 });
  const totals = join.totals();
  assert.equal(totals.requests, 4);
  assert.ok(Math.abs(totals.ttft_ms!.mean - 50) < 1e-9);
  assert.equal(totals.kv_usage?.max, 0.5);
  assert.equal(totals.in_flight?.max, 2);
});
