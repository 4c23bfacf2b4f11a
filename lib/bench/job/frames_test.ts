import assert from "node:assert/strict";
import { newRecord } from "../record.ts";
import { FrameReader, frameWriter } from "./frames.ts";
import { decodeJob, encodeJob, plainOptions } from "./job_file.ts";
import { recordOf, rowOf } from "./record_rows.ts";

/** Reads lines and returns the messages. */
function messagesOf(reader: FrameReader, lines: readonly string[]): unknown[] {
  return lines.flatMap((line) => {
    const read = reader.read(line);
    return read.kind === "messages" ? [...read.messages] : [];
  });
}

// Not compressible, so that it takes several lines.
function noise(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => byte.toString(16)).join("");
}

Deno.test("messages arrive in order, whatever their size, between lines of others", () => {
  const writer = frameWriter();
  const large = { text: noise(40_000) };
  const lines = [
    ...writer.message({ a: 1 }),
    "Warning: something that Deno says",
    writer.passing({ alive: true }),
    ...writer.message(large),
    ...writer.message("ü"),
  ];
  assert.ok(lines.length > 6, `${lines.length} lines`);
  // Container runtimes cut lines at 16 KiB.
  for (const line of lines) assert.ok(line.length < 16_384);
  const reader = new FrameReader();
  assert.deepEqual(messagesOf(reader, lines), [{ a: 1 }, large, "ü"]);
  assert.equal(reader.missing, undefined);
  assert.deepEqual(reader.read(lines[1]!), { kind: "other", line: lines[1] });
  assert.deepEqual(reader.read(lines[2]!), { kind: "passing", value: { alive: true } });
});

Deno.test("lines that come twice, or late, change nothing", () => {
  const writer = frameWriter();
  const lines = [1, 2, 3, 4].flatMap((value) => writer.message(value));
  const [one, two, three, four] = lines as [string, string, string, string];
  const reader = new FrameReader();
  assert.deepEqual(messagesOf(reader, [one, two, one, two, four]), [1, 2]);
  assert.equal(reader.missing, 2);
  assert.deepEqual(messagesOf(reader, [one, two, three, four]), [3, 4]);
  assert.equal(reader.missing, undefined);
  assert.equal(reader.lost, 0);
});

Deno.test("a damaged line is noticed, and given up only when asked to", () => {
  const writer = frameWriter();
  const large = writer.message(noise(40_000));
  const lines = [...writer.message(1), ...large, ...writer.message(2)];
  const before = writer.message(3);
  // One character of the message's second line.
  const damaged = large[1]!.replace(/.(?="\}$)/, (one) => one === "A" ? "B" : "A");
  assert.notEqual(damaged, large[1]);
  const reader = new FrameReader();
  const all = [large[0]!, damaged, ...large.slice(2), ...lines.slice(0, 1), ...lines.slice(-1)];
  assert.deepEqual(messagesOf(reader, [...all, ...before]), []);
  assert.equal(reader.damaged, 1);
  assert.equal(reader.missing, 1);
  // The whole broken message is gone, what is behind it is there.
  assert.deepEqual(reader.skip(), [1, 2, 3]);
  assert.equal(reader.lost, large.length);
  assert.equal(reader.missing, undefined);
});

Deno.test("requests are the same on the other side, to the microsecond", () => {
  const good = newRecord(7, 3, 12.345678);
  Object.assign(good, { sent: 12.5, first: 40.0001, last: 90, ended: 91, events: 64, status: 200 });
  const bad = newRecord(8, 0, 13);
  Object.assign(bad, { failure: "http_503", message: "Überlast", resent: true, status: 503 });
  const [a, b] = JSON.parse(JSON.stringify([good, bad].map(rowOf))).map(recordOf);
  assert.deepEqual(a, { ...good, scheduled: 12.346, first: 40 });
  assert.deepEqual(b, bad);
});

Deno.test("a job's file holds what JSON does not, and no secrets", async () => {
  const requests = [{
    atMs: 0,
    inputTokens: NaN,
    outputTokens: 3,
    blocks: [],
    messages: [{ role: "user" as const, text: "hi" }],
    sharedTokens: 0,
  }];
  const options = plainOptions({
    concurrency: 4,
    trace: { path: "x", requests },
    apiKey: "secret-key",
    headers: { "X-Key": "secret-header" },
    onProgress: () => {},
  });
  const bytes = encodeJob({ options, blocks: true, watched: false });
  const job = decodeJob(bytes);
  assert.equal(job.blocks, true);
  assert.ok(Number.isNaN(job.options.trace!.requests[0]!.inputTokens));
  assert.equal(job.options.concurrency, 4);
  const text = await new Response(
    new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
  ).text();
  assert.ok(!text.includes("secret"), text);
});
