/**
 * Frames of SPDY/3.1, the protocol of `kubectl port-forward` since its beginning: the part that
 * nodes speak. They know no windows, send no headers worth reading, and have no priorities.
 *
 * @module
 */

/** Bytes before the content of each frame. */
export const FRAME_HEAD = 8;

/** Kinds of control frames. */
export const FRAME = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;

/** What {@link frameReader} tells of. */
export interface FrameHandlers {
  /** Bytes of a stream, as many as came together; a view of what was read. */
  data(stream: number, bytes: Uint8Array): void;
  /** The other side will send nothing more in the stream. */
  end(stream: number): void;
  /** A whole control frame. */
  control(kind: number, flags: number, body: Uint8Array): void;
}

const VERSION = 0x8003_0000;
const FIN = 1;
const CANCEL = 5;
// Control frames are small; a longer one is no SPDY.
const MOST_CONTROL = 1024 * 1024;

/**
 * Takes bytes as they come and tells of frames.
 *
 * @throws {Error} from the function returned, when the bytes are no SPDY frames.
 */
export function frameReader(handlers: FrameHandlers): (bytes: Uint8Array) => void {
  const head = new Uint8Array(FRAME_HEAD);
  const view = new DataView(head.buffer);
  let known = 0;
  let left = 0;
  let body: Uint8Array | undefined;

  function begin(): void {
    left = view.getUint32(4) & 0xff_ffff;
    body = undefined;
    const first = view.getUint32(0);
    if (first >>> 31 === 1) {
      if ((first & 0xffff_0000) >>> 0 !== VERSION || left > MOST_CONTROL) {
        throw new Error("the server does not speak SPDY/3.1");
      }
      body = new Uint8Array(left);
    }
    if (left === 0) finish();
  }

  function finish(): void {
    known = 0;
    const first = view.getUint32(0);
    const flags = head[4]!;
    if (body !== undefined) handlers.control(first & 0xffff, flags, body);
    else if ((flags & FIN) !== 0) handlers.end(first);
  }

  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      const headless = known < FRAME_HEAD;
      const part = Math.min(headless ? FRAME_HEAD - known : left, bytes.length - at);
      const piece = bytes.subarray(at, at + part);
      at += part;
      if (headless) {
        head.set(piece, known);
        known += part;
        if (known === FRAME_HEAD) begin();
        continue;
      }
      if (body === undefined) handlers.data(view.getUint32(0), piece);
      else body.set(piece, body.length - left);
      left -= part;
      if (left === 0) finish();
    }
  };
}

/** Writes the head of a data frame to the beginning of `into`. */
export function dataHead(into: Uint8Array, stream: number, length: number, fin = false): void {
  const view = new DataView(into.buffer, into.byteOffset, FRAME_HEAD);
  view.setUint32(0, stream);
  view.setUint32(4, length);
  if (fin) into[4] = FIN;
}

/** A frame that says: nothing more comes in this stream. */
export function finFrame(stream: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEAD);
  dataHead(frame, stream, 0, true);
  return frame;
}

/** A frame that ends a stream in both directions. */
export function resetFrame(stream: number): Uint8Array<ArrayBuffer> {
  return controlFrame(FRAME.rstStream, [stream, CANCEL]);
}

/** A frame that is answered with the same frame; clients have odd numbers. */
export function pingFrame(id: number): Uint8Array<ArrayBuffer> {
  return controlFrame(FRAME.ping, [id]);
}

/** Number in the first four bytes of a control frame's body: of a stream, or of a ping. */
export function numberIn(body: Uint8Array): number {
  if (body.length < 4) throw new Error("the server sent a SPDY frame that is too short");
  return new DataView(body.buffer, body.byteOffset).getUint32(0) & 0x7fff_ffff;
}

/** Makes the frames that open streams, of one connection and in this order. */
export function streamOpener(): (
  stream: number,
  headers: Readonly<Record<string, string>>,
) => Uint8Array<ArrayBuffer> {
  let first = true;
  return (stream, headers) => {
    const block = headerBlock(headers, first);
    first = false;
    const frame = new Uint8Array(FRAME_HEAD + 10 + block.length);
    // Stream, the one it belongs to (none), priority and slot (none).
    frame.set(controlFrame(FRAME.synStream, [stream, 0], 2 + block.length));
    frame.set(block, FRAME_HEAD + 10);
    return frame;
  };
}

function controlFrame(
  kind: number,
  numbers: readonly number[],
  more = 0,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEAD + 4 * numbers.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, (VERSION | kind) >>> 0);
  view.setUint32(4, 4 * numbers.length + more);
  numbers.forEach((number, index) => view.setUint32(FRAME_HEAD + 4 * index, number));
  return frame;
}

/**
 * Headers in zlib's format, as part of one stream for the whole connection. They are short, so
 * they are stored and not compressed (RFC 1951, 3.2.4), which any inflater takes; the empty block
 * after them makes it hand out what it has, as zlib's Z_SYNC_FLUSH does.
 */
function headerBlock(headers: Readonly<Record<string, string>>, first: boolean): Uint8Array {
  const encoder = new TextEncoder();
  const texts = Object.entries(headers).flat().map((text) => encoder.encode(text));
  const size = 4 + texts.reduce((sum, { length }) => sum + 4 + length, 0);
  const start = first ? ZLIB_HEAD.length : 0;
  const block = new Uint8Array(start + 5 + size + EMPTY_BLOCK.length);
  if (first) block.set(ZLIB_HEAD);
  const view = new DataView(block.buffer);
  view.setUint16(start + 1, size, true);
  view.setUint16(start + 3, ~size & 0xffff, true);
  let at = start + 5;
  const number = (value: number) => {
    view.setUint32(at, value);
    at += 4;
  };
  number(texts.length / 2);
  for (const text of texts) {
    number(text.length);
    block.set(text, at);
    at += text.length;
  }
  block.set(EMPTY_BLOCK, at);
  return block;
}

// RFC 1950: deflate with a window of 32 KiB, no dictionary.
const ZLIB_HEAD = [0x78, 0x01];
const EMPTY_BLOCK = [0, 0, 0, 0xff, 0xff];
