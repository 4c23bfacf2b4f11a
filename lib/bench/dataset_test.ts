import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { datasetWorkload, escaped, parseDataset } from "./dataset.ts";
import { parseTrace, traceMs, traceWorkload } from "./trace.ts";
import { requestSource } from "./request.ts";
import type { WordCounts } from "./workload.ts";

const WORDS: WordCounts = { ofPrompt: (tokens) => Math.max(1, tokens - 5), ofPart: (n) => n };
const lines = (...items: readonly unknown[]) =>
  items.map((item) => JSON.stringify(item)).join("\n") + "\n";

const SHARED = [
  {
    id: "a",
    conversations: [
      { from: "human", value: 'Wie heißt "das" 😀?\n' },
      { from: "gpt", value: "So." },
      { from: "human", value: "And then?" },
      { from: "gpt", value: "Nothing." },
    ],
  },
  { conversations: [{ from: "gpt", value: "lost" }, { from: "human", value: "b" }] },
  { conversations: [{ from: "gpt", value: "no question" }] },
];

Deno.test("ShareGPT's, OpenAI's and plain lines are read alike", () => {
  const all = [
    ...SHARED,
    { messages: [{ role: "system", content: "s" }, { role: "user", content: "c" }] },
    { prompt: "d", output_tokens: 9 },
  ];
  const { conversations } = parseDataset(lines(...all), "f");
  assert.deepEqual(
    conversations.map(({ messages }) => messages.map(({ role }) => role).join(" ")),
    ["user assistant user assistant", "user", "system user", "user"],
  );
  assert.equal(conversations[3]!.outputTokens, 9);
  assert.deepEqual(parseDataset(JSON.stringify(all), "f").conversations, conversations);
  assert.deepEqual(parseDataset(`\n${lines(...all)}\n\n`, "f").conversations, conversations);
});

Deno.test("any text arrives as it is", () => {
  const texts = ['"\\\n\u0000\u007f é 😀 \u2028', "\ud800 alone", "plain"];
  for (const text of texts) {
    assert.match(escaped(text), /^[\x20-\x7e]*$/);
    assert.equal(JSON.parse(`"${escaped(text)}"`), text);
  }
  const shape = {
    api: "chat" as const,
    model: "m",
    stream: true,
    limitField: "max_tokens" as const,
    minTokens: true,
    ignoreEos: true,
    usage: "end" as const,
    extra: {},
  };
  const dataset = parseDataset(lines(SHARED[0]), "f");
  const workload = datasetWorkload(dataset, { ...OPTIONS, turns: 5 });
  for (const api of ["chat", "completions"] as const) {
    const bytes = requestSource({ url: "http://h" }, { ...shape, api }, workload)(1);
    const [head, body] = new TextDecoder().decode(bytes).split("\r\n\r\n");
    assert.equal(Number(/Content-Length: (\d+)/.exec(head!)![1]), body!.length);
    const sent = JSON.parse(body!);
    const said = [...SHARED[0]!.conversations.slice(0, 3)].map(({ value }) => value);
    if (api === "completions") assert.equal(sent.prompt, said.join("\n\n"));
    else {
      assert.deepEqual(
        sent.messages,
        said.map((content, i) => ({ role: i === 1 ? "assistant" : "user", content })),
      );
    }
  }
});

const OPTIONS = {
  seed: 1,
  output: { kind: "fixed", tokens: 7 },
  turns: 1,
  sessions: 2,
} as const;

Deno.test("conversations come in the seed's order, all of them before the first again", () => {
  const dataset = parseDataset(
    lines(...Array.from({ length: 50 }, (_, i) => ({ prompt: `${i}` }))),
    "f",
  );
  const order = (seed: number) => {
    const workload = datasetWorkload(dataset, { ...OPTIONS, seed });
    return Array.from({ length: 60 }, (_, i) => workload(i).messages[0]!.text);
  };
  const one = order(1);
  assert.deepEqual(order(1), one);
  assert.notDeepEqual(order(2), one);
  assert.equal(new Set(one.slice(0, 50)).size, 50);
  assert.deepEqual(one.slice(50), one.slice(0, 10));
});

