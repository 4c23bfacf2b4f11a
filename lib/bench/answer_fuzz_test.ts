/**
 * Mutated answers for the reader of the hot path: a record with a verdict or a {@link TaskError},
 * within a bound of time, the same wherever the bytes are split, and never anything else.
 * `DYNAMO_FUZZ=full` tries 100 000 inputs instead of 2 000; `DYNAMO_FUZZ_SEED` starts elsewhere.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { AnswerReader } from "./answer.ts";
import { chunkedHead, httpChunk, httpResponse } from "./mock_http.ts";
import { type Answered, endText, eventText, roleText, wholeText } from "./mock_text.ts";
import { seededRandom } from "./random.ts";
import { newRecord, type RequestRecord } from "./record.ts";

const INPUTS = Deno.env.get("DYNAMO_FUZZ") === "full" ? 100_000 : 2_000;
const SEED = Number(Deno.env.get("DYNAMO_FUZZ_SEED") ?? 1);
// An answer takes well below 1 ms; the rest is for busy machines, and far from what a hang takes.
const BOUND_MS = 2_000;
const SMALL = 8_000;

const ASKED: Answered = {
  body: { model: "m", stream: true, stream_options: { include_usage: true } },
  chat: true,
  tokens: 6,
  promptTokens: 9,
  usage: "asked",
};

function stream(job: Answered): string {
  let text = chunkedHead("text/event-stream; charset=utf-8") + (job.chat ? roleText(job) : "");
  for (let i = 0; i < job.tokens; i += 2) text += eventText(job, i, i + 2);
  return text + endText(job);
}

const STREAMS = [
  stream(ASKED),
  stream({ ...ASKED, chat: false, usage: "always" }),
  stream({ ...ASKED, tokens: 40 }),
  `${chunkedHead("text/event-stream")}${httpChunk("event: error\n: gone\n\n")}0\r\n\r\n`,
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {"choices":[{"delta":' +
  '{"reasoning_content":"h\\u00e4 \\"x"}}]}\r\n\r\n: ping\r\n\r\ndata:[DONE]\r\n\r\n',
];
const WHOLE = [
  httpResponse(200, "application/json", wholeText(ASKED)),
  httpResponse(503, "application/json", '{"error":{"message":"busy","code":503}}'),
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
];
const PIECES = [
  ...'\r\n:;, \t\0"\\{}[]0f-',
  ...[
    "\r\n\r\n",
    "\n\n",
    "data:",
    "data: ",
    "event: error\n",
    "[DONE]",
    "0\r\n\r\n",
    "ffffffffff\r\n",
  ],
  ...["Content-Length: 5\r\n", "Content-Length: -1\r\n", "Transfer-Encoding: gzip\r\n"],
  ...[
    "Content-Encoding: gzip\r\n",
    "Connection: close\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 999 \r\n",
  ],
  ...['"usage":null,', '"usage":{"completion_tokens":-1},', '"usage":{"completion_tokens":1e999},'],
  ...[
    '"choices":[],',
    '"choices":{},',
    '"delta":null,',
    '"content":7,',
    '"content":"',
    '"error":{}',
  ],
  ...["__proto__", "\u{feff}", "\u{1f600}", "\ud800", "[".repeat(3_000), "a".repeat(70_000)],
];

interface Seen {
  readonly record: RequestRecord;
  readonly outputs: number;
  readonly taken: number;
  readonly done: boolean;
  readonly refused: string | undefined;
}

// One reader for all, as in a lane: what one answer leaves behind must not show in the next.
function reading(streamed: boolean): (bytes: Uint8Array, pieces: readonly number[]) => Seen {
  let outputs = 0;
  const reader = new AnswerReader(streamed, () => outputs++);
  return (bytes, cuts) => {
    const record = newRecord(0, 0, 0);
    outputs = 0;
    reader.start(record);
    let taken = 0, refused: string | undefined;
    try {
      for (let from = 0, i = 0; from < bytes.length && !reader.done; i++) {
        const to = cuts[i] ?? bytes.length;
        const part = bytes.slice(from, to);
        taken += reader.push(part, part.length, 1);
        from = to;
      }
      if (reader.done || reader.end()) reader.finish();
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      refused = error.message.replace(/: .*/s, "");
      taken = 0;
    }
    return { record, outputs, taken, done: reader.done, refused };
  };
}

