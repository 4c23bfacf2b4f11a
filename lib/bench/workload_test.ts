import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import { parseDataset } from "./dataset.ts";
import { parseTrace } from "./trace.ts";
import { parseLengths } from "./lengths.ts";
import { serveMock } from "./mock_server.ts";
import type { MockStats } from "./mock_options.ts";
import type { BenchOptions } from "./options.ts";
import { type RequestShape, requestSource } from "./request.ts";
import type { BenchSummary } from "./summary.ts";
import {
  counted,
  placeOf,
  type SyntheticWorkload,
  syntheticWorkload,
  warmupWorkload,
  type WordCounts,
} from "./workload.ts";

// A template of 5 tokens, and a token a word.
const WORDS: WordCounts = { ofPrompt: (tokens) => Math.max(1, tokens - 5), ofPart: (n) => n };
const PLAIN: SyntheticWorkload = {
  seed: 3,
  input: { kind: "fixed", tokens: 40 },
  output: { kind: "fixed", tokens: 8 },
  prefixTokens: 0,
  prefixPool: 1,
  turns: 1,
  sessions: 4,
};
const lengths = (text: string) => parseLengths("input-tokens", text, 10_000);
const SHAPE: RequestShape = {
  api: "chat",
  model: "m",
  stream: true,
  limitField: "max_tokens",
  minTokens: true,
  ignoreEos: true,
  usage: "end",
  extra: {},
};

function digest(options: Partial<SyntheticWorkload>, shape: Partial<RequestShape> = {}): string {
  const source = requestSource(
    { url: "http://h" },
    { ...SHAPE, ...shape },
    syntheticWorkload({ ...PLAIN, ...options }, WORDS),
  );
  const hash = createHash("sha256");
  for (let i = 0; i < 200; i++) hash.update(source(i));
  return hash.digest("hex").slice(0, 12);
}

const VARIED: Partial<SyntheticWorkload> = {
  input: lengths("70%:normal:60,9,30%:uniform:80-200"),
  output: lengths("uniform:4-30"),
  prefixTokens: 20,
  prefixPool: 3,
  turns: 3,
};

Deno.test("a seed sends the same bytes, on every machine and in every version", () => {
  assert.deepEqual(
    [
      digest({}),
      digest(VARIED),
      digest(VARIED, { api: "completions" }),
      digest({ ...VARIED, seed: 4 }),
    ],
    DIGESTS,
  );
  assert.equal(digest(VARIED), digest(VARIED));
});

const DIGESTS = ["03bdf467108f", "3d2a010600ab", "88134ce8a537", "a88076dba3f2"];

Deno.test("lengths are drawn for each request, whichever were made before it", () => {
  const make = () => syntheticWorkload({ ...PLAIN, ...VARIED, turns: 1 }, WORDS);
  const plans = Array.from({ length: 500 }, (_, i) => i).map(make());
  for (const i of [499, 3, 77]) {
    const apart = { sharedTokens: 0, freshPrefix: undefined };
    assert.deepEqual({ ...make()(i), ...apart }, { ...plans[i], ...apart });
  }
  assert.ok(new Set(plans.map((plan) => plan.inputTokens)).size > 50);
  assert.ok(new Set(plans.map((plan) => plan.outputTokens)).size === 27);
  for (const { messages, inputTokens } of plans) {
    assert.equal(messages.length, 1);
    assert.equal(messages[0]!.text.split(" ").length, inputTokens - 5);
  }
});

Deno.test("shared beginnings come from a pool; the first use of each is shared with nobody", () => {
  const workload = syntheticWorkload({ ...PLAIN, prefixTokens: 20, prefixPool: 3 }, WORDS);
  const begins = new Map<string, number>();
  const rests = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const { messages, sharedTokens } = workload(i);
    const words = messages[0]!.text.split(" ");
    const begin = words.slice(0, 20).join(" ");
    assert.equal(sharedTokens, begins.has(begin) ? 20 : 0);
    begins.set(begin, (begins.get(begin) ?? 0) + 1);
    rests.add(words.slice(20, 25).join(" "));
  }
  assert.equal(begins.size, 3);
  assert.ok([...begins.values()].every((count) => count > 70), [...begins.values()].join());
  assert.equal(rests.size, 300);
});

Deno.test("a turn begins with all of the turn before it, and is due after its group's", () => {
  assert.deepEqual([0, 3, 4, 11, 12, 16].map((i) => placeOf(i, 3, 4)), [
    { session: 0, turn: 0 },
    { session: 3, turn: 0 },
    { session: 0, turn: 1 },
    { session: 3, turn: 2 },
    { session: 4, turn: 0 },
    { session: 4, turn: 1 },
  ]);
  const workload = syntheticWorkload({ ...PLAIN, ...VARIED }, WORDS);
  const plans = Array.from({ length: 24 }, (_, i) => workload(i));
  for (const [i, plan] of plans.entries()) {
    const { turn } = placeOf(i, 3, 4);
    assert.deepEqual(
      plan.messages.map((message) => message.role),
      ["user", "assistant", "user", "assistant", "user"].slice(0, 2 * turn + 1),
    );
    if (turn === 0) continue;
    const before = plans[i - 4]!;
    assert.deepEqual(plan.messages.slice(0, before.messages.length), before.messages);
    assert.equal(plan.sharedTokens, before.inputTokens);
    const words = plan.messages.map((message) => message.text).join(" ").split(" ").length;
    assert.equal(words, plan.inputTokens - 5);
    assert.equal(plan.messages.at(-2)!.text.split(" ").length, before.outputTokens);
  }
});

