import assert from "node:assert/strict";
import { Lane } from "./lane.ts";
import { seededRandom } from "./random.ts";
import { newRecord, type RequestRecord } from "./record.ts";
import { type ByteConnection, fromStreams } from "./transport.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const chunked = (text: string) => `${encode(text).length.toString(16)}\r\n${text}\r\n`;
const event = (content: string) =>
  `data: {"choices":[{"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
const HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
const ANSWER = HEAD +
  chunked('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n') +
  chunked(event("Hel")) + chunked(event("lö") + event(" wörld")) + chunked(": keep-alive\n\n") +
  chunked(event("!").slice(0, 20)) + chunked(event("!").slice(20)) +
  chunked(
    'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":4}}\n\ndata: [DONE]\n\n',
  ) +
  "0\r\n\r\n";

/** A connection that answers each write with the pieces, one a read, then waits (or ends). */
function scripted(
  pieces: readonly Uint8Array[],
  after: "wait" | "end" | Error = "wait",
): ByteConnection {
  let queue: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  let closed = false, written = false;
  return {
    async read(into) {
      for (;;) {
        const piece = queue.shift();
        if (piece !== undefined) {
          into.set(piece);
          return piece.length;
        }
        if (closed) throw new Deno.errors.Interrupted("closed");
        if (written && after === "end") return null;
        if (written && after instanceof Error) throw after;
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
    write(bytes) {
      written = true;
      queue = [...pieces];
      wake?.();
      return Promise.resolve(bytes.length);
    },
    close() {
      closed = true;
      wake?.();
    },
  };
}

function lane(dial: () => Promise<ByteConnection>, connectTimeoutMs = 1000): Lane {
  return new Lane({
    id: 0,
    dial: (signal) =>
      Promise.race([
        dial(),
        new Promise<never>((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        ),
      ]),
    now: () => performance.now(),
    stream: true,
    onOutput: () => {},
    connectTimeoutMs,
    requestTimeoutMs: 100,
    idleTimeoutMs: 50,
  });
}

async function exchange(
  pieces: readonly Uint8Array[],
  after: "wait" | "end" | Error = "end",
): Promise<RequestRecord> {
  const one = lane(() => Promise.resolve(scripted(pieces, after)));
  const record = newRecord(0, 0, 0);
  await one.exchange(encode("request"), record);
  one.close();
  return record;
}

const facts = (record: RequestRecord) => ({
  failure: record.failure,
  message: record.message,
  events: record.events,
  tokens: record.outputTokens,
  prompt: record.inputTokens,
  status: record.status,
});
const GOOD = { failure: undefined, message: "", events: 4, tokens: 4, prompt: 7, status: 200 };

Deno.test("an answer is the same wherever its bytes are split", async () => {
  const bytes = encode(ANSWER);
  for (let cut = 1; cut < bytes.length; cut++) {
    const record = await exchange([bytes.slice(0, cut), bytes.slice(cut)]);
    assert.deepEqual(facts(record), GOOD, `split at ${cut}`);
  }
  assert.deepEqual(facts(await exchange([...bytes].map((byte) => Uint8Array.of(byte)))), GOOD);
});

Deno.test("an answer cut off anywhere is a failure, and never an exception", async () => {
  const bytes = encode(ANSWER);
  for (let cut = 0; cut < bytes.length; cut++) {
    const record = await exchange(cut === 0 ? [] : [bytes.slice(0, cut)]);
    assert.equal(record.failure, "reset", `cut at ${cut}`);
    assert.match(record.message, /^the connection ended/);
  }
});

Deno.test("any damage to the bytes ends the exchange, with a kind and a message", async () => {
  const random = seededRandom(17, 0);
  const whole = (n: number) => Math.floor(random() * n);
  const kinds = new Set<string | undefined>();
  for (let round = 0; round < 3000; round++) {
    const bytes = [...encode(ANSWER)];
    for (let i = whole(3); i >= 0; i--) {
      const at = whole(bytes.length);
      const action = whole(3);
      if (action === 0) bytes[at] = whole(256);
      else if (action === 1) bytes.splice(at, 1 + whole(20));
      else bytes.splice(at, 0, ...bytes.slice(whole(bytes.length), whole(bytes.length)));
    }
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + 1 + whole(300));
      pieces.push(Uint8Array.from(bytes.slice(at, next)));
      at = next;
    }
    const record = await exchange(pieces);
    kinds.add(record.failure);
    if (record.failure !== undefined) assert.notEqual(record.message, "", record.failure);
    assert.ok(record.ended >= record.sent);
  }
  for (const kind of [undefined, "protocol", "reset", "stream_error"]) {
    assert.ok(kinds.has(kind), `${kind}`);
  }
});

Deno.test("a reset by the peer is told with the system's words", async () => {
  const reset = new Deno.errors.ConnectionReset("Connection reset by peer (os error 104)");
  const record = await exchange([encode(ANSWER).slice(0, 300)], reset);
  assert.deepEqual([record.failure, record.message], ["reset", reset.message]);
});

Deno.test("bytes after an answer make the connection unusable", async () => {
  let dials = 0;
  const one = lane(() => {
    dials++;
    return Promise.resolve(scripted([encode(`${ANSWER}HTTP/1.1 200 OK`)]));
  });
  for (let i = 0; i < 3; i++) {
    const record = newRecord(i, 0, 0);
    await one.exchange(encode("request"), record);
    assert.equal(record.failure, undefined);
  }
  assert.equal(dials, 3);
  one.close();
});

Deno.test("a kept connection that ended is replaced, once, and a new one is not", async () => {
  const answers = [[encode(ANSWER)], [], []];
  let dials = 0;
  // The first connection answers one request and ends with the second; later ones end at once.
  const one = lane(() => {
    dials++;
    if (dials > 1) return Promise.resolve(scripted([], "end"));
    let writes = 0;
    const inner = scripted(answers[0]!);
    return Promise.resolve({
      ...inner,
      write: (bytes: Uint8Array) =>
        writes++ === 0
          ? inner.write(bytes)
          : Promise.reject(new Deno.errors.BrokenPipe("Broken pipe")),
    });
  });
  const first = newRecord(0, 0, 0);
  await one.exchange(encode("request"), first);
  assert.equal(first.failure, undefined);
  const second = newRecord(1, 0, 0);
  await one.exchange(encode("request"), second);
  assert.deepEqual([second.resent, second.failure, dials], [true, "reset", 2]);
  one.close();
});

Deno.test("dialing has a deadline, and a refusal is a failure of its own kind", async () => {
  const silent = lane(() => new Promise(() => {}), 50);
  const record = newRecord(0, 0, 0);
  await silent.exchange(encode("x"), record);
  assert.deepEqual([record.failure, record.message], ["connect", "not connected after 50 ms"]);
  silent.close();
  const refused = lane(() =>
    Promise.reject(new Deno.errors.ConnectionRefused("Connection refused"))
  );
  const other = newRecord(0, 0, 0);
  await refused.exchange(encode("x"), other);
  assert.deepEqual([other.failure, other.message], ["connect", "Connection refused"]);
  refused.close();
});

Deno.test("a lane that is closed while it waits ends as unfinished", async () => {
  const one = lane(() => Promise.resolve(scripted([encode(HEAD)])));
  const record = newRecord(0, 0, 0);
  const running = one.exchange(encode("x"), record);
  await new Promise((resolve) => setTimeout(resolve, 20));
  one.close();
  await running;
  assert.equal(record.failure, "unfinished");
  const late = newRecord(1, 0, 0);
  await one.exchange(encode("x"), late);
  assert.equal(late.failure, "connect");
});

Deno.test("streams of any piece size make a connection", async () => {
  let closed = 0;
  const sent: Uint8Array[] = [];
  const connection = fromStreams({
    readable: ReadableStream.from([encode("hello"), encode(""), encode(" world")]),
    writable: new WritableStream({ write: (bytes) => void sent.push(bytes) }),
    close: () => closed++,
  });
  assert.equal(await connection.write(encode("abc")), 3);
  const buffer = new Uint8Array(4);
  let text = "";
  for (let length; (length = await connection.read(buffer)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, length));
  }
  assert.equal(text, "hello world");
  assert.equal(sent.length, 1);
  connection.close();
  assert.equal(closed, 1);
});
