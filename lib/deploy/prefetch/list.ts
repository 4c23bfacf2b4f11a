/**
 * What the caches hold, as rows for people. Pure.
 *
 * @module
 */
import { formatBytes, formatDuration } from "../../cli/text.ts";
import type { ModelCache } from "./records.ts";

/** Rows of a table, the heading first. */
export function cacheRows(caches: readonly ModelCache[], now: number): string[][] {
  return [
    ["CLAIM", "MODEL", "REVISION", "SIZE", "STATE", "AGE"],
    ...caches.flatMap(({ claim, models, loading }) => [
      ...models.map((one) => [
        claim,
        one.model,
        one.revision,
        formatBytes(one.bytes),
        one.whole ? "complete" : "parts",
        age(one.at, now),
      ]),
      ...loading.map((one) => [
        claim,
        one.model,
        one.revision,
        "",
        one.state === "running" ? "loading" : "failed",
        "",
      ]),
    ]),
  ];
}

function age(at: string, now: number): string {
  const ms = now - Date.parse(at);
  return Number.isNaN(ms) ? "" : formatDuration(Math.max(0, ms));
}