Deno.test("the warm-up has none of the measured prompts, and is not counted", () => {
  const options = { ...PLAIN, prefixTokens: 20 };
  const { workload, planned } = counted(
    syntheticWorkload(options, WORDS),
    warmupWorkload(options, WORDS),
    1000,
  );
  const warmup = workload(1000).messages[0]!.text;
  assert.equal(warmup.split(" ").length, 35);
  assert.notEqual(warmup.slice(0, 50), workload(0).messages[0]!.text.slice(0, 50));
  workload(1);
  assert.deepEqual(planned, {
    requests: 2,
    inputTokens: 80,
    outputTokens: 16,
    sharedTokens: 20,
    prefixes: new Set([0]),
  });
});

async function bench(
  options: Partial<BenchOptions>,
): Promise<{ summary: BenchSummary; stats: MockStats }> {
  await using test = await testContext();
  const mock = serveMock(test.ctx, { ttftMs: 1, itlMs: 0, cache: true });
  try {
    const summary = await runBench(test.ctx, {
      url: `http://127.0.0.1:${mock.port}`,
      concurrency: 1,
      requests: 60,
      seed: 5,
      ...options,
    });
    return { summary, stats: mock.stats() };
  } finally {
    await mock.close();
  }
}

Deno.test("a server gets the asked lengths, and what it has cached is what was planned", async () => {
  const { summary } = await bench({
    inputTokens: lengths("uniform:50-150"),
    outputTokens: lengths("50%:4,50%:24"),
    prefixTokens: 32,
    prefixPool: 4,
  });
  assert.equal(summary.requests.completed, 60);
  assert.equal(summary.input_tokens.mean, summary.input_tokens.asked);
  assert.ok(summary.input_tokens.min! < 70 && summary.input_tokens.max! > 130);
  assert.deepEqual([summary.output_tokens.min, summary.output_tokens.max], [4, 24]);
  const { planned, cached } = summary.prefix_sharing;
  assert.ok(planned! > 0.2 && planned! < 0.4, `planned ${planned}`);
  // The mock caches words, of which the template has none.
  assert.ok(Math.abs(cached! - planned!) < 0.02, `cached ${cached}, planned ${planned}`);
});

Deno.test("a trace is sent at its times, with its lengths and its shared blocks", async () => {
  // Two families of three prompts, each with two blocks in common.
  const items = Array.from({ length: 60 }, (_, i) => ({
    timestamp: 10 * i,
    input_length: 1124,
    output_length: 4 + i % 3,
    hash_ids: [1 + i % 2, 3 + i % 2, 10 + i],
  }));
  const text = items.map((item) => JSON.stringify(item)).join("\n");
  const { summary, stats } = await bench({
    trace: parseTrace(text, "f"),
    traceSpeed: 0.5,
    requests: undefined,
    concurrency: 8,
  });
  assert.deepEqual(summary.requests, { scheduled: 60, completed: 60, failed: 0, resent: 0 });
  assert.equal(summary.config.load, "trace");
  assert.deepEqual([summary.output_tokens.min, summary.output_tokens.max], [4, 6]);
  assert.equal(summary.input_tokens.mean, 1124);
  assert.ok(Math.abs(summary.prefix_sharing.planned! - 58 * 1024 / (60 * 1124)) < 1e-9);
  assert.ok(Math.abs(summary.prefix_sharing.cached! - summary.prefix_sharing.planned!) < 0.01);
  assert.ok(stats.requests >= 60 && summary.wall_s > 1.1, `${summary.wall_s} s`);
});

Deno.test("a dataset's conversations are asked, and its prompts are counted by the server", async () => {
  const items = Array.from({ length: 30 }, (_, i) => ({ prompt: `question number ${i}` }));
  const { summary, stats } = await bench({
    dataset: parseDataset(items.map((item) => JSON.stringify(item)).join("\n"), "f"),
    outputTokens: 6,
    requests: 30,
  });
  assert.equal(summary.requests.completed, 30);
  assert.deepEqual(summary.input_tokens, { asked: null, total: 240, mean: 8, min: 8, max: 8 });
  assert.equal(summary.prefix_sharing.planned, null);
  const asked = stats.prompts.filter((prompt) => prompt.startsWith("question number"));
  assert.deepEqual(asked.sort(), items.map(({ prompt }) => prompt).sort());
});

Deno.test("sessions share their history", async () => {
  const { summary } = await bench({ inputTokens: 30, outputTokens: 10, turns: 4, concurrency: 2 });
  assert.equal(summary.requests.completed, 60);
  // 30, 70, 110, 150.
  assert.ok(summary.input_tokens.max! >= 145 && summary.input_tokens.max! <= 155);
  const { planned, cached } = summary.prefix_sharing;
  assert.ok(planned! > 0.5 && Math.abs(cached! - planned!) < 0.1, `${cached}, planned ${planned}`);
});
