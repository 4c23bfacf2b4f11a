/**
 * `deno task examples`: the catalogue of examples.
 *
 * @module
 */
import { NEWEST_KNOWN, RELEASE_RULES } from "../lib/blueprint/release_table.ts";
import { resolveRelease } from "../lib/blueprint/release.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import type { Context } from "../lib/cli/context.ts";
import { type ExampleSummary, listExamples, loadExample } from "../lib/graph/examples.ts";
import { errorsOf } from "../lib/graph/problems.ts";
import { validateGraph } from "../lib/graph/validate.ts";

/** One example of `--output json`. */
export interface CatalogueEntry extends ExampleSummary {
  /** Known releases that can run it, oldest first; empty when the example is broken. */
  readonly releases: readonly string[];
}

/** The releases that an example is judged by: the first of each minor version, and the newest. */
export function knownReleases(): string[] {
  return [...new Set([...RELEASE_RULES.map((rules) => rules.since), NEWEST_KNOWN])];
}

/** All examples with the releases that support them. */
export async function catalogue(
  ctx: Pick<Context, "env" | "fs" | "root">,
): Promise<CatalogueEntry[]> {
  const releases = knownReleases().map((version) => resolveRelease(version));
  return await Promise.all((await listExamples(ctx)).map(async (example) => {
    if (example.problem !== undefined) return { ...example, releases: [] };
    const graph = await loadExample(ctx, example.name);
    const fit = releases.filter((release) => errorsOf(validateGraph(graph, release)).length === 0);
    return { ...example, releases: fit.map((release) => release.version) };
  }));
}

/** `all`, `1.2.0 and later`, `0.4.1 to 0.9.0`, or the releases one by one. */
export function releaseRange(supported: readonly string[], known: readonly string[]): string {
  const [first, last] = [supported[0], supported.at(-1)];
  if (first === undefined || last === undefined) return "none";
  if (supported.length === known.length) return "all";
  const isRun = known.indexOf(last) - known.indexOf(first) === supported.length - 1;
  if (!isRun) return supported.join(" ");
  if (last === known.at(-1)) return `${first} and later`;
  return first === last ? first : `${first} to ${last}`;
}

/** The task. */
export const command = defineCommand({
  name: "examples",
  summary: "List the examples: engine, GPUs, node pools, and the releases that run them",
  options: { output: commonOptions.output, verbose: commonOptions.verbose },
  examples: [
    { command: "examples", text: "A table" },
    { command: "examples --output json", text: "As data" },
  ],
  async run(ctx, { options }) {
    const entries = await catalogue(ctx);
    if (options.output === "json") {
      ctx.ui.out(JSON.stringify(entries, null, 2));
      return;
    }
    const known = knownReleases();
    ctx.ui.table([
      ["EXAMPLE", "ENGINE", "GPUS", "NODE POOLS", "RELEASES", "SUMMARY"],
      ...entries.map((entry) => [
        entry.name,
        entry.engine ?? "?",
        String(entry.gpus ?? "?"),
        entry.nodePools?.join(" ") ?? "",
        releaseRange(entry.releases, known),
        entry.problem ?? entry.summary,
      ]),
    ]);
  },
});

if (import.meta.main) await runTask(command);
