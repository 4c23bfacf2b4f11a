import assert from "node:assert/strict";
import { EXIT, TaskError } from "../../cli/errors.ts";
import { testContext } from "../../cli/testing.ts";
import { runBench } from "../bench.ts";
import { startMock } from "../mock.ts";
import { openResults } from "../results.ts";
import { timely } from "../testing.ts";
import { compareBlocks, type Comparison } from "./comparison.ts";
import { comparisonToText } from "./comparison_text.ts";
import { isResults, readFinishedRun } from "./from_results.ts";
import { abba, blockReasons, runInterleaved } from "./interleave.ts";
import { blockOfRequests, blockOfSummary, type BlockValues } from "./metrics.ts";
import { readShare } from "./share.ts";

const TTFT_MS = 40;

/** Compares two mocks, B with `factor` times A's latencies. */
async function compareMocks(factor: number, pairs: number): Promise<Comparison> {
  await using test = await testContext();
  await using a = await startMock({ ttftMs: TTFT_MS, itlMs: 5 });
  await using b = await startMock({ ttftMs: TTFT_MS * factor, itlMs: 5 * factor });
  const urls = { a: a.url, b: b.url };
  const blocks = await runInterleaved(pairs, (side, pair) =>
    runBench(test.ctx, {
      url: urls[side],
      concurrency: 8,
      requests: 64,
      outputTokens: 16,
      warmup: 8,
      seed: pair,
    }));
  return compareBlocks({
    a: "A",
    b: "B",
    blocksA: blocks.a.map(blockOfSummary),
    blocksB: blocks.b.map(blockOfSummary),
    design: "interleaved",
    maxRegression: 0.02,
    // Blocks of a second are too short to be runs of their own.
    invalidReasons: [...blockReasons("A", blocks.a), ...blockReasons("B", blocks.b)]
      .filter((reason) => !/window_too_short|load_not_reached/.test(reason)),
  });
}

function metric(comparison: Comparison, id: string) {
  const found = comparison.metrics.find((one) => one.metric === id);
  assert.ok(found !== undefined, JSON.stringify(comparison.metrics.map((one) => one.metric)));
  return found;
}

Deno.test("a server that takes half as long again is found, and by how much", () =>
  timely(async () => {
    const comparison = await compareMocks(1.5, 5);
    assert.equal(comparison.blocks, 5);
    for (const id of ["ttft_p50", "tpot_p50"]) {
      const { verdict, effect } = metric(comparison, id);
      assert.equal(verdict, "worse", JSON.stringify(comparison, null, 1));
      assert.ok(effect!.change > 0.3 && effect!.change < 0.7, JSON.stringify(effect));
    }
    assert.ok(comparison.regressions.includes("tpot_p50"));
    const text = comparisonToText(comparison, 80);
    assert.match(text, /REGRESSION above \+2\.0 %: .*TPOT p50/);
    assert.ok(text.split("\n").every((line) => line.length <= 80), text);
  }));

Deno.test("blocks run in the order ABBA", async () => {
  assert.deepEqual(abba(3).join(""), "abbaab");
  const order: string[] = [];
  await runInterleaved(2, (side, pair) => {
    order.push(`${side}${pair}`);
    return Promise.resolve({ invalid_reasons: [] } as never);
  });
  assert.deepEqual(order, ["a0", "b0", "b1", "a1"]);
});

/** Blocks whose logarithms are normal, from a generator of our own: the same in each run. */
function simulate(seed: number, factor: number, noise: number, blocks: number): BlockValues[] {
  let state = (seed * 2654435761) >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 4294967296;
  };
  return Array.from({ length: blocks }, () => {
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return {
      ttft_p50: 100 * factor * Math.exp(noise * normal()),
      tpot_p50: 10 * factor * Math.exp(noise * normal()),
      output_tokens_per_second: 1000 / factor * Math.exp(noise * normal()),
    };
  });
}

function alarms(factor: number, rounds: number): number {
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    const comparison = compareBlocks({
      a: "A",
      b: "B",
      blocksA: simulate(2 * round + 1, 1, 0.01, 5),
      blocksB: simulate(2 * round + 2, factor, 0.01, 5),
      design: "interleaved",
      maxRegression: 0,
      invalidReasons: [],
    });
    const gated = comparison.metrics.filter((one) => one.gate);
    if (gated.some((one) => one.verdict !== "no difference found")) count++;
  }
  return count;
}

Deno.test("no more than 5 % false alarms over all gated measures, and 5 % slower is found", () => {
  const rounds = 2000;
  const falseAlarms = alarms(1, rounds);
  // Three standard errors above 5 %.
  assert.ok(falseAlarms / rounds < 0.05 + 3 * Math.sqrt(0.05 * 0.95 / rounds), `${falseAlarms}`);
  assert.ok(falseAlarms > 0, "a test that never alarms tests nothing");
  assert.ok(alarms(1.05, rounds) / rounds > 0.9);
});

