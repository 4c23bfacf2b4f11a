import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { ResponseParser } from "./http1.ts";
import { seededRandom } from "./random.ts";

interface Seen {
  status: number;
  keepAlive: boolean;
  body: string;
  done: boolean;
  taken: number;
}

/** Parses the pieces; the last number says how many bytes of all were taken. */
function parse(pieces: readonly Uint8Array[], ended = false): Seen {
  let body = "", status = 0, keepAlive = false;
  const decoder = new TextDecoder();
  const parser = new ResponseParser({
    onHead: (head) => {
      status = head.status;
      keepAlive = head.keepAlive;
    },
    onBody: (bytes, start, end) =>
      body += decoder.decode(bytes.subarray(start, end), { stream: true }),
  });
  let taken = 0;
  for (const piece of pieces) taken += parser.push(piece, 0, piece.length);
  const done = ended ? parser.end() : parser.done;
  return { status, keepAlive, body, done, taken };
}

const encode = (text: string) => new TextEncoder().encode(text);
const CHUNKED =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nTransfer-Encoding: Chunked\r\n\r\n";

const RESPONSES: [string, string, Partial<Seen>][] = [
  [
    "chunked, with extension and trailer",
    `${CHUNKED}5;a=b\r\nhello\r\n0000A\r\n wörld...\r\n0\r\nx: y\r\n\r\n`,
    {
      status: 200,
      keepAlive: true,
      body: "hello wörld...",
    },
  ],
  [
    "content length",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone",
    {
      status: 404,
      keepAlive: false,
      body: "gone",
    },
  ],
  ["no body", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, keepAlive: true, body: "" }],
  ["announced", `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`, {
    status: 200,
    body: "",
  }],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", { keepAlive: false, body: "x" }],
  ["bare line feeds in the head", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", {
    keepAlive: true,
    body: "x",
  }],
];

for (const [name, text, expected] of RESPONSES) {
  Deno.test(`a response is the same wherever it is split: ${name}`, () => {
    const bytes = encode(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const seen = parse([bytes.slice(0, cut), bytes.slice(cut)]);
      assert.deepEqual({ ...seen, ...expected }, seen, `split at ${cut}`);
      assert.equal(seen.done, true, `split at ${cut}`);
      assert.equal(seen.taken, bytes.length);
    }
    assert.deepEqual(parse([...bytes].map((byte) => Uint8Array.of(byte))), parse([bytes]));
  });
}

Deno.test("a body without length ends with the connection", () => {
  const seen = parse([encode("HTTP/1.1 200 OK\r\n\r\nall of it")], true);
  assert.deepEqual(seen, {
    status: 200,
    keepAlive: false,
    body: "all of it",
    done: true,
    taken: 28,
  });
  assert.equal(parse([encode(`${CHUNKED}5\r\nhel`)], true).done, false);
  assert.equal(
    parse([encode("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")], true).done,
    false,
  );
});

Deno.test("bytes after the response are left", () => {
  const one = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  assert.equal(parse([encode(one + one)]).taken, one.length);
});

Deno.test("random chunks come out as one body", () => {
  const random = seededRandom(1, 0);
  const whole = (n: number) => Math.floor(random() * n);
  for (let round = 0; round < 300; round++) {
    let body = "", text = CHUNKED;
    for (let i = whole(6); i > 0; i--) {
      const part = "abc\r\n0".repeat(1 + whole(40)).slice(whole(5));
      body += part;
      text += `${part.length.toString(16)}\r\n${part}\r\n`;
    }
    const bytes = encode(`${text}0\r\n\r\n`);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + 1 + whole(60));
      pieces.push(bytes.slice(at, next));
      at = next;
    }
    const seen = parse(pieces);
    assert.equal(seen.body, body);
    assert.equal(seen.done, true);
  }
});

const BROKEN: [string, string, RegExp][] = [
  ["not HTTP", "SSH-2.0-OpenSSH\r\n", /not HTTP: SSH-2/],
  ["status line", "HTTP/2 200\r\n\r\n", /status line "HTTP\/2 200"/],
  ["header", "HTTP/1.1 200 OK\r\nbroken\r\n\r\n", /header "broken"/],
  ["space before colon", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n", /header/],
  ["length", "HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\n", /content length "3x"/],
  [
    "two lengths",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    /two different/,
  ],
  ["chunk size", `${CHUNKED}zz\r\n`, /chunk's size starts with/],
  ["negative chunk", `${CHUNKED}-5\r\n`, /chunk's size starts with/],
  ["chunk size with junk", `${CHUNKED}5x\r\n`, /in a chunk's size/],
  ["huge chunk", `${CHUNKED}fffffffffffff\r\n`, /more than 12 digits/],
  ["size line without CR LF", `${CHUNKED}5\rx`, /does not end with CR LF/],
  ["chunk too long", `${CHUNKED}2\r\nhello\r\n`, /longer than its size/],
  ["gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", /encoded as gzip/],
  [
    "odd transfer encoding",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    /transfer encoding/,
  ],
  ["endless head", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}`, /longer than 64 KiB/],
  ["endless trailer", `${CHUNKED}0\r\nx: ${"y".repeat(20_000)}`, /trailer is too long/],
];

for (const [name, text, pattern] of BROKEN) {
  Deno.test(`broken HTTP is refused: ${name}`, () => {
    const bytes = encode(text);
    for (const pieces of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
      assert.throws(
        () => parse(pieces),
        (error) => error instanceof TaskError && pattern.test(error.message),
      );
    }
  });
}
