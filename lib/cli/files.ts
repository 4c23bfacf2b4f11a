/**
 * Files that are complete or not there.
 *
 * @module
 */
import type { Context } from "./context.ts";

/** Writes a file through a temporary neighbour and a rename. Mode 0600, folders 0700, unless given. */
export async function writeFileAtomic(
  ctx: Pick<Context, "fs" | "processes">,
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await ctx.fs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${ctx.processes.self.pid}.tmp`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    await ctx.fs.writeFile(temporary, bytes, { mode });
    await ctx.fs.rename(temporary, path);
  } catch (error) {
    await ctx.fs.remove(temporary).catch(() => {});
    throw error;
  }
}

/** Whether something is at the path. */
export async function exists(ctx: Pick<Context, "fs">, path: string): Promise<boolean> {
  try {
    await ctx.fs.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a file or folder with all in it; nothing when it is not there. */
export async function removeAll(ctx: Pick<Context, "fs">, path: string): Promise<void> {
  try {
    await ctx.fs.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The file's text, or undefined when it is not there. */
export async function readIfThere(
  ctx: Pick<Context, "fs">,
  path: string,
): Promise<string | undefined> {
  try {
    return await ctx.fs.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
