/**
 * The catalogue: every folder below `examples/` that holds a `graph.yaml`.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, usageError } from "../cli/errors.ts";
import { exists } from "../cli/files.ts";
import { didYouMean } from "../cli/suggest.ts";
import { loadGraphFile } from "./load.ts";
import { type EngineName, type Graph, totalGpus } from "./types.ts";

/** One example in a list. */
export interface ExampleSummary {
  /** Folder, and word on the command line. */
  readonly name: string;
  /** One line: what it shows. */
  readonly summary: string;
  /** Absent when the file is broken, as all that follows. */
  readonly engine?: EngineName;
  /** Model id. */
  readonly model?: string;
  /** `stable` or `beta`. */
  readonly stage?: Graph["stage"];
  /** GPUs of all pods together. */
  readonly gpus?: number;
  /** Karpenter node pools it asks for. */
  readonly nodePools?: readonly string[];
  /** Why the example cannot be used: its file is broken. */
  readonly problem?: string;
}

/** Folder of the examples. */
export function examplesFolder(ctx: Pick<Context, "root">): string {
  return `${ctx.root}/examples`;
}

/** All examples: stable before beta, few GPUs before many, then by name. A broken file is listed last. */
export async function listExamples(ctx: Pick<Context, "fs" | "root">): Promise<ExampleSummary[]> {
  const names = await exampleNames(ctx);
  const summaries = await Promise.all(names.map((name) => summarize(ctx, name)));
  const rank = (s: ExampleSummary) => s.problem !== undefined ? 2 : s.stage === "beta" ? 1 : 0;
  return summaries.sort((a, b) =>
    rank(a) - rank(b) || (a.gpus ?? 0) - (b.gpus ?? 0) || a.name.localeCompare(b.name)
  );
}

async function summarize(ctx: Pick<Context, "fs" | "root">, name: string): Promise<ExampleSummary> {
  try {
    const graph = await readExample(ctx, name);
    const pools = graph.components.map((c) => c.nodePool).filter((pool) => pool !== undefined);
    return {
      name,
      summary: graph.description,
      engine: graph.engine,
      ...(graph.model === undefined ? {} : { model: graph.model.id }),
      stage: graph.stage,
      gpus: totalGpus(graph),
      nodePools: [...new Set(pools)],
    };
  } catch (error) {
    return { name, summary: "cannot be read", problem: messageOf(error) };
  }
}

/**
 * One example. `trtllm` takes the settings of another one when `TRTLLM_CONFIG` says so, as in
 * the shell edition of this blueprint; its name stays.
 *
 * @throws {TaskError} TRTLLM_CONFIG_UNKNOWN (exit code 2) for another value than `default` and
 * `high-performance`; EXAMPLE_UNKNOWN (exit code 2) with a suggestion and the list; GRAPH_SYNTAX
 * or GRAPH_INVALID (exit code 3) when its file is broken.
 */
export async function loadExample(
  ctx: Pick<Context, "fs" | "root" | "env">,
  name: string,
): Promise<Graph> {
  // A name with a slash would leave the folder.
  const plain = /^[\w.-]+$/.test(name) && !name.startsWith(".");
  if (plain && await exists(ctx, `${examplesFolder(ctx)}/${name}/graph.yaml`)) {
    const variant = name === "trtllm" ? trtllmVariant(ctx) : undefined;
    if (variant === undefined) return await readExample(ctx, name);
    return { ...await readExample(ctx, variant), name };
  }
  const names = await exampleNames(ctx);
  throw usageError(
    "EXAMPLE_UNKNOWN",
    `There is no example "${name}". ${didYouMean(name, names)}`.trim(),
    `Examples: ${names.join(", ")}.`,
  );
}

function trtllmVariant(ctx: Pick<Context, "env">): string | undefined {
  const choice = ctx.env.get("TRTLLM_CONFIG") ?? "default";
  if (choice === "default") return undefined;
  if (choice === "high-performance") return "trtllm-high-performance";
  const choices = ["default", "high-performance"];
  throw usageError(
    "TRTLLM_CONFIG_UNKNOWN",
    `TRTLLM_CONFIG is "${choice}", and must be ${choices.join(" or ")}. ${
      didYouMean(choice, choices)
    }`.trim(),
  );
}

async function readExample(ctx: Pick<Context, "fs" | "root">, name: string): Promise<Graph> {
  const path = `examples/${name}/graph.yaml`;
  const graph = await loadGraphFile(ctx, `${ctx.root}/${path}`, path);
  if (graph.name === name) return graph;
  throw preconditionError(
    "GRAPH_INVALID",
    `${path}: name: "${graph.name}" is not the name of its folder, "${name}"`,
  );
}

async function exampleNames(ctx: Pick<Context, "fs" | "root">): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of ctx.fs.readDir(examplesFolder(ctx))) {
    if (entry.isDirectory && await exists(ctx, `${examplesFolder(ctx)}/${entry.name}/graph.yaml`)) {
      names.push(entry.name);
    }
  }
  return names.sort();
}
