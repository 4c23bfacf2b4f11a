/**
 * Flags that ask for several loads, or for service levels.
 *
 * @module
 */
import { usageError } from "../../cli/errors.ts";
import type { Options, OptionValues } from "../../cli/options.ts";
import { readShare } from "../compare/share.ts";
import { parseLevels } from "./levels.ts";
import { parseSlo, type Slo } from "./slo.ts";

const GROUP = "Several loads and service levels";

/** Flags of `bench`. */
export const SEARCH_FLAGS = {
  sweep: {
    group: GROUP,
    kind: "text",
    placeholder: "loads",
    description: "Several loads in turn: 1,2,4 or 1-64 (doubling) or 10-50:10",
  },
  slo: {
    group: GROUP,
    kind: "text",
    placeholder: "levels",
    description: "What a good request is: ttft=300ms,itl=20ms,e2e=5s",
  },
  attainment: {
    group: GROUP,
    kind: "text",
    placeholder: "share",
    description: "Share of requests that has to be good (default 95%)",
  },
  find: {
    group: GROUP,
    kind: "text",
    choices: ["concurrency", "rate"],
    placeholder: "what",
    description: "Find the highest concurrency or rate that surely keeps --slo",
  },
} as const satisfies Options;

/** What the flags ask for. */
export interface SearchPlan {
  /** `one` run, given `loads`, or a `search` for the highest. */
  readonly kind: "one" | "loads" | "search";
  /** What a load is. */
  readonly axis: "concurrency" | "rate";
  /** Loads of `loads`. */
  readonly loads: readonly number[];
  /** Service levels; undefined without. */
  readonly slo: Slo | undefined;
  /** Share of requests that has to be good. */
  readonly target: number;
}

/** Share of good requests unless another one is asked for. */
const DEFAULT_TARGET = 0.95;

/**
 * Reads the flags.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) for contradictions.
 */
export function searchPlan(
  flags: OptionValues<typeof SEARCH_FLAGS>,
  rate: number | undefined,
): SearchPlan {
  const slo = flags.slo === undefined ? undefined : parseSlo(flags.slo);
  const target = readShare("attainment", flags.attainment) ?? DEFAULT_TARGET;
  if (target <= 0 || target >= 1) {
    throw usageError("BENCH_OPTIONS", "--attainment must be between 0% and 100%");
  }
  if (slo === undefined && (flags.find !== undefined || flags.attainment !== undefined)) {
    throw usageError(
      "BENCH_OPTIONS",
      `--${flags.find === undefined ? "attainment" : "find"} needs --slo`,
      "For example --slo ttft=300ms,itl=20ms --find rate",
    );
  }
  if (flags.find !== undefined && flags.sweep !== undefined) {
    throw usageError("BENCH_OPTIONS", "--find and --sweep exclude each other");
  }
  if (flags.find !== undefined) {
    return { kind: "search", axis: flags.find, loads: [], slo, target };
  }
  const axis = rate === undefined ? "concurrency" : "rate";
  if (flags.sweep === undefined) return { kind: "one", axis, loads: [], slo, target };
  const loads = parseLevels(flags.sweep);
  const broken = axis === "rate" ? undefined : loads.find((load) => !Number.isInteger(load));
  if (broken !== undefined) {
    throw usageError(
      "BENCH_OPTIONS",
      `--sweep: ${broken} requests in flight are no whole number`,
      "With --rate the loads of a sweep are rates.",
    );
  }
  return { kind: "loads", axis, loads, slo, target };
}
