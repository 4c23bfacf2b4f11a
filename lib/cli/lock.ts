/**
 * One task at a time in a state folder: a lock of the operating system (it goes with
 * the process that holds it, however that ends) and a note that says who it is.
 *
 * @module
 */
import type { Context } from "./context.ts";
import { messageOf, preconditionError } from "./errors.ts";

/** Who holds the lock. */
export interface LockHolder {
  /** Process number. */
  readonly pid: number;
  /** Name of the task. */
  readonly command: string;
  /** When it took the lock, ISO 8601. */
  readonly since: string;
}

/** Path of the lock: `.dynamo/lock`. */
export function lockPath(ctx: Pick<Context, "home">): string {
  return `${ctx.home}/lock`;
}

/**
 * Runs `body` while holding the lock of the state folder. The file itself stays: removing
 * it would let two tasks hold two files of the same name.
 *
 * @throws {TaskError} LOCKED (exit code 3) that names the holder when another task has it,
 * STATE_FOLDER (exit code 3) when the folder cannot be written.
 */
export async function withLock<T>(
  ctx: Context,
  command: string,
  body: () => Promise<T>,
): Promise<T> {
  const path = lockPath(ctx);
  const file = await openLock(ctx, path);
  try {
    if (!await file.tryLock(true)) throw lockedError(await waitForHolder(ctx, file), path);
    await writeHolder(file, {
      pid: ctx.processes.self.pid,
      command,
      since: new Date(ctx.clock.now()).toISOString(),
    });
    try {
      return await body();
    } finally {
      await file.truncate(0);
    }
  } finally {
    // Closing gives the lock back.
    file.close();
  }
}

async function openLock(ctx: Context, path: string): Promise<Deno.FsFile> {
  try {
    await ctx.fs.mkdir(ctx.home, { recursive: true, mode: 0o700 });
    return await ctx.fs.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (error) {
    throw preconditionError(
      "STATE_FOLDER",
      `The state folder ${ctx.home} cannot be written: ${messageOf(error)}`,
      "Give it to your user, or set DYNAMO_HOME to a folder of your own.",
      error,
    );
  }
}

function lockedError(holder: LockHolder | undefined, path: string): Error {
  const who = holder === undefined
    ? "Another task"
    : `deno task ${holder.command} (process ${holder.pid}, since ${holder.since})`;
  return preconditionError(
    "LOCKED",
    `${who} is at work in this project (${path})`,
    "Wait until it is done, or end it with Ctrl-C, then run this again.",
  );
}

const NOTE_TRIES = 10;
const NOTE_EVERY_MS = 30;

// Between taking the lock and writing the note the holder has no name.
async function waitForHolder(ctx: Context, file: Deno.FsFile): Promise<LockHolder | undefined> {
  for (let tries = 0; tries < NOTE_TRIES; tries++) {
    const holder = await readHolder(file);
    if (holder !== undefined) return holder;
    await ctx.clock.sleep(NOTE_EVERY_MS);
  }
  return undefined;
}

async function readHolder(file: Deno.FsFile): Promise<LockHolder | undefined> {
  const buffer = new Uint8Array(4096);
  await file.seek(0, Deno.SeekMode.Start);
  const length = await file.read(buffer) ?? 0;
  try {
    const value = JSON.parse(new TextDecoder().decode(buffer.subarray(0, length)));
    if (typeof value?.pid === "number" && typeof value?.command === "string") return value;
  } catch {
    // The note is being written.
  }
  return undefined;
}

async function writeHolder(file: Deno.FsFile, holder: LockHolder): Promise<void> {
  await file.truncate(0);
  await file.seek(0, Deno.SeekMode.Start);
  const bytes = new TextEncoder().encode(JSON.stringify(holder) + "\n");
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
