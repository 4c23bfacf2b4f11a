/**
 * Shares on the command line: `5%` or `0.05`.
 *
 * @module
 */
import { usageError } from "../../cli/errors.ts";

/**
 * Reads a share; undefined stays undefined.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2).
 */
export function readShare(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = text.trim().match(/^(\d+(?:\.\d+)?)\s*(%?)$/);
  const share = match === null ? NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  // 5 without a sign is a slip of the pen more often than five hundred per cent.
  if (share >= 0 && share <= (match?.[2] === "%" ? 10 : 1)) return share;
  throw usageError(
    "BENCH_OPTIONS",
    `--${flag} is "${text}", and must be a share such as 5% or 0.05`,
  );
}
