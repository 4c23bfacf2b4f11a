/**
 * The load generator's own source files, for a pod that runs them: whatever its program imports,
 * directly or through others. Types are left out, and so is everything that tasks need besides.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";

/** The pod's program, from the project's root. */
export const JOB_PROGRAM = "lib/bench/job/main.ts";

// Formatted code of ours: an import begins its line and ends with its file's name.
const IMPORTS = [
  /^(?:import|export)\s(?!type\s)[^;"]*?from\s+"([^"]+)";/gm,
  /^import\s+"([^"]+)";/gm,
  /\bnew URL\(\s*"(\.[^"]+\.ts)",\s*import\.meta\.url/g,
];

/**
 * Reads them.
 *
 * @returns texts by path from the project's root.
 * @throws {Error} for an import that is neither a file of the project nor a part of Deno: the pod
 * has no packages.
 */
export async function jobSources(
  ctx: Pick<Context, "fs" | "root">,
  program: string = JOB_PROGRAM,
): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  const open = [program];
  for (let path; (path = open.pop()) !== undefined;) {
    if (sources.has(path)) continue;
    const text = await ctx.fs.readTextFile(`${ctx.root}/${path}`);
    sources.set(path, text);
    for (const name of importsOf(text)) {
      if (name.startsWith("node:")) continue;
      if (!name.startsWith(".")) {
        throw new Error(`${path} imports ${name}, and a benchmark's pod has no packages`);
      }
      open.push(new URL(name, `file:///${path}`).pathname.slice(1));
    }
  }
  return new Map([...sources].sort(([a], [b]) => a.localeCompare(b)));
}

function importsOf(text: string): string[] {
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
}
