/**
 * Python programs for tests: a virtual environment of the cache, by name and version.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { exists, removeAll } from "../../lib/cli/files.ts";
import { withCacheLock } from "../../lib/local/cache_lock.ts";

/** What goes into an environment. */
export interface PythonEnvironmentOptions {
  /** Folder below the cache. */
  readonly name: string;
  /** Version, which is the folder below that one. */
  readonly version: string;
  /** What pip installs, such as `moto[server]==5.2.5`. */
  readonly requirement: string;
}

/**
 * The folder of programs (`bin`) of an environment, which is made on first use (a minute or two);
 * or why it cannot be had.
 */
export async function pythonEnvironment(
  ctx: Context,
  { name, version, requirement }: PythonEnvironmentOptions,
): Promise<string | { readonly reason: string }> {
  const parent = `${ctx.cache}/${name}`;
  const folder = `${parent}/${version}`;
  const bin = `${folder}/bin`;
  const marker = `${folder}/complete`;
  const isThere = async () => await exists(ctx, marker) && await exists(ctx, `${bin}/python`);
  if (await isThere()) return bin;
  return await withCacheLock(ctx, parent, () => {}, async () => {
    if (await isThere()) return bin;
    await removeAll(ctx, folder);
    try {
      const steps: [string, string[]][] = [
        ["python3", ["-m", "venv", folder]],
        [`${bin}/python`, ["-m", "pip", "install", "--quiet", requirement]],
      ];
      for (const [program, args] of steps) {
        const result = await ctx.processes.run(program, args, { signal: ctx.signal });
        if (result.code !== 0) {
          return { reason: `${program} ${args[1]} failed: ${result.stderr.trim().slice(-300)}` };
        }
      }
    } catch (error) {
      return { reason: messageOf(error) };
    }
    await ctx.fs.writeTextFile(marker, "");
    return bin;
  });
}
