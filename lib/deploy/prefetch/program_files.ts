/**
 * The Python files of the download's program.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";

/** Reads them; texts by name. */
export async function programFiles(
  ctx: Pick<Context, "fs" | "root">,
): Promise<Record<string, string>> {
  const folder = `${ctx.root}/lib/deploy/prefetch/program`;
  const files: Record<string, string> = {};
  for await (const { name } of ctx.fs.readDir(folder)) {
    if (name.endsWith(".py")) files[name] = await ctx.fs.readTextFile(`${folder}/${name}`);
  }
  return files;
}
