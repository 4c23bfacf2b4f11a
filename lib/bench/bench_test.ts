import assert from "node:assert/strict";
import { EXIT, TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import { type RunningMock, startMock } from "./mock.ts";
import type { MockOptions, MockStats } from "./mock_options.ts";
import type { BenchOptions, BenchProgress } from "./options.ts";
import { dueTimes, stagedLoad } from "./schedule.ts";
import { parseStages } from "./stages.ts";
import type { BenchSummary } from "./summary.ts";
import { timeIs, timely, within } from "./testing.ts";

const FAST: MockOptions = { ttftMs: 5, itlMs: 1 };
// More than a probe asks for, so that faults spare the probes.
const TOKENS = 20;

/** Runs a benchmark against a mock of its own. */
async function bench(
  mock: MockOptions,
  options: Partial<BenchOptions>,
): Promise<{ summary: BenchSummary; stats: MockStats }> {
  await using test = await testContext();
  await using server = await startMock(mock);
  const summary = await runBench(test.ctx, { url: server.url, outputTokens: TOKENS, ...options });
  return { summary, stats: await server.stats() };
}

Deno.test("32 in flight: latencies are the server's, and everything is counted", () =>
  timely(async () => {
    const seen: BenchProgress[] = [];
    const { summary, stats } = await bench({ ttftMs: 40, itlMs: 5 }, {
      concurrency: 32,
      requests: 320,
      inputTokens: 100,
      onProgress: (progress) => seen.push(progress),
    });
    within(summary.ttft_ms?.p50, stats.ttft!.p50, 2, "median TTFT");
    within(summary.ttft_service_ms?.p50, stats.ttft!.p50, 2, "median TTFT from sending");
    within(summary.tpot_ms?.p50, stats.itl!, 0.01 * stats.itl!, "median TPOT");
    within(summary.icl_ms?.mean, 5, 0.1, "mean gap");
    within(summary.e2e_ms?.p50, stats.ttft!.p50 + 19 * 5, 3, "median end to end");
    assert.deepEqual(summary.requests, { scheduled: 320, completed: 320, failed: 0, resent: 0 });
    assert.deepEqual(summary.output_tokens, { asked: 20, total: 6400, mean: 20, min: 20, max: 20 });
    assert.deepEqual(summary.input_tokens, {
      asked: 100,
      total: 32_000,
      mean: 100,
      min: 100,
      max: 100,
    });
    assert.equal(summary.icl_ms?.count, 320 * 19);
    assert.equal(summary.tokens_per_event, 1);
    assert.equal(stats.maxInFlight, 32);
    within(summary.client.in_flight, 32, 1, "in flight");
    within(summary.output_tokens_per_second, 32 * 20 / 0.137, 500, "tokens per second");
    assert.deepEqual(
      [...new Set(seen.map((progress) => progress.phase))],
      ["probe", "connect", "warmup", "run"],
    );
    timeIs(
      seen.some((progress) => progress.inFlight === 32 && progress.eventsPerSecond > 1000),
      "no snapshot shows the full load",
    );
  }));

Deno.test("several tokens an event: time per token is right, and the grouping is told", () =>
  timely(async () => {
    const { summary, stats } = await bench({ ttftMs: 20, itlMs: 2, chunk: 4 }, {
      concurrency: 4,
      requests: 40,
      outputTokens: 32,
    });
    within(stats.itl, 2, 0.05, "true time per token");
    within(summary.tpot_ms?.p50, stats.itl!, 0.02 * stats.itl!, "median TPOT");
    within(summary.icl_ms?.p50, 8, 0.5, "gap between events");
    assert.equal(summary.tokens_per_event, 4);
    assert.equal((summary.config.request as Record<string, unknown>).usage, "every-chunk");
  }));

Deno.test("prompt length is calibrated from the server's counts", async () => {
  const { summary } = await bench({ ...FAST, templateTokens: 13, tokensPerWord: 1.37 }, {
    concurrency: 4,
    requests: 40,
    inputTokens: 500,
  });
  within(summary.input_tokens.mean, 500, 5, "prompt tokens");
  assert.deepEqual(summary.warnings, []);
});

Deno.test("usage in every chunk (0.4.1) and fields that are refused (1.x) are coped with", async () => {
  const old = await bench({ ...FAST, usage: "always" }, { concurrency: 4, requests: 40 });
  assert.equal(old.summary.output_tokens.mean, TOKENS);
  assert.equal(old.summary.tokens_per_event, 1);
  const request = async (refuse: string[]) => {
    const { summary } = await bench({ ...FAST, refuse }, {
      concurrency: 2,
      requests: 4,
      warmup: 0,
    });
    assert.equal(summary.requests.failed, 0);
    return summary.config.request as Record<string, unknown>;
  };
  const { min_tokens, ignore_eos } = await request(["min_tokens"]);
  assert.deepEqual([min_tokens, ignore_eos], [false, true]);
  assert.equal(
    (await request(["ignore_eos", "min_tokens", "max_tokens"])).limit_field,
    "max_completion_tokens",
  );
  assert.equal((await request(["ignore_eos", "min_tokens", "stream_options"])).usage, "none");
});

Deno.test("answers that nobody counts make the run invalid", async () => {
  const { summary } = await bench({ ...FAST, usage: "never" }, { concurrency: 4, requests: 40 });
  assert.equal(summary.valid, false);
  assert.match(summary.invalid_reasons.join("\n"), /^tokens_guessed: .* 40 of 40 answers/m);
  assert.equal(summary.output_tokens.mean, TOKENS);
  assert.match(summary.warnings.join("\n"), /does not count prompt tokens/);
});

Deno.test("a run that is too short, and a client that cannot keep up, are invalid", () =>
  timely(async () => {
    const { summary } = await bench(FAST, {
      concurrency: 2,
      requests: 4,
      limits: { loopLagMs: -1 },
    });
    const reasons = summary.invalid_reasons.join("\n");
    assert.match(reasons, /^window_too_short: /m);
    assert.match(reasons, /^too_few_requests: 4 ended well/m);
    const slow = await bench(FAST, {
      rate: 2000,
      concurrency: 2,
      requests: 200,
      outputTokens: TOKENS,
    });
    assert.match(
      slow.summary.invalid_reasons.join("\n"),
      /^send_lag: .* more than 2 were in flight/m,
    );
    // What waited in the client's queue is part of the headline, not of the service time.
    timeIs(
      slow.summary.ttft_ms!.p50 > 20 * slow.summary.ttft_service_ms!.p50,
      "the wait is missing from the headline",
    );
  }));

Deno.test("without streaming there is no time to first token", () =>
  timely(async () => {
    const { summary } = await bench({ ttftMs: 20, itlMs: 1 }, {
      concurrency: 4,
      requests: 40,
      stream: false,
    });
    assert.equal(summary.ttft_ms, null);
    assert.equal(summary.tpot_ms, null);
    within(summary.e2e_ms?.p50, 39, 3, "median end to end");
    assert.equal(summary.output_tokens.mean, TOKENS);
  }));

Deno.test("plain completions", async () => {
  const { summary } = await bench(FAST, { concurrency: 4, requests: 40, api: "completions" });
  assert.equal(summary.requests.completed, 40);
  assert.equal(summary.output_tokens.mean, TOKENS);
});

Deno.test("the same seed sends the same prompts; another seed others", async () => {
  const prompts = async (seed: number) => {
    const { stats } = await bench(FAST, { concurrency: 1, requests: 8, warmup: 0, seed });
    return stats.prompts;
  };
  const first = await prompts(1);
  assert.deepEqual(await prompts(1), first);
  const second = await prompts(2);
  assert.equal(first.length, second.length);
  assert.ok(first.slice(-8).every((prompt, i) => prompt !== second.slice(-8)[i]));
});

Deno.test("a Poisson rate arrives on its schedule", () =>
  timely(async () => {
    const { summary, stats } = await bench(FAST, { rate: 100, requests: 150, warmup: 0, seed: 4 });
    const due = dueTimes({ kind: "poisson", rate: 100, maxInFlight: 1 }, 4).take(150).toArray();
    const arrivals = stats.arrivals.slice(-150);
    const late = arrivals.map((at, i) => at - arrivals[0]! - (due[i]! - due[0]!)).sort((a, b) =>
      a - b
    );
    assert.equal(arrivals.length, 150);
    // Against each other: the first one may be late as a whole.
    within(late[112]! - late[37]!, 0, 2, "spread of the arrivals' lateness");
    within(summary.client.send_lag_ms?.p50, 0, 1, "median send lag");
    assert.equal(summary.requests.completed, 150);
  }));

Deno.test("stages arrive on their schedule, ramp and bursts included", () =>
  timely(async () => {
    const stages = parseStages("300ms@0,700ms@40,700ms@40-160");
    const { summary, stats } = await bench(FAST, {
      stages,
      burstiness: 0.5,
      warmup: 0,
      seed: 4,
    });
    const load = stagedLoad(stages, { arrival: "gamma", burstiness: 0.5 }, 1);
    const due = dueTimes(load, 4).toArray();
    const arrivals = stats.arrivals.slice(-due.length);
    const late = arrivals.map((at, i) => at - arrivals[0]! - (due[i]! - due[0]!)).sort((a, b) =>
      a - b
    );
    assert.equal(summary.requests.completed, due.length);
    assert.equal(summary.config.stages, "0.3s@0,0.7s@40,0.7s@40-160");
    const quarter = late.length >> 2;
    within(late[3 * quarter]! - late[quarter]!, 0, 2, "spread of the arrivals' lateness");
    within(summary.client.send_lag_ms?.p50, 0, 1, "median send lag");
  }));

Deno.test("a frozen server shows in the headline of an open loop, and hides in a closed one", () =>
  timely(async () => {
    const frozen: MockOptions = { ...FAST, freeze: { everyMs: 900, forMs: 450 } };
    const open = await bench(frozen, { rate: 60, arrival: "constant", durationMs: 2700 });
    const closed = await bench(frozen, { concurrency: 4, durationMs: 1800 });
    timeIs(open.summary.ttft_ms!.p90 > 200, `open loop p90 ${open.summary.ttft_ms!.p90}`);
    timeIs(closed.summary.ttft_ms!.p90 < 100, `closed loop p90 ${closed.summary.ttft_ms!.p90}`);
  }));

Deno.test("a stall within a stream shows in the gaps, not in the median time per token", () =>
  timely(async () => {
    const { summary } = await bench({ ...FAST, faults: [{ kind: "stall", every: 10, ms: 400 }] }, {
      concurrency: 4,
      requests: 40,
      warmup: 0,
    });
    within(summary.icl_ms?.max, 400, 20, "longest gap");
    within(summary.tpot_ms?.p50, 1, 0.3, "median TPOT");
    assert.equal(summary.requests.failed, 0);
  }));

Deno.test("a duration ends the run; what is still running after the grace period is unfinished", () =>
  timely(async () => {
    // An answer takes 2.5 s.
    const { summary } = await bench({ ttftMs: 5, itlMs: 125 }, {
      concurrency: 4,
      durationMs: 500,
      graceMs: 100,
      warmup: 0,
    });
    timeIs(summary.wall_s < 1.5, `took ${summary.wall_s} s`);
    assert.deepEqual(summary.requests, { scheduled: 4, completed: 0, failed: 4, resent: 0 });
    assert.deepEqual(summary.errors.by_kind, { unfinished: 4 });
  }));

Deno.test("interruption ends a run within a second", () =>
  timely(async () => {
    const stop = new AbortController();
    await using test = await testContext({ signal: stop.signal });
    await using server = await startMock({ ttftMs: 100, itlMs: 100 });
    const running = runBench(test.ctx, {
      url: server.url,
      concurrency: 64,
      requests: 6400,
      warmup: 0,
      outputTokens: 100,
      onProgress: ({ phase, elapsedMs }) => {
        if (phase === "run" && elapsedMs > 400) stop.abort();
      },
    });
    let aborted = 0;
    stop.signal.addEventListener("abort", () => aborted = performance.now());
    await assert.rejects(
      running,
      (error) => error instanceof TaskError && error.exitCode === EXIT.interrupted,
    );
    const took = performance.now() - aborted;
    timeIs(took < 1000, `it took ${took} ms to stop`);
  }));

Deno.test("connections given as streams are used in place of the URL", async () => {
  await using test = await testContext();
  await using server = await startMock(FAST);
  let opened = 0;
  const summary = await runBench(test.ctx, {
    url: "http://graph.invalid",
    model: "mock",
    concurrency: 4,
    requests: 40,
    connect: async () => {
      opened++;
      const connection = await Deno.connect({
        hostname: "127.0.0.1",
        port: Number(new URL(server.url).port),
      });
      const close = () => {
        try {
          connection.close();
        } catch {
          // Closed by its streams.
        }
      };
      return { readable: connection.readable, writable: connection.writable, close };
    },
  });
  assert.equal(summary.requests.completed, 40);
  assert.equal(opened, 5);
});

Deno.test("what cannot be measured is refused with a reason", async () => {
  await using test = await testContext();
  await using server: RunningMock = await startMock({ ...FAST, models: ["a", "b"] });
  const refused = async (options: Partial<BenchOptions>, exitCode: number, pattern: RegExp) =>
    await assert.rejects(runBench(test.ctx, { url: server.url, ...options }), (error) => {
      assert.ok(error instanceof TaskError, String(error));
      assert.match(`${error.message} ${error.hint ?? ""}`, pattern);
      return error.exitCode === exitCode;
    });
  await refused({}, EXIT.usage, /serves 2 models.*--model a \| b/);
  await refused({ model: "c" }, EXIT.failed, /first request .*\(404\): Model not found/);
  await refused({ concurrency: 0 }, EXIT.usage, /--concurrency is 0/);
  await refused({ rate: NaN }, EXIT.usage, /--rate is NaN/);
  await refused({ requests: 1.5 }, EXIT.usage, /--requests is 1.5; it takes a whole number/);
  await refused({ url: "localhost" }, EXIT.usage, /"localhost" is not a URL/);
  await refused({ apiKey: "a\r\nHost: b" }, EXIT.usage, /API key/);
  await refused({ url: "http://127.0.0.1:1" }, EXIT.failed, /\/v1\/models failed/);
});
