import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { sseData, SseParser } from "./sse.ts";

type Seen = { type: string; data: string; comment: string };

function parse(pieces: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = [];
  const parser = new SseParser((event) =>
    seen.push({ type: event.type, data: sseData(event), comment: event.comment })
  );
  for (const piece of pieces) parser.push(piece);
  return seen;
}

// The standard's algorithm written the slow way, over whole lines, as a second opinion.
function parseSlowly(text: string): Seen[] {
  const seen: Seen[] = [];
  let data: string[] = [], type = "", comment = "";
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  lines.pop(); // an unfinished line does not count
  for (const line of lines) {
    if (line === "") {
      if (data.length > 0 || type !== "") {
        seen.push({ type, data: data.join("\n"), comment });
      }
      data = [], type = "", comment = "";
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "") comment = comment === "" ? value : `${comment}\n${value}`;
    else if (field === "data") data.push(value);
    else if (field === "event") type = value;
  }
  return seen;
}

const encode = (text: string) => new TextEncoder().encode(text);

const STREAM = [
  ": keep-alive\n\n",
  'data: {"choices":[{"delta":{"content":"héllo"}}]}\n\n',
  "data:no space\r\n\r\n",
  "data: first\ndata: second\ndata\n\n",
  "event: error\n: worker is gone\n\n",
  "id: 7\nretry: 10\n\n",
  "event: note\ndata: x\r\r",
  "dat: not data\ndata: 🙂\n\n",
  "data: [DONE]\n\n",
].join("");

Deno.test("events are the same wherever the bytes are split", () => {
  const bytes = encode(STREAM);
  const whole = parse([bytes]);
  assert.deepEqual(whole, parseSlowly(STREAM));
  assert.equal(whole.length, 7);
  assert.deepEqual(whole[2], { type: "", data: "first\nsecond\n", comment: "" });
  assert.deepEqual(whole[3], { type: "error", data: "", comment: "worker is gone" });
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(parse([bytes.slice(0, cut), bytes.slice(cut)]), whole, `split at ${cut}`);
  }
  assert.deepEqual(parse([...bytes].map((byte) => Uint8Array.of(byte))), whole, "byte by byte");
});

Deno.test("any text gives what the slow algorithm gives", () => {
  const pieces = [
    "data",
    ":",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "event",
    "x",
    "é",
    "{}",
    "data: a\n",
  ];
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 3000; round++) {
    let text = "";
    for (let i = random(30); i >= 0; i--) text += pieces[random(pieces.length)];
    text += "x"; // an unfinished line: a final CR would otherwise be read differently when split
    const bytes = encode(text);
    const cuts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + 1 + random(9));
      cuts.push(bytes.slice(at, next));
      at = next;
    }
    assert.deepEqual(parse(cuts), parseSlowly(text), JSON.stringify(text));
  }
});

Deno.test("a byte order mark at the start is skipped", () => {
  assert.deepEqual(parse([encode("\ufeffdata: a\n\n")]), [{ type: "", data: "a", comment: "" }]);
});

Deno.test("an event that never ends is refused at the limit, in time that grows with its length", () => {
  const parser = new SseParser(() => {}, 100_000);
  const piece = encode(`data: ${"x".repeat(1000)}`.slice(0, 1000));
  assert.throws(() => {
    for (let i = 0; i < 200; i++) parser.push(piece);
  }, (error) => error instanceof TaskError && error.code === "STREAM_EVENT_TOO_LARGE");
});

Deno.test("reset forgets an unfinished event", () => {
  const seen: string[] = [];
  const parser = new SseParser((event) => seen.push(sseData(event)));
  parser.push(encode("data: lost"));
  assert.equal(parser.pending, true);
  parser.reset();
  parser.push(encode("data: kept\n\n"));
  assert.deepEqual(seen, ["kept"]);
  assert.equal(parser.pending, false);
});
