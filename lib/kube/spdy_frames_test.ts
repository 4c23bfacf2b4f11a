import assert from "node:assert/strict";
import { constants, inflateSync } from "node:zlib";
import {
  dataHead,
  finFrame,
  FRAME,
  FRAME_HEAD,
  frameReader,
  numberIn,
  pingFrame,
  resetFrame,
  streamOpener,
} from "./spdy_frames.ts";

const joined = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

function data(stream: number, bytes: readonly number[], fin = false): Uint8Array {
  const frame = new Uint8Array([...new Uint8Array(FRAME_HEAD), ...bytes]);
  dataHead(frame, stream, bytes.length, fin);
  return frame;
}

/** What a reader tells of bytes that come in pieces of a size. */
function told(bytes: Uint8Array, piece: number): string[] {
  const events: string[] = [];
  const streams = new Map<number, number[]>();
  const take = frameReader({
    data: (stream, part) => streams.set(stream, [...streams.get(stream) ?? [], ...part]),
    end: (stream) => events.push(`end ${stream}: ${streams.get(stream) ?? ""}`),
    control: (kind, flags, body) => events.push(`${kind} ${flags} ${numberIn(body)}`),
  });
  for (let at = 0; at < bytes.length; at += piece) take(bytes.subarray(at, at + piece));
  return events;
}

Deno.test("frames are read in whatever pieces they come", () => {
  const bytes = joined(
    data(3, [1, 2, 3]),
    pingFrame(2),
    data(7, [9]),
    data(3, [4], true),
    resetFrame(7),
    finFrame(2 ** 31 - 1),
  );
  const whole = [
    `${FRAME.ping} 0 2`,
    "end 3: 1,2,3,4",
    `${FRAME.rstStream} 0 7`,
    "end 2147483647: ",
  ];
  for (const piece of [1, 2, 7, 8, 9, 1000]) assert.deepEqual(told(bytes, piece), whole);
});

Deno.test("frames have the form of the SPDY/3.1 draft", () => {
  assert.deepEqual([...pingFrame(1)], [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]);
  assert.deepEqual([...resetFrame(5)], [0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 5]);
  assert.deepEqual([...finFrame(3)], [0, 0, 0, 3, 1, 0, 0, 0]);
  assert.deepEqual([...data(1, [7, 8])], [0, 0, 0, 1, 0, 0, 0, 2, 7, 8]);
  const open = streamOpener()(9, { port: "80" });
  assert.deepEqual([...open.subarray(0, 4)], [0x80, 3, 0, 1]);
  assert.equal(open.length - FRAME_HEAD, open[7]);
  assert.deepEqual([...open.subarray(8, 18)], [0, 0, 0, 9, 0, 0, 0, 0, 0, 0]);
});

Deno.test("headers of all streams are one zlib stream, handed out block by block", () => {
  const opener = streamOpener();
  const headers = { port: "8000", requestid: "1", streamtype: "error" };
  const blocks = [opener(1, headers), opener(3, { ...headers, streamtype: "data" })]
    .map((frame) => frame.subarray(FRAME_HEAD + 10));
  const inflate = (...parts: Uint8Array[]) =>
    inflateSync(joined(...parts), { finishFlush: constants.Z_SYNC_FLUSH });
  const text = (type: string) =>
    `\0\0\0\x03\0\0\0\x04port\0\0\0\x048000\0\0\0\x09requestid\0\0\0\x011` +
    `\0\0\0\x0astreamtype\0\0\0${String.fromCharCode(type.length)}${type}`;
  assert.equal(inflate(blocks[0]!).toString(), text("error"));
  assert.equal(inflate(...blocks).toString(), text("error") + text("data"));
});

Deno.test("what is no SPDY is refused", () => {
  const answer = new TextEncoder().encode("\x80TTP/1.1 400 Bad Request\r\n\r\n");
  const take = frameReader({ data() {}, end() {}, control() {} });
  assert.throws(() => take(new Uint8Array([0x80, 2, 0, 6, 0, 0, 0, 4])), /speak SPDY/);
  assert.throws(() => frameReader({ data() {}, end() {}, control() {} })(answer), /speak SPDY/);
});
