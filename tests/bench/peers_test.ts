import assert from "node:assert/strict";
import { readAiperf, readGuidellm, readOurs, type ReportedFigures } from "./peer_results.ts";
import type { PeerRun } from "./peer_run.ts";
import { judge, peerRows, peerTable } from "./peer_table.ts";

const EXPECTED: ReportedFigures = {
  requests: 64,
  requestsPerSecond: 22.5,
  ttft: { p50: 51.5, p90: 53, p99: 60 },
  itl: 10.1,
};
const QUANTILES = { p50: 51.5, p90: 53, p99: 60 };

// Files of AIPerf 0.13.0 and guidellm 0.8.1, cut down to what is read and some of what is not.
const AIPERF = {
  request_count: { unit: "requests", avg: 64 },
  request_throughput: { unit: "requests/sec", avg: 22.5 },
  time_to_first_token: { unit: "ms", avg: 52, ...QUANTILES, std: 2 },
  inter_token_latency: { unit: "ms", avg: 10.2, p50: 10.1, p90: 10.3, p99: 10.4 },
};
const GUIDELLM = {
  metadata: { version: 1 },
  benchmarks: [{
    metrics: {
      request_totals: { successful: 64, errored: 0, incomplete: 0, total: 64 },
      requests_per_second: { successful: { mean: 22.5, median: 20 } },
      time_to_first_token_ms: {
        successful: { mean: 52, median: 51.5, percentiles: { p25: 51, ...QUANTILES } },
      },
      inter_token_latency_ms: { successful: { mean: 10.2, median: 10.1, percentiles: {} } },
    },
  }],
};

Deno.test("each load generator's file is read into the same figures", () => {
  const ours = {
    requests: { scheduled: 64, completed: 64, failed: 0 },
    requests_per_second: 22.5,
    ttft_ms: { mean: 52, ...QUANTILES },
    tpot_ms: { mean: 10.2, p50: 10.1 },
  };
  assert.deepEqual(readOurs(JSON.stringify(ours)), EXPECTED);
  assert.deepEqual(readAiperf(JSON.stringify(AIPERF)), EXPECTED);
  assert.deepEqual(readGuidellm(JSON.stringify(GUIDELLM)), EXPECTED);
});

Deno.test("a figure that is missing is named, not taken for 0", () => {
  assert.throws(
    () => readAiperf(JSON.stringify({ ...AIPERF, inter_token_latency: undefined })),
    /inter_token_latency\.p50 in AIPerf's file is no number/,
  );
  assert.throws(
    () => readGuidellm(JSON.stringify({ benchmarks: [] })),
    /benchmarks\.0\.metrics\.request_totals\.successful in guidellm's file/,
  );
  assert.throws(() => readOurs('{"requests":{"completed":3},"requests_per_second":null}'));
});

function runOf(client: string, load: string, round: number, ttft: number, requests = 64): PeerRun {
  return {
    client,
    load,
    round,
    figures: {
      reported: { ...EXPECTED, requests, ttft: { p50: ttft, p90: ttft, p99: ttft } },
      truth: { ttftP50: 50, ttftP99: 51, itl: 10 },
      cpuMs: 1000 + 2 * requests,
    },
  };
}

Deno.test("rows are medians over rounds; the error is that of each round", () => {
  const runs = [
    // Off by 2 each time, though the median of what is reported is right.
    ...[48, 52, 50].map((ttft, i) => runOf("ours", "64", i + 1, ttft, 400)),
    runOf("ours", "1", 1, 50, 8),
    { client: "ours", load: "64", round: 4, failed: "no answer" },
  ];
  const [row, single] = peerRows(runs);
  assert.equal(row!.rounds, 3);
  assert.equal(row!.ttft_p50, 50);
  assert.equal(row!.ttft_p50_error, 2);
  assert.equal(row!.ttft_p99_cv_percent, 4);
  assert.equal(row!.cpu_ms_per_request, (1000 + 800) / 400);
  assert.equal(row!.cpu_ms_per_further_request, 2);
  assert.equal(single!.ttft_p99_cv_percent, null);
  assert.equal(single!.cpu_ms_per_further_request, null);
  assert.match(peerTable([row!, single!]), /^\| load \| client .*\n\| -+ \| -+ \| -+: .*\n\| 64 /);
});

Deno.test("it holds only when ours is nearer than each peer at every number in flight", () => {
  const clients = ["ours", "aiperf", "guidellm"];
  const rows = (ours: number, guidellm: number) =>
    peerRows(["1", "64"].flatMap((load) => [
      runOf("ours", load, 1, load === "64" ? ours : 50.1),
      runOf("aiperf", load, 1, 80),
      runOf("guidellm", load, 1, guidellm),
    ]));
  const all = { loads: ["1", "64"], clients };
  assert.deepEqual(judge(rows(50.2, 60), all), { holds: true, reasons: [] });
  assert.match(
    judge(rows(52, 51.5), all).reasons.join(),
    /at 64 in flight guidellm is as accurate/,
  );
  assert.equal(judge(rows(50.2, 50.2), all).holds, false);
  assert.match(
    judge(rows(50.2, 60), { ...all, loads: ["1", "64", "512"] }).reasons.join(),
    /ours has no figures at 512/,
  );
  assert.equal(judge(rows(50.2, 60), { ...all, clients: ["ours"] }).holds, false);
});
