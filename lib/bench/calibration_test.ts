import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import { type Calibration, calibrationFindings } from "./calibration.ts";
import { startMock } from "./mock.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchSummary } from "./summary.ts";
import { summaryToText } from "./summary_text.ts";
import { timeIs, timely } from "./testing.ts";

async function bench(options: Partial<BenchOptions>): Promise<BenchSummary> {
  await using test = await testContext();
  await using server = await startMock({ ttftMs: 20, itlMs: 2 });
  return await runBench(test.ctx, {
    url: server.url,
    outputTokens: 20,
    requests: 40,
    calibration: true,
    ...options,
  });
}

Deno.test("what the client adds is measured before the run, in all its forms", () =>
  timely(async () => {
    const phases = new Set<string>();
    const { calibration, ...summary } = await bench({
      concurrency: 16,
      onProgress: ({ phase }) => phases.add(phase),
    });
    assert.ok(calibration !== null);
    assert.equal(calibration.concurrency, 16);
    assert.equal(calibration.rate, null);
    timeIs(calibration.requests > 40, `${calibration.requests} requests`);
    timeIs(Math.abs(calibration.ttft_error_ms!.p50) < 2, "median TTFT is wrong");
    timeIs(Math.abs(calibration.tpot_error_percent!) < 2, "TPOT is wrong");
    const { requests_per_second: most, events_per_second: events } = calibration.ceiling;
    timeIs(most > 200, `${most} requests/s`);
    assert.ok(events > 10 * most && events < 30 * most, `${events} events/s, ${most} requests/s`);
    assert.equal(summary.requests.completed, 40);
    assert.deepEqual([...phases].slice(0, 3), ["probe", "calibrate", "connect"]);
    assert.match(
      summaryToText({ ...summary, calibration }, 100),
      /adds [+−][\d.]+ ms to the median TTFT \([+−][\d.]+ at p99\), [\s\S]*requests\/s/,
    );
  }));

Deno.test("rates and whole answers are calibrated as what they are", () =>
  timely(async () => {
    const { calibration } = await bench({ rate: 200, stream: false });
    assert.ok(calibration !== null);
    assert.equal(calibration.concurrency, null);
    assert.equal(calibration.ttft_error_ms, null);
    assert.equal(calibration.tpot_error_percent, null);
    // A busy machine gets less: a quarter of its ceiling.
    timeIs(calibration.rate === 200, `${calibration.rate} requests/s`);
    timeIs(calibration.requests > 20, `${calibration.requests} requests`);
  }));

Deno.test("without calibration there is none", async () => {
  const summary = await bench({ calibration: false, concurrency: 4 });
  assert.equal(summary.calibration, null);
  assert.doesNotMatch(summaryToText(summary, 100), /adds/);
});

Deno.test("an interrupted calibration is an interrupted run", async () => {
  const stop = new AbortController();
  await using test = await testContext({ signal: stop.signal });
  await using server = await startMock({ ttftMs: 1, itlMs: 0 });
  const run = runBench(test.ctx, {
    url: server.url,
    calibration: true,
    onProgress: ({ phase }) => phase === "calibrate" && setTimeout(() => stop.abort(), 100),
  });
  await assert.rejects(
    run,
    (error) => error instanceof TaskError && error.code === "INTERRUPTED",
  );
});

const GOOD: Calibration = {
  concurrency: 8,
  rate: null,
  requests: 50,
  ttft_error_ms: { p50: 0.2, p99: 0.9 },
  tpot_error_percent: 0.1,
  ceiling: { requests_per_second: 3000, events_per_second: 100_000 },
};
const RUN = { ttftMs: 50, ttftP99Ms: 80, eventsPerSecond: 20_000 };

Deno.test("a run near the ceiling, or below the client's own error, is not about the server", () => {
  const of = (calibration: Partial<Calibration>, run: Partial<typeof RUN>) =>
    calibrationFindings({ ...GOOD, ...calibration }, { ...RUN, ...run });
  assert.deepEqual(of({}, {}), { reasons: [], warnings: [] });
  assert.deepEqual(of({}, { eventsPerSecond: 79_000 }).reasons, []);
  assert.match(
    of({}, { eventsPerSecond: 81_000 }).reasons.join(),
    /^client_ceiling: the run made 81000 events\/s, 81 % of the 100000 /,
  );
  const wrong = (p50: number, p99 = p50) => ({ ttft_error_ms: { p50, p99 } });
  assert.match(of(wrong(11), {}).reasons.join(), /^client_error: .* wrong by 11\.0 ms, and 50\.0/);
  assert.match(of(wrong(-11), {}).reasons.join(), /^client_error/);
  assert.match(of(wrong(3), {}).warnings.join(), /median TTFT was wrong by 3\.0 ms/);
  assert.match(of(wrong(1, 20), {}).warnings.join(), /p99 of TTFT was wrong by 20\.0 ms/);
  // Less than a millisecond is no reason, however fast the server.
  assert.deepEqual(of(wrong(0.9), { ttftMs: 1 }), { reasons: [], warnings: [] });
});
