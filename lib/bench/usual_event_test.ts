import assert from "node:assert/strict";
import { httpChunk } from "./mock_http.ts";
import { UsualEvent } from "./usual_event.ts";

const BEFORE = 'data: {"id":"a","choices":[{"delta":{"content":"';
const AFTER = '"},"finish_reason":null}]}\n\n';
const encoder = new TextEncoder();
const bytesOf = (text: string) => encoder.encode(text);
const chunk = (text: string) => bytesOf(httpChunk(BEFORE + text + AFTER));

function learned(): UsualEvent {
  const usual = new UsualEvent();
  const data = bytesOf(`${BEFORE}one${AFTER}`);
  const text = BEFORE.length;
  usual.learn(data, 0, text, text + 3, data.length);
  return usual;
}

Deno.test("a chunk that differs in its text only is taken whole", () => {
  const usual = learned();
  for (const text of ["x", "two three", 'a \\"quote\\" and \\\\', "ä\u{1f600}", "y".repeat(3000)]) {
    const bytes = chunk(text);
    assert.equal(usual.take(bytes, 0, bytes.length), bytes.length, text);
    const later = new Uint8Array([...bytesOf("xyz"), ...bytes, ...bytesOf("1")]);
    assert.equal(usual.take(later, 3, later.length), 3 + bytes.length, text);
  }
});

Deno.test("everything else is left to the parsers", () => {
  const usual = learned();
  const others = {
    "no text": chunk(""),
    "a quote ends the text": chunk('a"b'),
    "a backslash before the end": chunk("a\\"),
    "a line end within the text": chunk("a\nb"),
    "another id": bytesOf(httpChunk(BEFORE.replace('"a"', '"b"') + "x" + AFTER)),
    "the finish": bytesOf(httpChunk(BEFORE + "x" + AFTER.replace("null", '"stop"'))),
    "two events": bytesOf(httpChunk(`${BEFORE}x${AFTER}${BEFORE}y${AFTER}`)),
    "the last chunk": bytesOf("0\r\n\r\n"),
    "an extension": bytesOf(httpChunk(BEFORE + "x" + AFTER).replace("\r\n", ";a=b\r\n")),
    "no size": bytesOf(`\r\n${BEFORE}x${AFTER}\r\n`),
    "a size too small": bytesOf(`30\r\n${BEFORE}x${AFTER}\r\n`),
    "a size too large": bytesOf(`fff\r\n${BEFORE}x${AFTER}\r\n`),
    "a line end missing": bytesOf(httpChunk(BEFORE + "x" + AFTER).slice(0, -2) + "xx"),
  };
  for (const [name, bytes] of Object.entries(others)) {
    assert.equal(usual.take(bytes, 0, bytes.length), -1, name);
  }
  const whole = chunk("x");
  for (let length = 0; length < whole.length; length++) {
    assert.equal(usual.take(whole, 0, length), -1, `${length} of ${whole.length} bytes`);
  }
});

Deno.test("nothing is known before an event was learned, and after the answer's end", () => {
  const usual = learned();
  assert.ok(usual.known);
  usual.reset();
  assert.ok(!usual.known);
  const frame = "z".repeat(5000);
  usual.learn(bytesOf(frame), 0, 4000, 4001, frame.length);
  assert.ok(!usual.known, "a frame this long is not kept");
});
