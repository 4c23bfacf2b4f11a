/**
 * Room on disk: asked for before something large is made, and named when it ran out.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, type TaskError } from "../cli/errors.ts";

/** Bytes that an ordinary user can still write at the path, or undefined when it cannot be known. */
export async function freeBytes(
  ctx: Pick<Context, "fs" | "processes">,
  path: string,
): Promise<number | undefined> {
  const existing = await nearestExisting(ctx, path);
  try {
    // POSIX form: one line a file system, kilobytes, free space in the fourth column.
    const result = await ctx.processes.run("df", ["-Pk", existing]);
    if (result.code !== 0) return undefined;
    const kilobytes = Number(result.stdout.trim().split("\n").at(-1)?.split(/\s+/)[3]);
    return Number.isFinite(kilobytes) ? kilobytes * 1024 : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function nearestExisting(ctx: Pick<Context, "fs">, path: string): Promise<string> {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    try {
      await ctx.fs.stat(at);
      return at;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return at;
    }
  }
  return "/";
}

/** What needs room. */
export interface SpaceNeed {
  /** Folder that it is made in. */
  readonly path: string;
  /** Bytes that it takes. */
  readonly bytes: number;
  /** What it is, as the beginning of a sentence. */
  readonly purpose: string;
  /** Environment variable that moves it elsewhere. */
  readonly variable: "XDG_CACHE_HOME" | "DYNAMO_HOME";
}

/**
 * Refuses to begin when there is too little room.
 *
 * @throws {TaskError} DISK_FULL (exit code 3) with the path, what is needed and what is there.
 */
export async function requireSpace(
  ctx: Pick<Context, "fs" | "processes">,
  need: SpaceNeed,
): Promise<void> {
  const free = await freeBytes(ctx, need.path);
  if (free === undefined || free >= need.bytes) return;
  throw preconditionError(
    "DISK_FULL",
    `${need.purpose} needs ${megabytes(need.bytes)} at ${need.path}, and only ${
      megabytes(free)
    } are free`,
    spaceHint(need),
  );
}

/** Whether an error, or what a program said, means that a disk is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === "ENOSPC" || /no space left on device|\bENOSPC\b|errno 28\b|os error 28\b/i
    .test(messageOf(error));
}

/** The error for a disk that became full while something was made. */
export function diskFullError(need: SpaceNeed, cause?: unknown): TaskError {
  const { purpose, bytes, path } = need;
  return preconditionError(
    "DISK_FULL",
    `The disk became full: ${purpose} needs ${megabytes(bytes)} at ${path}`,
    spaceHint(need),
    cause,
  );
}

function spaceHint({ path, variable }: SpaceNeed): string {
  return `Free some room at ${path}, or choose another disk with ${variable}, and run it again.`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
