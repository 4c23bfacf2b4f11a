import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import { runBench } from "../bench.ts";
import { startMock } from "../mock.ts";
import { openResults } from "../results.ts";
import { samplesOf } from "../samples.ts";
import { timely } from "../testing.ts";
import { aggregateRequests, histogram } from "./aggregate.ts";
import { barChart, escapeHtml, lineChart } from "./charts.ts";
import { writeReport } from "./write_report.ts";

const TEXT = { title: "T", x: "x", y: "y" };

Deno.test("a run leaves a page, a table and AIPerf's file, and they agree with the summary", () =>
  timely(async () => {
    await using test = await testContext();
    await using server = await startMock({
      ttftMs: 10,
      itlMs: 1,
      faults: [{ kind: "status", every: 10, offset: 5, status: 503, body: "<b>full & busy</b>" }],
    });
    const results = await openResults(test.ctx, `${test.ctx.home}/run`);
    const summary = await runBench(test.ctx, {
      url: server.url,
      concurrency: 8,
      requests: 100,
      outputTokens: 20,
      warmup: 0,
      onRequests: results.onRequests,
    });
    const files = await results.finish(summary);
    const report = await writeReport(test.ctx, files, 'team/<vllm> "x"', summary);

    const html = await Deno.readTextFile(report.html);
    assert.match(html, /^<!doctype html>/);
    assert.ok(!/<(script|link|img|iframe)\b|https?:\/\/(?!127\.0\.0\.1)/.test(html), "no network");
    assert.ok(!html.includes("<b>full"), "what a server says is text");
    assert.match(html, /team\/&#60;vllm&#62; &#34;x&#34;/);
    assert.equal(html.match(/<svg/g)?.length, 6);
    assert.match(html, /http_503/);
    assert.equal(summary.errors.overloaded > 0, true);

    const rows = (await Deno.readTextFile(report.csv)).trim().split("\n").map((row) =>
      row.split(",")
    );
    assert.ok(rows.every((row) => row.length === rows[0]!.length));
    const ttft = rows.find((row) => row[0] === "ttft")!;
    assert.equal(Number(ttft[5]), summary.ttft_ms!.p50);
    const aiperf = JSON.parse(await Deno.readTextFile(report.aiperf));
    assert.equal(aiperf.time_to_first_token.p99, summary.ttft_service_ms!.p99);
    assert.equal(aiperf.request_count.avg, summary.requests.completed);
    assert.equal(aiperf.error_request_count.avg, summary.errors.total);

    const charts = await aggregateRequests(test.ctx, files.requests, summary.wall_s);
    const sum = (of: (bin: typeof charts.bins[number]) => number) =>
      charts.bins.reduce((total, bin) => total + of(bin), 0);
    assert.equal(sum((bin) => bin.completed), summary.requests.completed);
    assert.equal(sum((bin) => bin.failed), summary.errors.total);
    const tokens = sum((bin) => bin.tokensPerSecond * charts.binSeconds);
    assert.ok(Math.abs(tokens - summary.output_tokens.total) < 1e-6 * tokens);
  }));

Deno.test("requests in flight are spread over the slices they ran in", async () => {
  await using test = await testContext();
  const path = `${test.ctx.home}/requests.jsonl`;
  await Deno.mkdir(test.ctx.home, { recursive: true });
  const line = (sent: number, ended: number) =>
    JSON.stringify({
      scheduled_ms: sent,
      sent_ms: sent,
      first_ms: sent + 10,
      last_ms: ended,
      ended_ms: ended,
      events: 5,
      first_tokens: 1,
      output_tokens: 5,
    });
  // The last line was cut by an interruption.
  await Deno.writeTextFile(path, `${line(0, 5000)}\n${line(5000, 10_000)}\n{"sched`);
  const { bins, tpot } = await aggregateRequests(test.ctx, path, 10);
  assert.ok(bins.every((bin) => Math.abs(bin.inFlight - 1) < 1e-9));
  assert.equal(bins[0]!.ttftP50, 10);
  assert.equal(bins[1]!.ttftP50, undefined);
  assert.equal(tpot.reduce((sum, bar) => sum + bar.count, 0), 2);
});

Deno.test("a histogram counts every value, and empty sets have none", () => {
  const values = Array.from({ length: 1000 }, (_, i) => i);
  const bars = histogram(samplesOf(values));
  assert.equal(bars.reduce((sum, bar) => sum + bar.count, 0), 1000);
  for (const bar of bars.slice(0, -1)) assert.ok(Math.abs(bar.count - 25) <= 1, `${bar.count}`);
  assert.deepEqual(histogram(samplesOf([])), []);
  assert.equal(histogram(samplesOf([5, 5, 5])).reduce((sum, bar) => sum + bar.count, 0), 3);
});

Deno.test("charts of nothing, of one point and with gaps", () => {
  assert.match(lineChart(TEXT, []), /Nothing was measured/);
  assert.match(barChart(TEXT, []), /Nothing was measured/);
  const one = lineChart(TEXT, [{ name: "a", css: "s1", points: [{ x: 1, y: 2 }], marks: true }]);
  assert.ok(!one.includes("NaN"), one);
  assert.match(one, /<circle/);
  const gap = lineChart(TEXT, [{
    name: "a",
    css: "s1",
    points: [{ x: 0, y: 1 }, { x: 1, y: undefined }, { x: 2, y: 1 }],
  }]);
  assert.equal(gap.match(/M[\d.]+ /g)?.length, 2);
  assert.equal(escapeHtml(`<a href='x'>&"`), "&#60;a href=&#39;x&#39;&#62;&#38;&#34;");
});
