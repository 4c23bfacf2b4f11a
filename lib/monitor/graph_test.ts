import assert from "node:assert/strict";
import { type GraphTraffic, TRAFFIC_HEADING, trafficLines } from "./graph.ts";
import type { ModelTraffic } from "./traffic.ts";

const MODEL: ModelTraffic = {
  model: "a-vendor/a-model-with-quite-a-long-name",
  requestsPerSecond: 12345.6,
  errorRate: 0,
  outputTokensPerSecond: 123456,
  ttftP50: 0.0123,
  ttftP90: 123.4,
  itlP50: 9.876,
  itlP90: 0.999,
  inFlight: 1234,
  queued: 1234,
  kvHitRate: 1,
};

function traffic(...models: ModelTraffic[]): GraphTraffic {
  return { time: "", graph: "g", namespace: "n", seconds: 2, frontends: 1, models };
}

Deno.test("lines fit 80 columns and stand below their heading", () => {
  const [line] = trafficLines(traffic(MODEL));
  assert.equal(
    line,
    "a-model-with-…12345.6  12.3 ms   123 s   9.88 s  999 ms 123456 1234 1234  100 %",
  );
  assert.ok(TRAFFIC_HEADING.length <= 80, TRAFFIC_HEADING);
  assert.equal([...line].length, TRAFFIC_HEADING.length);
});

Deno.test("what is not known is a dash", () => {
  const nothing = { ttftP50: null, ttftP90: null, itlP50: null, itlP90: null };
  const [line] = trafficLines(traffic({ ...MODEL, ...nothing, queued: null, kvHitRate: null }));
  assert.equal(line?.match(/ -/g)?.length, 6, line ?? "");
  assert.deepEqual(trafficLines(traffic()), ["no requests yet"]);
});
