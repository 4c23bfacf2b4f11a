/**
 * Downloads that are checked against a pinned hash.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Context } from "../../cli/context.ts";
import { messageOf, TaskError } from "../../cli/errors.ts";
import type { PinnedDownload } from "./pinned.ts";

/** A server that has not answered by then counts as out of reach. */
const ANSWER_MS = 3_000;
/** A download that stands still for that long counts as broken. */
const IDLE_MS = 30_000;

/** Codes of the errors after which another way to get the programs is tried. */
export const DOWNLOAD_CODES = {
  unreachable: "DOWNLOAD_UNREACHABLE",
  broken: "DOWNLOAD_BROKEN",
  changed: "DOWNLOAD_CHANGED",
} as const;

function failure(kind: keyof typeof DOWNLOAD_CODES, message: string, cause?: unknown): TaskError {
  return new TaskError({ code: DOWNLOAD_CODES[kind], message, cause });
}

interface OpenDownload {
  readonly pinned: PinnedDownload;
  readonly response: Response;
  readonly close: () => void;
}

/**
 * Downloads all files into a folder, or none: when one server is out of reach (no answer
 * within 3 seconds) nothing is transferred at all.
 *
 * @throws {TaskError} with one of {@link DOWNLOAD_CODES}: out of reach, broken off, or not
 * the pinned file.
 */
export async function downloadAll(
  ctx: Context,
  downloads: readonly PinnedDownload[],
  folder: string,
  onProgress: (done: number, total: number | undefined) => void,
): Promise<void> {
  const answers = await Promise.allSettled(downloads.map((pinned) => open(ctx, pinned)));
  const opened = answers.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
  try {
    const refused = answers.find((each) => each.status === "rejected");
    if (refused !== undefined) throw refused.reason;
    const lengths = opened.map(({ response }) => Number(response.headers.get("content-length")));
    const total = lengths.every((length) => length > 0)
      ? lengths.reduce((sum, length) => sum + length, 0)
      : undefined;
    let done = 0;
    // One after the other: the larger part of a download is one file anyway.
    for (const each of opened) {
      await save(ctx, each, folder, (bytes) => {
        done += bytes;
        onProgress(done, total);
      });
    }
  } finally {
    for (const each of opened) each.close();
  }
}

/** Whether all files could be downloaded now: their servers answer within 3 seconds. */
export async function areReachable(
  ctx: Context,
  downloads: readonly PinnedDownload[],
): Promise<boolean> {
  const answers = await Promise.allSettled(downloads.map((pinned) => open(ctx, pinned)));
  for (const answer of answers) if (answer.status === "fulfilled") answer.value.close();
  return answers.every((answer) => answer.status === "fulfilled");
}

async function open(ctx: Context, pinned: PinnedDownload): Promise<OpenDownload> {
  const host = new URL(pinned.url).host;
  const controller = new AbortController();
  const answered = new AbortController();
  const abort = () => controller.abort(ctx.signal.reason);
  ctx.signal.addEventListener("abort", abort, { once: true });
  const late = ctx.clock.sleep(ANSWER_MS, answered.signal).then(
    () => controller.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)),
    () => {},
  );
  const close = () => {
    ctx.signal.removeEventListener("abort", abort);
    controller.abort();
  };
  try {
    const response = await ctx.net.fetch(pinned.url, {
      // Without it a server may pack the file once more, and fetch would unpack it twice.
      headers: { "accept-encoding": "identity" },
      signal: controller.signal,
    });
    if (response.ok && response.body !== null) return { pinned, response, close };
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  } catch (error) {
    close();
    if (ctx.signal.aborted) throw ctx.signal.reason;
    throw failure("unreachable", `${host} is out of reach (${messageOf(error)})`, error);
  } finally {
    answered.abort();
    await late;
  }
}

async function save(
  ctx: Context,
  { pinned, response }: OpenDownload,
  folder: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const path = `${folder}/${pinned.file}`;
  const hash = createHash(pinned.hash.algorithm.replace("-", "").toLowerCase());
  const file = await ctx.fs.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  const reader = response.body!.getReader();
  try {
    for (;;) {
      const { done, value } = await nextChunk(ctx, reader, pinned);
      if (done) break;
      hash.update(value);
      for (let at = 0; at < value.length;) at += await file.write(value.subarray(at));
      onBytes(value.length);
    }
  } finally {
    file.close();
    await reader.cancel().catch(() => {});
  }
  const actual = hash.digest("hex");
  if (actual === pinned.hash.hex) return;
  await ctx.fs.remove(path);
  throw failure(
    "changed",
    `${pinned.url} is not the published file: its ${pinned.hash.algorithm} is ${
      actual.slice(0, 16)
    }…, expected ${pinned.hash.hex.slice(0, 16)}…`,
  );
}

async function nextChunk(
  ctx: Context,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  pinned: PinnedDownload,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  const arrived = new AbortController();
  try {
    return await Promise.race([
      reader.read(),
      ctx.clock.sleep(IDLE_MS, arrived.signal).then(() => {
        throw new Error(`no data for ${IDLE_MS / 1000} s`);
      }),
    ]);
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    throw failure("broken", `${pinned.url} broke off (${messageOf(error)})`, error);
  } finally {
    arrived.abort();
  }
}
