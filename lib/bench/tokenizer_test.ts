import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import counts from "../../tests/fixtures/tokenizer/counts.json" with { type: "json" };
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { runBench } from "./bench.ts";
import { benchOptions } from "./flags.ts";
import { serveMock } from "./mock_server.ts";
import { syntheticPrompts } from "./prompts.ts";
import { parseTokenizer, readTokenizer, singleTokenWords } from "./tokenizer.ts";

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../tests/fixtures/tokenizer/${name}.json`, import.meta.url));
}

const NAMES = ["byte_level", "metaspace", "unigram"] as const;

for (const name of NAMES) {
  Deno.test(`${name}: counts are those of Hugging Face's own library`, async () => {
    const { count } = await parseTokenizer(await Deno.readTextFile(fixture(name)));
    for (const [text, tokens] of counts[name]) assert.equal(count(String(text)), tokens, `${text}`);
  });

  Deno.test(`${name}: so many words are so many tokens, in any prompt`, async () => {
    await using test = await testContext();
    const { words, sha256 } = await readTokenizer(test.ctx, fixture(name));
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.ok(words.length > 100, `${words.length} words`);
    const { count } = await parseTokenizer(await Deno.readTextFile(fixture(name)));
    for (const seed of [1, 2, 3]) {
      const prompts = syntheticPrompts(seed, words);
      for (const length of [1, 2, 7, 8, 9, 100, 3000]) {
        assert.equal(count(prompts(length, length)), length);
      }
    }
  });
}

Deno.test("a tokenizer that lacks our words gives words of its own", () => {
  const own = ["river", "delta", "x", "Upper", "ünder", "the"];
  const words = singleTokenWords({
    count: (text) => text.trim().split(" ").length,
    vocabulary: () => own.map((word) => `Ġ${word}`),
  });
  // Everything counts as one token here, so ours are there, and more are not asked for.
  assert.ok(words.includes("able") && !words.includes("delta"));
  const few = singleTokenWords({
    count: (text) =>
      text.trim().split(" ").reduce((n, word) => n + (own.includes(word) ? 1 : 2), 0),
    vocabulary: () => own.map((word) => `Ġ${word}`),
  });
  assert.deepEqual(few.toSorted(), ["delta", "river", "the"]);
});

Deno.test("what is no tokenizer is refused", async () => {
  await using test = await testContext();
  const refused = async (path: string, pattern: RegExp) =>
    await assert.rejects(readTokenizer(test.ctx, path), (error) => {
      assert.ok(error instanceof TaskError && error.exitCode === 2, String(error));
      assert.match(error.message, pattern);
      return true;
    });
  await refused("/nowhere/tokenizer.json", /No such file/);
  await refused(fixture("counts"), /it is no tokenizer\.json/);
  await refused(fileURLToPath(new URL(".", import.meta.url)), /lib\/bench.*No such file/);
  const letters = JSON.parse(await Deno.readTextFile(fixture("byte_level")));
  letters.model.merges = [];
  const file = `${test.ctx.home}-letters.json`;
  await Deno.writeTextFile(file, JSON.stringify(letters));
  await refused(file, /0 words of one token, and 32 are needed/);
  const flags = { header: [], noStream: false, insecure: false, noCalibration: true };
  const both = await benchOptions(test.ctx, {
    ...flags,
    tokenizer: fixture("metaspace"),
  } as never);
  const dataset = { path: "d", conversations: [{ messages: [], outputTokens: undefined }] };
  await assert.rejects(
    runBench(test.ctx, { ...both, dataset, url: "http://127.0.0.1:9" }),
    /--tokenizer and --dataset/,
  );
});

Deno.test("every prompt of a run is exactly as long as drawn, the server's template included", async () => {
  await using test = await testContext();
  // The mock counts a word as a token, and adds a template.
  const server = serveMock(test.ctx, { ttftMs: 1, itlMs: 0, templateTokens: 9 });
  try {
    const tokenizer = await readTokenizer(test.ctx, fixture("byte_level"));
    const lengths: number[] = [];
    const summary = await runBench(test.ctx, {
      url: `http://127.0.0.1:${server.port}`,
      tokenizer,
      inputTokens: { kind: "uniform", min: 50, max: 90 },
      prefixTokens: 20,
      outputTokens: 2,
      concurrency: 4,
      requests: 200,
      seed: 5,
      onRequests: (records) => lengths.push(...records.map((record) => record.inputTokens)),
    });
    assert.equal(lengths.length, 200);
    const { asked, mean, min, max } = summary.input_tokens;
    assert.equal(mean, asked);
    assert.deepEqual([min, max], [50, 90]);
    assert.deepEqual(summary.warnings, []);
    const workload = summary.config.workload as { tokenizer: { sha256: string } };
    assert.equal(workload.tokenizer.sha256, tokenizer.sha256);
    assert.ok(!JSON.stringify(summary.config).includes("able"));
  } finally {
    await server.close();
  }
});

Deno.test("a tokenizer of another model shows in the server's count", async () => {
  await using test = await testContext();
  const server = serveMock(test.ctx, { ttftMs: 1, itlMs: 0, tokensPerWord: 1.5 });
  try {
    const summary = await runBench(test.ctx, {
      url: `http://127.0.0.1:${server.port}`,
      tokenizer: await readTokenizer(test.ctx, fixture("unigram")),
      inputTokens: 100,
      outputTokens: 2,
      requests: 20,
    });
    assert.match(summary.warnings.join(), /the server counts \d+ tokens.*not the model's own/);
  } finally {
    await server.close();
  }
});
