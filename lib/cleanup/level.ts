/**
 * How much should go, from the command line or by asking.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { commonOptions, type Options, type OptionValues } from "../cli/options.ts";
import type { CleanupLevel } from "../deploy/cleanup.ts";

/** Options of `deno task cleanup`. */
export const cleanupOptions = {
  ...commonOptions,
  graphs: { kind: "flag", description: "All graphs of the namespace; the platform stays" },
  platform: { kind: "flag", description: "All graphs and the platform; the cluster stays" },
  definitions: {
    kind: "flag",
    description: "With --platform: Dynamo's definitions (CRDs) as well, if no object is left",
  },
  all: { kind: "flag", description: "Everything: graphs, platform and the cluster" },
  foreign: {
    kind: "flag",
    description: "With --all on EKS: also when others have graphs, disks or nodes in it",
  },
  volumes: {
    kind: "flag",
    description: "Claims of graphs and the models in them as well; they stay unless told",
  },
  audit: { kind: "flag", description: "Only look: what of the cluster is in AWS, with its cost" },
  sweep: { kind: "flag", description: "Delete what a cluster that is gone has left in AWS" },
  cluster: {
    kind: "text",
    placeholder: "name",
    description: "Name of the EKS cluster; with --yes it confirms what is deleted",
  },
  region: { kind: "text", placeholder: "region", description: "AWS region of the cluster" },
  profile: {
    kind: "text",
    placeholder: "name",
    description: "Profile of the AWS configuration; wins over AWS_PROFILE and keys in variables",
  },
  cache: { kind: "flag", description: "With --all on local: the downloads and builds as well" },
} as const satisfies Options;

/** Their values. */
export type CleanupOptions = OptionValues<typeof cleanupOptions>;

/** What should be done. */
export type Level =
  | CleanupLevel
  | { readonly kind: "platform" }
  | { readonly kind: "audit" }
  | { readonly kind: "sweep" };

/**
 * The level that the command line asks for; a terminal is asked.
 *
 * @throws {TaskError} CLEANUP_LEVEL, CLEANUP_CACHE, CLEANUP_DEFINITIONS,
 * CLEANUP_FOREIGN_ALL, CLEANUP_VOLUMES (exit code 2).
 */
export async function levelOf(
  ctx: Context,
  graph: string | undefined,
  options: CleanupOptions,
): Promise<Level> {
  const { graphs, platform, all, audit, sweep, cache, definitions, foreign, volumes } = options;
  const asked = [graph !== undefined, graphs, platform, all, audit, sweep].filter(Boolean).length;
  if (asked > 1) {
    throw usageError(
      "CLEANUP_LEVEL",
      "Give one of: a graph's name, --graphs, --platform, --all, --audit, --sweep",
      "See deno task cleanup --help.",
    );
  }
  if (cache && !all) {
    throw usageError("CLEANUP_CACHE", "--cache goes with --all", "deno task cleanup --all --cache");
  }
  if (foreign && !all) {
    throw usageError("CLEANUP_FOREIGN_ALL", "--foreign goes with --all", "See --help.");
  }
  if (definitions && !platform) {
    throw usageError(
      "CLEANUP_DEFINITIONS",
      "--definitions goes with --platform",
      "deno task cleanup --platform --definitions",
    );
  }
  if (volumes && (all || audit || sweep)) {
    throw usageError(
      "CLEANUP_VOLUMES",
      "--volumes goes with a graph's name, --graphs or --platform; --all takes them in any case",
      "deno task cleanup --graphs --volumes",
    );
  }
  if (graph !== undefined) return { kind: "graph", name: graph };
  if (all) return { kind: "all", cache };
  for (const kind of ["graphs", "platform", "audit", "sweep"] as const) {
    if (options[kind]) return { kind };
  }
  return await askLevel(ctx);
}

async function askLevel(ctx: Context): Promise<Level> {
  if (!ctx.ui.interactive) {
    throw usageError(
      "CLEANUP_LEVEL",
      "What should go? There is no terminal to ask on",
      "Give a graph's name, --graphs, --platform, or --all (with --yes); --audit only looks.",
    );
  }
  return await ctx.ui.select<Level>("What should go?", [
    { value: { kind: "graphs" }, label: "All graphs", detail: "the platform stays" },
    { value: { kind: "platform" }, label: "Graphs and platform", detail: "the cluster stays" },
    {
      value: { kind: "all", cache: false },
      label: "Everything",
      detail: "graphs, platform and cluster",
    },
    { value: { kind: "audit" }, label: "Nothing", detail: "tell what is left in AWS" },
  ]);
}
