import assert from "node:assert/strict";
import { syntheticPrompts } from "./prompts.ts";
import { type RequestShape, requestSource } from "./request.ts";
import { fixedWorkload } from "./workload.ts";
import { WORDS } from "./words.ts";

const SHAPE: RequestShape = {
  api: "chat",
  model: 'mo"del-é',
  stream: true,
  limitField: "max_tokens",
  minTokens: true,
  ignoreEos: true,
  usage: "end",
  extra: { temperature: 0 },
};

Deno.test("words are different, lower case, and need no escape", () => {
  assert.equal(new Set(WORDS).size, WORDS.length);
  assert.ok(WORDS.length > 500);
  for (const word of WORDS) assert.match(word, /^[a-z]+$/);
});

Deno.test("prompts have the asked number of words and are the same for the same seed", () => {
  const prompts = syntheticPrompts(11);
  for (const words of [1, 2, 7, 8, 9, 100, 8192, 20_000]) {
    const text = prompts(3, words);
    assert.equal(text.split(" ").length, words);
    assert.equal(text, syntheticPrompts(11)(3, words));
    assert.notEqual(text, syntheticPrompts(12)(3, words));
  }
});

Deno.test("no two prompts begin alike, so that no prefix cache helps", () => {
  const prompts = syntheticPrompts(5);
  const heads = new Set<string>();
  for (let i = 0; i < 20_000; i++) heads.add(prompts(i, 64).split(" ").slice(0, 5).join(" "));
  assert.equal(heads.size, 20_000);
});

Deno.test("requests are well-formed HTTP with the right length, byte for byte reproducible", () => {
  const lengths = { words: 20, outputTokens: 64 };
  const make = () =>
    requestSource(
      { url: "http://127.0.0.1:8000/base", apiKey: "k" },
      SHAPE,
      fixedWorkload(syntheticPrompts(1), lengths),
    );
  const bytes = make()(7);
  assert.deepEqual(make()(7), bytes);
  const [head, body] = new TextDecoder().decode(bytes).split("\r\n\r\n");
  assert.match(head!, /^POST \/base\/v1\/chat\/completions HTTP\/1.1\r\nHost: 127.0.0.1:8000\r\n/);
  assert.match(head!, /\r\nAuthorization: Bearer k\r\n/);
  assert.equal(
    Number(/Content-Length: (\d+)$/.exec(head!)![1]),
    new TextEncoder().encode(body).length,
  );
  const { messages, ...rest } = JSON.parse(body!);
  assert.deepEqual(rest, {
    model: 'mo"del-é',
    max_tokens: 64,
    stream: true,
    stream_options: { include_usage: true },
    min_tokens: 64,
    ignore_eos: true,
    temperature: 0,
  });
  assert.equal(messages[0].content.split(" ").length, 20);
});

Deno.test("plain completions and whole answers have their own fields", () => {
  const shape: RequestShape = {
    ...SHAPE,
    api: "completions",
    stream: false,
    minTokens: false,
    ignoreEos: false,
    limitField: "max_completion_tokens",
    extra: {},
  };
  const request = requestSource(
    { url: "https://h" },
    shape,
    fixedWorkload(syntheticPrompts(1), {
      words: 3,
      outputTokens: 5,
    }),
  );
  const [head, body] = new TextDecoder().decode(request(0)).split("\r\n\r\n");
  assert.match(head!, /^POST \/v1\/completions HTTP\/1.1\r\nHost: h\r\n/);
  const { prompt, ...rest } = JSON.parse(body!);
  assert.equal(prompt.split(" ").length, 3);
  assert.deepEqual(rest, { model: 'mo"del-é', max_completion_tokens: 5, stream: false });
});
