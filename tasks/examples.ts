/**
 * `deno task examples`: the catalogue of examples.
 *
 * @module
 */
import { NEWEST_KNOWN, RELEASE_RULES } from "../lib/blueprint/release_table.ts";
import { resolveRelease } from "../lib/blueprint/release.ts";
import { loadBlueprint } from "../lib/blueprint/blueprint.ts";
import { withOptionalPools } from "../lib/blueprint/node_pools.ts";
import type { NodePool } from "../lib/blueprint/types.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { alignColumns, wrap } from "../lib/cli/text.ts";
import type { Context } from "../lib/cli/context.ts";
import { costPerHour, type GraphCost } from "../lib/graph/cost.ts";
import { type ExampleSummary, listExamples, loadExample } from "../lib/graph/examples.ts";
import { errorsOf } from "../lib/graph/problems.ts";
import { validateGraph } from "../lib/graph/validate.ts";

/** One example of `--output json`. */
export interface CatalogueEntry extends ExampleSummary {
  /** Known releases that can run it, oldest first; empty when the example is broken. */
  readonly releases: readonly string[];
  /** What its nodes cost an hour on the blueprint's node pools; absent when it is broken. */
  readonly cost?: GraphCost;
}

/** The releases that an example is judged by: the first of each minor version, and the newest. */
export function knownReleases(): string[] {
  return [...new Set([...RELEASE_RULES.map((rules) => rules.since), NEWEST_KNOWN])];
}

/** All examples with the releases that support them. */
export async function catalogue(
  ctx: Pick<Context, "env" | "fs" | "root">,
  nodePools: readonly NodePool[],
): Promise<CatalogueEntry[]> {
  const releases = knownReleases().map((version) => resolveRelease(version));
  return await Promise.all((await listExamples(ctx)).map(async (example) => {
    if (example.problem !== undefined) return { ...example, releases: [] };
    const graph = await loadExample(ctx, example.name);
    const fit = releases.filter((release) => errorsOf(validateGraph(graph, release)).length === 0);
    return {
      ...example,
      releases: fit.map((release) => release.version),
      cost: costPerHour(graph, nodePools),
    };
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

function hourly(cost: GraphCost | undefined): string {
  if (cost === undefined || cost.nodes.length === 0) return "?";
  // A lower bound where something is unknown.
  return `${cost.unknown.length > 0 ? "≥" : ""}${cost.perHour.toFixed(2)}`;
}

const FACTS = ["EXAMPLE", "ENGINE", "GPUS", "USD/H"];

/** The catalogue as a table; where that is wider than `width`, summaries stand below their lines. */
export function catalogueLines(entries: readonly CatalogueEntry[], width: number): string[] {
  const known = knownReleases();
  const rows = entries.map((entry) => ({
    facts: [entry.name, entry.engine ?? "?", String(entry.gpus ?? "?"), hourly(entry.cost)],
    pools: entry.nodePools?.join(" ") ?? "",
    releases: releaseRange(entry.releases, known),
    summary: entry.problem ?? entry.summary,
  }));
  const table = alignColumns([
    [...FACTS, "NODE POOLS", "RELEASES", "SUMMARY"],
    ...rows.map(({ facts, pools, releases, summary }) => [...facts, pools, releases, summary]),
  ]);
  if (table.every((line) => [...line].length <= width)) return table;
  const [heading = "", ...lines] = alignColumns([
    [...FACTS, "RELEASES"],
    ...rows.map(({ facts, releases }) => [...facts, releases]),
  ]);
  return [
    heading,
    ...rows.flatMap(({ summary, pools }, i) => [
      lines[i] ?? "",
      ...wrap(pools === "" ? summary : `${summary} (${pools})`, width, "    "),
    ]),
  ];
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
    const { nodePools } = await loadBlueprint(ctx, { flags: {} });
    const entries = await catalogue(ctx, withOptionalPools(nodePools.value));
    if (options.output === "json") {
      ctx.ui.out(JSON.stringify(entries, null, 2));
      return;
    }
    ctx.ui.out(catalogueLines(entries, ctx.ui.width).join("\n"));
    const { region, asOf } = entries.find((entry) => entry.cost !== undefined)?.cost ?? {};
    ctx.ui.info(`USD/H: on-demand list prices of the nodes, ${region}, ${asOf}`);
  },
});

if (import.meta.main) await runTask(command);
