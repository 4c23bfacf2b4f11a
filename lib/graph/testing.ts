/**
 * Releases and random numbers for tests of this folder.
 *
 * @module
 */
import { resolveRelease } from "../blueprint/release.ts";
import type { Release } from "../blueprint/types.ts";
import { TaskError } from "../cli/errors.ts";
import type { KubeObject } from "../kube/types.ts";
import { renderGraph } from "./render.ts";
import type { Graph } from "./types.ts";

/** Releases that golden files are kept for. */
export const GOLDEN_VERSIONS: readonly string[] = [
  "0.4.1",
  "0.5.1",
  "0.7.0",
  "0.9.0-post1",
  "1.0.2",
  "1.2.0",
  "1.4.2",
  "1.5.1",
  "1.6.1",
];

/** Objects of a graph in the namespace `ns`, or undefined where the release lacks something. */
export function renderedOrRefused(graph: Graph, release: Release): KubeObject[] | undefined {
  try {
    return renderGraph(graph, release, { namespace: "ns" });
  } catch (error) {
    if (error instanceof TaskError && error.code === "GRAPH_UNFIT") return undefined;
    throw error;
  }
}

/** Whole numbers below `n`, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** A release of that version, with some parts replaced. */
export function testRelease(version: string, parts: Partial<Release> = {}): Release {
  return { ...resolveRelease(version), ...parts };
}
