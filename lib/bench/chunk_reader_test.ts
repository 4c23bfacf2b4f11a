import assert from "node:assert/strict";
import { hasOutput, readStreamEvent } from "../serving/chunk.ts";
import type { SseEvent } from "../serving/sse.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { seededRandom } from "./random.ts";

const encode = (text: string) => new TextEncoder().encode(text);

// At an offset, as in a read buffer.
function event(data: string, type = ""): SseEvent {
  const bytes = encode(`data: ${data}\n\n`);
  return { bytes, start: 6, end: bytes.length - 2, type, comment: "" };
}

const chunk = (content: unknown, extra = "") =>
  `{"id":"x","choices":[{"index":0,"delta":{"content":${
    JSON.stringify(content)
  }},"finish_reason":null}]${extra}}`;

Deno.test("outputs, usage, finish and end mark are seen", () => {
  const reader = new ChunkReader();
  const read = (data: string) => {
    reader.read(event(data));
    return reader.output;
  };
  assert.equal(read('{"choices":[{"delta":{"role":"assistant","content":""}}]}'), false);
  for (const text of ["a", ' "quoted" ', "back\\slash\\", "\n", "é", "🙂", '","x":"', 'end\\"']) {
    assert.equal(read(chunk(text)), true, text);
  }
  assert.equal(read(chunk("")), false);
  assert.equal(read(chunk(null)), false);
  assert.equal(reader.finished, false);
  assert.equal(read('{"choices":[{"delta":{},"finish_reason":"length"}]}'), false);
  assert.equal(reader.finished, true);
  assert.equal(read('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":8}}'), false);
  assert.equal(read("[DONE]"), false);
  assert.deepEqual([reader.done, reader.outputTokens, reader.inputTokens], [true, 8, 3]);
  assert.ok(Number.isNaN(reader.cachedTokens));
  reader.reset();
  assert.deepEqual([reader.done, reader.finished, reader.outputTokens], [false, false, NaN]);
});

Deno.test("usage in every chunk is followed", () => {
  const reader = new ChunkReader();
  for (let i = 1; i <= 5; i++) {
    reader.read(event(chunk("x", `,"usage":{"prompt_tokens":9,"completion_tokens":${i}}`)));
    assert.equal(reader.outputTokens, i);
    assert.equal(reader.output, true);
  }
});

Deno.test("reasoning and tool calls are output; errors are kept", () => {
  const reader = new ChunkReader();
  const delta = (value: string) => reader.read(event(`{"choices":[{"delta":${value}}]}`));
  delta('{"reasoning_content":"hm"}');
  assert.equal(reader.output, true);
  delta('{"reasoning":"hm"}');
  assert.equal(reader.output, true);
  delta('{"tool_calls":[{"index":0}]}');
  assert.equal(reader.output, true);
  delta('{"tool_calls":[],"content":null}');
  assert.equal(reader.output, false);
  reader.read(event('{"message":"gone","code":503}', "error"));
  assert.equal(reader.error, "gone");
  assert.equal(reader.output, false);
});

Deno.test("the fast way says what parsing each event says", () => {
  const random = seededRandom(9, 0);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const values = [
    '"a"',
    '""',
    '"\\""',
    '"\\\\"',
    "null",
    '"x\\u0041"',
    '"a","content":"b"',
    '"usage"',
    '" {}"',
  ];
  const befores = [
    '{"choices":[{"delta":{"content":',
    '{"choices":[{"delta":{"role":"assistant","content":',
    '{"choices":[{"text":',
    '{"note":{"content":"n"},"choices":[{"text":',
    '{"choices":[{"delta":{"reasoning":"r","content":',
    '{"choices":[{"logprobs":{"content":"p"},"delta":{"content":',
  ];
  const afters = [
    "}}]}",
    '},"finish_reason":"stop"}]}',
    '}}],"usage":{"completion_tokens":4}}',
    "}]}",
    '}}],"error":"e"}',
  ];
  let fastSeen = 0;
  for (let answer = 0; answer < 400; answer++) {
    const reader = new ChunkReader();
    let before = pick(befores), after = pick(afters);
    for (let i = 0; i < 12; i++) {
      if (random() < 0.15) before = pick(befores);
      if (random() < 0.15) after = pick(afters);
      const data = before + pick(values) + after;
      const item = readStreamEvent(event(data));
      reader.read(event(data));
      const expected = item.kind === "chunk" && hasOutput(item.chunk);
      assert.equal(reader.output, expected, data);
      if (item.kind === "chunk" && item.chunk.usage !== undefined) {
        assert.equal(reader.outputTokens, item.chunk.usage.completionTokens);
      }
      if (expected) fastSeen++;
    }
  }
  assert.ok(fastSeen > 500);
});

Deno.test("what is not JSON is not taken for output on the fast way", () => {
  const reader = new ChunkReader();
  reader.read(event(chunk("a")));
  reader.read(event(chunk("b").replace("b", "b\u0001")));
  assert.equal(reader.output, false);
  assert.match(reader.error ?? "", /not JSON/);
});
