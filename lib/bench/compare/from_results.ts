/**
 * Blocks of a run that is over, from its folder: `requests.jsonl` cut into parts of as many requests.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { messageOf, usageError } from "../../cli/errors.ts";
import { SUMMARY_SCHEMA } from "../summary.ts";
import type { BenchSummary } from "../summary.ts";
import { blockOfRequests, type BlockValues, type RequestLine } from "./metrics.ts";

/** A run that is over. */
export interface FinishedRun {
  /** Its summary. */
  readonly summary: BenchSummary;
  /** Its parts, in the order of time. */
  readonly blocks: readonly BlockValues[];
}

/** Fewest requests of a part. */
const FEWEST = 10;

/**
 * Reads a run's folder, or the `summary.json` in it.
 *
 * @throws {TaskError} BENCH_FOLDER (exit code 2) when it is none, or too short to be cut.
 */
export async function readFinishedRun(
  ctx: Pick<Context, "fs">,
  path: string,
  parts = 10,
): Promise<FinishedRun> {
  const folder = path.replace(/\/?summary\.json$/, "").replace(/\/+$/, "") || ".";
  const summary = await readSummary(ctx, `${folder}/summary.json`);
  const lines = await readLines(ctx, `${folder}/requests.jsonl`);
  return { summary, blocks: cut(lines, summary, parts, folder) };
}

/** Whether the text names a folder of results rather than a graph or a URL. */
export async function isResults(ctx: Pick<Context, "fs">, text: string): Promise<boolean> {
  if (/^https?:\/\//.test(text)) return false;
  const file = text.endsWith("summary.json") ? text : `${text}/summary.json`;
  try {
    return (await ctx.fs.stat(file)).isFile;
  } catch {
    return false;
  }
}

/**
 * Reads a summary.
 *
 * @throws {TaskError} BENCH_FOLDER (exit code 2) when the file holds none.
 */
export async function readSummary(ctx: Pick<Context, "fs">, path: string): Promise<BenchSummary> {
  const value = await parse(ctx, path, (text) => JSON.parse(text));
  if (value?.schema !== SUMMARY_SCHEMA) {
    throw folderError(path, `schema is ${JSON.stringify(value?.schema)}, not "${SUMMARY_SCHEMA}"`);
  }
  return value;
}

async function readLines(ctx: Pick<Context, "fs">, path: string): Promise<RequestLine[]> {
  return await parse(
    ctx,
    path,
    (text) => text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)),
  );
}

async function parse<T>(
  ctx: Pick<Context, "fs">,
  path: string,
  read: (text: string) => T,
): Promise<T> {
  try {
    return read(await ctx.fs.readTextFile(path));
  } catch (error) {
    throw folderError(path, messageOf(error));
  }
}

function cut(
  lines: readonly RequestLine[],
  summary: BenchSummary,
  parts: number,
  folder: string,
): BlockValues[] {
  // Only where the load was steady; ramps at both ends are no repetitions of the middle.
  const { start_s, end_s } = summary.steady_window ?? { start_s: 0, end_s: summary.wall_s };
  const [start, end] = [start_s * 1000, end_s * 1000];
  const inside = lines.filter((line) =>
    line.ended_ms !== null && line.ended_ms >= start && line.ended_ms < end
  );
  const count = Math.min(parts, Math.floor(inside.length / FEWEST));
  if (count < 2) {
    throw folderError(
      folder,
      `${inside.length} requests under steady load are too few to compare`,
      "Measure for longer, or compare live: deno task compare <graph> <graph>.",
    );
  }
  // Parts of as many requests each: parts of time could be empty where the server stood still.
  const sorted = inside.toSorted((x, y) => x.ended_ms! - y.ended_ms!);
  const edges = Array.from({ length: count + 1 }, (_, i) => Math.round(i * sorted.length / count));
  return edges.slice(1).map((to, i) => {
    const part = sorted.slice(edges[i]!, to);
    const from = i === 0 ? start : sorted[edges[i]! - 1]!.ended_ms!;
    return blockOfRequests(part, part.at(-1)!.ended_ms! - from);
  });
}

function folderError(path: string, why: string, hint?: string): Error {
  return usageError("BENCH_FOLDER", `Cannot compare ${path}: ${why}`, hint);
}
