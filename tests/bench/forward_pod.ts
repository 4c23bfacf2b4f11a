/**
 * The pod of `deno task bench:forward` as a process of its own: it sends or takes as many bytes
 * as it is asked for. Prints its port, ends with its standard input.
 *
 * A question is nine bytes: `d` (send so many bytes), `u` (take so many and answer with one) or
 * `e` (answer with one), and the number. The pod ends the connection.
 *
 * @module
 */
import process from "node:process";

/** Bytes of a question. */
export const QUESTION = 9;

/** Makes one. */
export function question(kind: "d" | "u" | "e", bytes = 0): Uint8Array<ArrayBuffer> {
  const text = new Uint8Array(QUESTION);
  text[0] = kind.charCodeAt(0);
  new DataView(text.buffer).setBigUint64(1, BigInt(bytes));
  return text;
}

/** Writes all. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Sends so many bytes. */
export async function sendBytes(connection: Deno.Conn, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) {
    left -= await connection.write(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
  }
}

const CHUNK = new Uint8Array(256 * 1024).fill(7);

async function answer(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(256 * 1024);
  let size = 0;
  while (size < QUESTION) {
    const more = await connection.read(buffer.subarray(size));
    if (more === null) return;
    size += more;
  }
  const kind = String.fromCharCode(buffer[0]!);
  const bytes = Number(new DataView(buffer.buffer).getBigUint64(1));
  if (kind === "d") return await sendBytes(connection, bytes);
  for (let taken = size - QUESTION; kind === "u" && taken < bytes;) {
    const more = await connection.read(buffer);
    if (more === null) return;
    taken += more;
  }
  await writeAll(connection, new Uint8Array([1]));
}

async function serve(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) {
    answer(connection).catch(() => {}).finally(() => connection.close());
  }
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  process.stdout.write(`${listener.addr.port}\n`);
  serve(listener).catch(() => {});
  for await (const _ of Deno.stdin.readable);
  process.exit(0);
}
