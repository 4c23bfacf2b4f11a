import assert from "node:assert/strict";
import { parseMetrics } from "../serving/prometheus.ts";
import { type Scrape, trafficBetween } from "./traffic.ts";

interface Numbers {
  readonly ok: number;
  readonly failed?: number;
  readonly fast: number;
  readonly slow: number;
  readonly output: number;
  readonly input: number;
  readonly cached?: number;
  readonly queued?: number;
}

// In the form of 1.6.1; without `cached` and `queued` that of 0.4.1.
function exposition(numbers: Numbers, model = "m"): string {
  const { ok, failed = 0, fast, slow, output, input, cached, queued } = numbers;
  const histogram = (name: string) => `
dynamo_frontend_${name}_bucket{model="${model}",le="0.1"} ${fast}
dynamo_frontend_${name}_bucket{model="${model}",le="1"} ${fast + slow}
dynamo_frontend_${name}_bucket{model="${model}",le="+Inf"} ${fast + slow}`;
  return `# TYPE dynamo_frontend_requests_total counter
dynamo_frontend_requests_total{model="${model}",status="success"} ${ok}
dynamo_frontend_requests_total{model="${model}",status="error"} ${failed}
dynamo_frontend_requests_total{model="unknown_model",status="error"} 7
dynamo_frontend_inflight_requests{model="${model}"} 3
dynamo_frontend_output_sequence_tokens_sum{model="${model}"} ${output}
dynamo_frontend_input_sequence_tokens_sum{model="${model}"} ${input}
${cached === undefined ? "" : `dynamo_frontend_cached_tokens_sum{model="${model}"} ${cached}`}
${queued === undefined ? "" : `dynamo_frontend_queued_requests{model="${model}"} ${queued}`}
${histogram("time_to_first_token_seconds")}
${histogram("inter_token_latency_seconds")}
`;
}

function scrape(at: number, pods: Record<string, string>): Scrape {
  const parsed = Object.entries(pods).map(([pod, text]) => [pod, parseMetrics(text)] as const);
  return { at, pods: new Map(parsed) };
}

const START = {
  ok: 100,
  failed: 10,
  fast: 100,
  slow: 10,
  output: 1000,
  input: 5000,
  cached: 50,
  queued: 0,
};
const END = {
  ok: 116,
  failed: 14,
  fast: 110,
  slow: 20,
  output: 1400,
  input: 6000,
  cached: 300,
  queued: 2,
};

Deno.test("rates, quantiles and shares are those of the time between two scrapes", () => {
  const traffic = trafficBetween(
    scrape(1_000, { a: exposition(START) }),
    scrape(5_000, { a: exposition(END) }),
  );
  assert.deepEqual(traffic, [{
    model: "m",
    requestsPerSecond: 5,
    errorRate: 0.2,
    outputTokensPerSecond: 100,
    ttftP50: 0.1,
    ttftP90: 0.1 + 0.9 * 0.8,
    itlP50: 0.1,
    itlP90: 0.1 + 0.9 * 0.8,
    inFlight: 3,
    queued: 2,
    kvHitRate: 0.25,
  }]);
});

Deno.test("0.4.1 has neither queue nor cache: null, not 0", () => {
  const { cached: _, queued: __, ...old } = START;
  const { cached: ___, queued: ____, ...now } = END;
  const [traffic] = trafficBetween(
    scrape(0, { a: exposition(old) }),
    scrape(1_000, { a: exposition(now) }),
  );
  assert.equal(traffic?.queued, null);
  assert.equal(traffic?.kvHitRate, null);
  assert.equal(traffic?.requestsPerSecond, 20);
});

Deno.test("pods add up; one that began anew or is new counts from 0", () => {
  const fresh = { ok: 8, fast: 8, slow: 0, output: 80, input: 800, cached: 0, queued: 1 };
  const [traffic] = trafficBetween(
    scrape(0, { a: exposition(START), gone: exposition(START) }),
    scrape(1_000, { a: exposition(fresh), b: exposition(fresh) }),
  );
  assert.equal(traffic?.requestsPerSecond, 16);
  assert.equal(traffic?.outputTokensPerSecond, 160);
  assert.equal(traffic?.inFlight, 6);
  assert.equal(traffic?.queued, 2);
});

Deno.test("no requests in between: no quantiles; before the first request no models", () => {
  const same = exposition(START);
  const [traffic] = trafficBetween(scrape(0, { a: same }), scrape(1_000, { a: same }));
  assert.equal(traffic?.ttftP50, null);
  assert.equal(traffic?.errorRate, null);
  assert.equal(traffic?.kvHitRate, null);
  assert.equal(traffic?.requestsPerSecond, 0);
  assert.deepEqual(trafficBetween(scrape(0, { a: "" }), scrape(1_000, { a: "" })), []);
});
