/**
 * The loads of a sweep: `1,2,4,8` or `1-64` (doubling) or `10-50:10` (steps).
 *
 * @module
 */
import { usageError } from "../../cli/errors.ts";

const MOST = 100;

/**
 * Reads the loads, lowest first.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2).
 */
export function parseLevels(text: string): number[] {
  const levels = text.split(",").flatMap((part) => range(part.trim()));
  const unique = [...new Set(levels)].sort((a, b) => a - b);
  if (unique.length > MOST) throw invalid(text, `has ${unique.length} loads, at most ${MOST}`);
  return unique;
}

function range(part: string): number[] {
  const match = part.match(/^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?)?$/);
  const [from, to, step] = [match?.[1], match?.[2], match?.[3]].map((word) =>
    word === undefined ? undefined : Number(word)
  );
  if (from === undefined || from <= 0) throw invalid(part, "is not a load");
  if (to === undefined) return [from];
  if (to <= from) throw invalid(part, "does not rise");
  if (step === 0) throw invalid(part, "has no step");
  if (step !== undefined && (to - from) / step > MOST) throw invalid(part, "has too many steps");
  const loads: number[] = [];
  for (let load = from; load < to; load = step === undefined ? load * 2 : load + step) {
    loads.push(load);
  }
  return [...loads, to];
}

function invalid(text: string, why: string): Error {
  return usageError(
    "BENCH_OPTIONS",
    `--sweep: "${text}" ${why}`,
    "For example --sweep 1,2,4,8, --sweep 1-64 (doubling) or --sweep 10-50:10 (steps).",
  );
}
