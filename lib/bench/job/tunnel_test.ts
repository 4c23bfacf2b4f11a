import assert from "node:assert/strict";
import type { BenchSummary } from "../summary.ts";
import type { Block } from "./block.ts";
import { tunnelText } from "./tunnel.ts";
import { blockOptions, pairedTax, runBlocks, tunnelTax } from "./tunnel_tax.ts";

function block(ttft: number, requests = 200): Block {
  const summary = {
    ttft_ms: { p50: ttft },
    tpot_ms: { p50: 10 },
    requests: { completed: requests },
    requests_per_second: requests / 2,
  } as unknown as BenchSummary;
  return {
    summary,
    ttftMs: Array.from({ length: requests }, (_, i) => ttft + i / 100),
    cpuMs: 100,
  };
}

Deno.test("blocks run in turn, both of a pair with the same number", async () => {
  const order: string[] = [];
  await runBlocks({
    inCluster: (pair) => (order.push(`in ${pair}`), Promise.resolve(block(1))),
    tunnel: (pair) => (order.push(`tunnel ${pair}`), Promise.resolve(block(1))),
  });
  assert.deepEqual(order, [
    ...["in 0", "tunnel 0", "tunnel 1", "in 1"],
    ...["in 2", "tunnel 2", "tunnel 3", "in 3"],
  ]);
});

Deno.test("the tax: paired differences with their t interval, p99 only of enough requests", () => {
  const inCluster = [50, 52, 51, 49].map((ttft) => block(ttft));
  const tunnel = [52, 53, 54, 51].map((ttft) => block(ttft));
  const tax = tunnelTax({ inCluster, tunnel }, { in_cluster: null, tunnel: null }, {
    kind: "concurrency",
    concurrency: 8,
  });
  const { added, interval } = tax.ttft_p50_ms!;
  // Differences 2, 1, 3, 2: mean 2, standard deviation √(2/3); t(0.975, 3) = 3.18245.
  assert.equal(added, 2);
  const reach = 3.18245 * Math.sqrt(2 / 3) / 2;
  assert.ok(Math.abs(interval![0] - (2 - reach)) < 1e-4, String(interval));
  assert.ok(Math.abs(interval![1] - (2 + reach)) < 1e-4, String(interval));
  assert.deepEqual(tax.tpot_p50_ms, { in_cluster: 10, tunnel: 10, added: 0, interval: [0, 0] });
  assert.equal(tax.cpu_ms_per_request!.tunnel, 0.5);
  assert.equal(tax.ttft_p99_ms?.interval, null);
  assert.match(tunnelText(tax), /TTFT p50 50\.50 → 52\.50 ms, \+2\.00 ms \(\+0\.70 to \+3\.30\)/);
  const few = [block(50, 100), block(51, 100)];
  const short = tunnelTax({ inCluster: few, tunnel: few }, { in_cluster: null, tunnel: null }, {
    kind: "concurrency",
  });
  assert.equal(short.ttft_p99_ms, null);
});

Deno.test("no tax of what one side did not measure", () => {
  assert.equal(pairedTax([1, undefined], [1, 2]), null);
  assert.equal(pairedTax([1], [2]), null);
});

Deno.test("a block is the run's load for a short time; a trace becomes a closed loop", () => {
  const run = { client: { in_flight: 12.4 } } as unknown as BenchSummary;
  const rate = blockOptions({ rate: 5, requests: 1000, calibration: true }, run, 7);
  assert.deepEqual(
    [rate.rate, rate.requests, rate.durationMs, rate.calibration, rate.seed],
    [5, undefined, 2000, false, 7],
  );
  const trace = blockOptions({ trace: { path: "x", requests: [] }, traceSpeed: 2 }, run, 7);
  assert.equal(trace.concurrency, 12);
  assert.ok(!("trace" in trace) && !("traceSpeed" in trace));
});