for (
  const [name, streamed, texts] of [["streams", true, STREAMS], ["whole", false, WHOLE]] as const
) {
  Deno.test(`mutated answers are read or refused, however they are split: ${name}`, () => {
    const random = seededRandom(SEED, streamed ? 1 : 2);
    const below = (n: number) => Math.floor(random() * n);
    const whole = reading(streamed), split = reading(streamed), slow = reading(streamed);
    const encoder = new TextEncoder();
    let good = 0;
    for (let i = 0; i < INPUTS; i++) {
      const text = mutate(texts, below);
      const bytes = encoder.encode(text);
      const cuts = Array.from({ length: below(6) }, () => below(bytes.length + 1)).sort((a, b) =>
        a - b
      );
      const started = performance.now();
      let one: Seen, other: Seen;
      try {
        one = whole(bytes, []);
        other = split(bytes, cuts);
      } catch (error) {
        assert.fail(
          `input ${i}: ${(error as Error).stack}\n${JSON.stringify(text.slice(0, 4000))}`,
        );
      }
      const took = performance.now() - started;
      assert.ok(
        took < BOUND_MS,
        `input ${i} took ${took} ms\n${JSON.stringify(text.slice(0, 4000))}`,
      );
      const where = `input ${i}, cut at ${cuts}\n${JSON.stringify(text.slice(0, 4000))}`;
      // What is quoted of a broken answer may be cut short; what is counted may not.
      assert.deepEqual(counts(other), counts(one), where);
      // In pieces this small no chunk is whole, and none is taken by its looks.
      if (bytes.length < SMALL) {
        const pieces = Array.from(bytes, (_, at) => 3 * at + 3).slice(0, bytes.length / 3);
        assert.deepEqual(counts(slow(bytes, pieces)), counts(one), where);
      }
      check(one, where);
      if (one.refused === undefined && one.record.failure === undefined && one.done) good++;
    }
    // Were all refused, or none, little would have been tried.
    assert.ok(good > INPUTS / 200 && good < INPUTS, `${good} of ${INPUTS} were read`);
  });
}

function counts({ record, outputs, taken, done, refused }: Seen): unknown {
  const { message: _, ...rest } = record;
  return { ...rest, outputs, taken, done, refused };
}

function check({ record, outputs, done, refused }: Seen, where: string): void {
  assert.equal(record.events, outputs, where);
  assert.ok(record.events >= 0 && record.firstTokens >= 1, where);
  if (record.failure !== undefined) assert.notEqual(record.message, "", where);
  if (!done || refused !== undefined || record.failure !== undefined) return;
  assert.equal(record.status, 200, where);
  assert.ok(record.events > 0, where);
  for (const count of [record.outputTokens, record.inputTokens, record.cachedTokens]) {
    assert.ok(Number.isNaN(count) || (Number.isFinite(count) && count >= 0), `${count} ${where}`);
  }
}

/** One to four changes: a piece put in, a stretch removed, doubled, or another text's put in. */
function mutate(texts: readonly string[], below: (n: number) => number): string {
  let text = texts[below(texts.length)]!;
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const from = below(text.length + 1);
    const to = Math.min(text.length, from + below(below(4) === 0 ? 300 : 12));
    const [before, part, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
    const other = texts[below(texts.length)]!;
    const at = below(other.length);
    switch (below(5)) {
      case 0:
        text = before + after;
        break;
      case 1:
        text = before + part + part + after;
        break;
      case 2:
        text = before + other.slice(at, at + below(300)) + after;
        break;
      case 3:
        text = before + String.fromCharCode(below(256)) + part.slice(1) + after;
        break;
      default:
        text = before + PIECES[below(PIECES.length)]! + part + after;
    }
    if (text.length > 300_000) break;
  }
  return text;
}
