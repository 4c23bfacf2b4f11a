import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import type { Fault, MockOptions } from "./mock_options.ts";
import { serveMock } from "./mock_server.ts";
import type { BenchOptions } from "./options.ts";
import type { FailureKind } from "./record.ts";
import type { BenchSummary } from "./summary.ts";

async function bench(
  mock: Partial<MockOptions>,
  options: Partial<BenchOptions>,
): Promise<BenchSummary> {
  await using test = await testContext();
  // In this thread: what counts here is what is counted, not when.
  const server = serveMock(test.ctx, { ttftMs: 5, itlMs: 1, ...mock });
  try {
    return await runBench(test.ctx, {
      url: `http://127.0.0.1:${server.port}`,
      concurrency: 4,
      requests: 40,
      outputTokens: 20,
      warmup: 0,
      ...options,
    });
  } finally {
    await server.close();
  }
}

// Every tenth of 40 requests fails in this way, and nothing else does.
const FAULTS: [Partial<Fault> & Pick<Fault, "kind">, FailureKind, RegExp][] = [
  [{ kind: "status", status: 500 }, "http_500", /^injected$/],
  [{ kind: "status", status: 503, body: "" }, "http_503", /^no body$/],
  [{ kind: "status", status: 529, body: '{"error":"overloaded"}' }, "http_529", /^overloaded$/],
  [{ kind: "redirect" }, "http_307", /^redirect to \/elsewhere$/],
  [{ kind: "half-close" }, "reset", /connection ended after 3 events/],
  [{ kind: "close-midway" }, "reset", /connection ended after 3 events/],
  [{ kind: "truncate" }, "truncated", /ended after 3 events without its end mark/],
  [{ kind: "stream-error" }, "stream_error", /worker is gone/],
  [{ kind: "hang", after: 0 }, "idle_timeout", /no byte from the server for 500 ms/],
  [{ kind: "hang", after: 3 }, "idle_timeout", /no byte from the server for 500 ms/],
  [{ kind: "bad-chunk" }, "protocol", /Broken HTTP: a chunk's size/],
  [{ kind: "gzip" }, "protocol", /encoded as gzip/],
  [{ kind: "not-sse" }, "not_sse", /application\/json/],
  [{ kind: "huge-event" }, "protocol", /larger than 4194304 bytes/],
  [{ kind: "empty" }, "empty", /no output/],
];

for (const [fault, kind, pattern] of FAULTS) {
  Deno.test(`${fault.kind} ${fault.status ?? ""} ${fault.after ?? ""} is counted as ${kind}`, async () => {
    const summary = await bench({ faults: [{ every: 10, ...fault }] }, { idleTimeoutMs: 500 });
    assert.deepEqual(summary.errors.by_kind, { [kind]: 4 });
    assert.match(summary.errors.details[0]!.message, pattern);
    assert.deepEqual(summary.requests, { scheduled: 40, completed: 36, failed: 4, resent: 0 });
    assert.equal(summary.errors.rate, 0.1);
    assert.equal(summary.errors.overloaded, /503|529/.test(kind) ? 4 : 0);
    assert.equal(summary.ttft_ms?.count, 36);
  });
}

Deno.test("a connection that ends without an answer is a failure when it is new", async () => {
  // Each request gets a connection of its own, so none of them may be sent again.
  const summary = await bench({
    requestsPerConnection: 1,
    faults: [{ kind: "close-before", every: 10 }],
  }, { concurrency: 1 });
  assert.equal(summary.requests.completed + (summary.errors.by_kind.reset ?? 0), 40);
  assert.ok((summary.errors.by_kind.reset ?? 0) + summary.requests.resent >= 4);
});

Deno.test("a request that takes too long as a whole is a timeout", async () => {
  const summary = await bench({ faults: [{ kind: "stall", every: 10, ms: 5000 }] }, {
    requestTimeoutMs: 400,
  });
  assert.deepEqual(summary.errors.by_kind, { timeout: 4 });
});

Deno.test("connections that the server closes while they are kept fail no request", async () => {
  const closed = await bench({ requestsPerConnection: 3 }, {});
  assert.equal(closed.requests.completed, 40);
  assert.ok(closed.client.connections >= 12, `${closed.client.connections} connections`);
  const idle = await bench({ requestsPerConnection: 2 }, { rate: 50, concurrency: 4 });
  assert.equal(idle.requests.completed, 40);
});

Deno.test("a server that dies: its requests fail, the run ends and says so", async () => {
  await using test = await testContext();
  const server = serveMock(test.ctx, { ttftMs: 5, itlMs: 1 });
  let stopping: Promise<void> | undefined;
  const start = performance.now();
  const summary = await runBench(test.ctx, {
    url: `http://127.0.0.1:${server.port}`,
    concurrency: 8,
    requests: 100_000,
    outputTokens: 20,
    giveUpMs: 1500,
    onProgress: ({ phase, elapsedMs }) => {
      if (phase === "run" && elapsedMs > 300) stopping ??= server.close();
    },
  });
  await stopping;
  assert.ok(performance.now() - start < 8000);
  assert.ok(summary.requests.completed > 10);
  assert.ok((summary.errors.by_kind.connect ?? 0) > 0);
  assert.ok(summary.requests.failed < 1000, "a dead server must not eat up the requests");
  assert.equal(summary.valid, false);
  assert.match(summary.invalid_reasons.join("\n"), /^gave_up: nothing has been answered for 2 s/m);
});

Deno.test("nothing answered at all is invalid", async () => {
  const summary = await bench({ faults: [{ kind: "status", every: 1 }] }, {});
  assert.equal(summary.valid, false);
  assert.match(summary.invalid_reasons[0]!, /^no_success: none of 40 requests/);
  assert.equal(summary.ttft_ms, null);
  assert.equal(summary.requests_per_second, 0);
});