Deno.test("the gate fails for what is surely beyond its limit, and says what may be", () => {
  // By one per cent below and above, in turn.
  const blocks = (factor: number): BlockValues[] =>
    [0.99, 1.01, 0.99, 1.01, 0.99, 1.01].map((noise) => ({
      ttft_p50: 100 * factor * noise,
      tpot_p50: 10 * factor * noise,
      output_tokens_per_second: 1000 / factor / noise,
    }));
  const compare = (factor: number, maxRegression: number) =>
    compareBlocks({
      a: "A",
      b: "B",
      blocksA: blocks(1),
      blocksB: blocks(factor),
      design: "separate",
      maxRegression,
      invalidReasons: [],
    });
  const all = ["ttft_p50", "tpot_p50", "output_tokens_per_second"];
  assert.deepEqual(compare(1.2, 0.05).regressions, all);
  const near = compare(1.05, 0.05);
  assert.ok(near.metrics.filter((one) => one.gate).every((one) => one.verdict === "worse"));
  assert.deepEqual([near.regressions, near.possible_regressions], [[], all]);
  assert.match(comparisonToText(near, 80), /cannot be ruled out for TTFT p50, TPOT\sp50/);
  const well = compare(1, 0.05);
  assert.deepEqual([well.regressions, well.possible_regressions], [[], []]);
  assert.deepEqual(compare(0.8, 0).regressions, []);
});

Deno.test("at the gate's very limit no more than 5 % of comparisons fail", () => {
  const rounds = 2000;
  let failed = 0;
  for (let round = 0; round < rounds; round++) {
    const { regressions } = compareBlocks({
      a: "A",
      b: "B",
      blocksA: simulate(2 * round + 1, 1, 0.01, 5),
      blocksB: simulate(2 * round + 2, 1.05, 0.01, 5),
      design: "interleaved",
      maxRegression: 0.05,
      invalidReasons: [],
    });
    if (regressions.length > 0) failed++;
  }
  assert.ok(failed / rounds < 0.05 + 3 * Math.sqrt(0.05 * 0.95 / rounds), `${failed}`);
  assert.ok(failed > 0);
});

Deno.test("finished runs are compared by parts of their steady window", () =>
  timely(async () => {
    await using test = await testContext();
    const folders: string[] = [];
    for (const ttftMs of [20, 30]) {
      await using server = await startMock({ ttftMs, itlMs: 2 });
      const folder = `${test.ctx.home}/run-${ttftMs}`;
      const results = await openResults(test.ctx, folder);
      const summary = await runBench(test.ctx, {
        url: server.url,
        concurrency: 8,
        requests: 200,
        outputTokens: 16,
        onRequests: results.onRequests,
      });
      await results.finish(summary);
      folders.push(folder);
    }
    assert.equal(await isResults(test.ctx, folders[0]!), true);
    assert.equal(await isResults(test.ctx, `${folders[0]}/summary.json`), true);
    assert.equal(await isResults(test.ctx, "vllm"), false);
    const [a, b] = await Promise.all(folders.map((folder) => readFinishedRun(test.ctx, folder)));
    const comparison = compareBlocks({
      a: folders[0]!,
      b: folders[1]!,
      blocksA: a!.blocks,
      blocksB: b!.blocks,
      design: "separate",
      maxRegression: undefined,
      invalidReasons: [],
    });
    assert.equal(metric(comparison, "ttft_p50").verdict, "worse");
    assert.equal(comparison.max_regression, null);
    await assert.rejects(
      readFinishedRun(test.ctx, `${test.ctx.home}/nowhere`),
      (error) => error instanceof TaskError && error.exitCode === EXIT.usage,
    );
  }));

Deno.test("a part's p99 is kept only when there are values enough", () => {
  const lines = Array.from({ length: 499 }, (_, i) => ({
    scheduled_ms: i,
    first_ms: i + 10,
    last_ms: i + 20,
    ended_ms: i + 21,
    events: 11,
    first_tokens: 1,
    output_tokens: 11,
  }));
  const few = blockOfRequests(lines, 1000);
  assert.deepEqual([few.ttft_p50, few.tpot_p50, few.ttft_p99], [10, 1, undefined]);
  assert.equal(few.output_tokens_per_second, 499 * 11);
  assert.equal(blockOfRequests([...lines, lines[0]!], 1000).ttft_p99, 10);
  const failed = lines.map((line) => ({ ...line, failure: "reset" }));
  assert.deepEqual(blockOfRequests(failed, 1000).requests_per_second, 0);
});

Deno.test("shares are read with and without a sign", () => {
  assert.equal(readShare("max-regression", "5%"), 0.05);
  assert.equal(readShare("max-regression", "0.05"), 0.05);
  assert.equal(readShare("max-regression", undefined), undefined);
  for (const text of ["5", "-1%", "five", "", "5%%"]) {
    assert.throws(() => readShare("max-regression", text), { code: "BENCH_OPTIONS" });
  }
});
