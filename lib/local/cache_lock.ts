/**
 * One maker at a time for what all checkouts share in the cache.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";

/**
 * Runs `body` while holding the lock of a folder in the cache; waits while another task
 * (of any checkout) makes the same thing. Ends with the context's signal.
 */
export async function withCacheLock<T>(
  ctx: Context,
  folder: string,
  onWait: () => void,
  body: () => Promise<T>,
): Promise<T> {
  await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await ctx.fs.open(`${folder}/.lock`, { write: true, create: true, mode: 0o600 });
  try {
    for (let waited = false; !await file.tryLock(true); waited = true) {
      if (!waited) onWait();
      await ctx.clock.sleep(500, ctx.signal);
    }
    return await body();
  } finally {
    file.close();
  }
}