Deno.test("turns of conversations go round, and short ones end early", () => {
  const dataset = parseDataset(lines(...SHARED), "f");
  const of = (turns: number) => {
    const workload = datasetWorkload(dataset, { ...OPTIONS, turns });
    return [0, 1, 2].map((i) => workload(i).messages.length);
  };
  assert.deepEqual(of(2).sort(), [1, 1, 3]);
  assert.equal(of(2)[2], 3);
  assert.deepEqual(of(1), [1, 1, 1]);
});

const TRACE = lines(
  { timestamp: 5000, input_length: 1500, output_length: 20, hash_ids: [7, 9, 11] },
  { timestamp: 4000, input_length: 1300, output_length: 10, hash_ids: [7, 9, 12] },
  { timestamp: 6500, input_length: 600, output_length: 0, hash_ids: [12, 9] },
  { timestamp: 7000, input_length: 40, output_length: 3 },
  { timestamp: 7000, prompt: "h\u00e9", output_length: 3 },
);

Deno.test("a trace keeps times, lengths, and what its prompts share", () => {
  const trace = parseTrace(TRACE, "f");
  assert.deepEqual(trace.requests.map(({ atMs }) => atMs), [0, 1000, 2500, 3000, 3000]);
  assert.deepEqual(trace.requests.map(({ outputTokens }) => outputTokens), [10, 20, 1, 3, 3]);
  assert.deepEqual(trace.requests.map(({ sharedTokens }) => sharedTokens), [0, 1024, 600, 0, NaN]);
  assert.equal(traceMs(trace), 3000);
  const plans = [0, 1, 2, 3, 4].map(traceWorkload(trace, { seed: 1 }, WORDS));
  const words = plans.map(({ messages }) => messages[0]!.text.split(" "));
  assert.deepEqual(words.map(({ length }) => length), [1295, 1495, 595, 35, 1]);
  assert.deepEqual(words[1]!.slice(0, 1024), words[0]!.slice(0, 1024));
  assert.notDeepEqual(words[1]!.slice(1024, 1030), words[0]!.slice(1024, 1030));
  // Block 12, which is cut short in the first request.
  assert.deepEqual(words[2]!.slice(0, 271), words[0]!.slice(1024));
  assert.equal(plans[4]!.messages[0]!.text, "h\\u00e9");
  assert.deepEqual([0, 1, 2, 3, 4].map(traceWorkload(trace, { seed: 1 }, WORDS)), plans);
  assert.notDeepEqual(traceWorkload(trace, { seed: 2 }, WORDS)(0), plans[0]);
});

Deno.test("files that are something else are refused with the line", () => {
  const bad: [typeof parseDataset | typeof parseTrace, string, RegExp][] = [
    [parseDataset, "", /f holds no conversation/],
    [parseDataset, '{"prompt":"a"}\n{"prompt":', /f, line 2 is not JSON/],
    [parseDataset, "[1]", /f, item 1 is no JSON object/],
    [parseDataset, '{"text":"a"}', /f, line 1 has no conversations, messages or prompt/],
    [parseDataset, '{"messages":[{"role":"robot","content":"a"}]}', /without a known role/],
    [parseDataset, '{"messages":[{"role":"constructor","content":"a"}]}', /without a known role/],
    [parseDataset, '{"messages":[null]}', /without a known role/],
    [parseDataset, '{"prompt":"a","output_tokens":"9"}', /"9" tokens of output/],
    [parseTrace, "\n", /f holds no request/],
    [parseTrace, '{"input_length":3,"output_length":3}', /line 1 has the timestamp undefined/],
    [parseTrace, '{"timestamp":-1,"input_length":3,"output_length":3}', /timestamp -1/],
    [parseTrace, '{"timestamp":1,"output_length":3}', /input_length undefined/],
    [parseTrace, '{"timestamp":1,"input_length":3}', /output_length undefined/],
    [parseTrace, '{"timestamp":1,"input_length":3,"output_length":3,"hash_ids":4}', /hash_ids 4/],
  ];
  for (const [parse, text, pattern] of bad) {
    assert.throws(() => parse(text, "f"), (error) => {
      assert.ok(error instanceof TaskError && error.exitCode === 2, String(error));
      assert.match(error.message, pattern);
      return true;
    });
  }
});
