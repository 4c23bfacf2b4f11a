/**
 * Releases and random numbers for tests of this folder.
 *
 * @module
 */
import { resolveRelease } from "../blueprint/release.ts";
import type { Release } from "../blueprint/types.ts";

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
