/**
 * Flags that compare a run with an earlier one.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { usageError } from "../../cli/errors.ts";
import type { Options, OptionValues } from "../../cli/options.ts";
import type { BenchOptions } from "../options.ts";
import { type Baseline, checkBaseline, readBaseline } from "./baseline.ts";
import { readShare } from "./share.ts";

const GROUP = "Baseline";

/** Flags of `bench`. */
export const BASELINE_FLAGS = {
  baseline: {
    group: GROUP,
    kind: "text",
    placeholder: "path",
    description: "Compare with an earlier run: its folder or summary.json",
  },
  maxRegression: {
    group: GROUP,
    kind: "text",
    placeholder: "share",
    description: "Exit code 1 when surely worse by more than this, such as 5%",
  },
  anyBaseline: {
    group: GROUP,
    kind: "flag",
    description: "Also compare with another workload or load",
  },
} as const satisfies Options;

/** A baseline and what is allowed. */
export interface BaselinePlan {
  /** The earlier run. */
  readonly baseline: Baseline;
  /** Largest regression allowed, as a share; undefined without a gate. */
  readonly maxRegression: number | undefined;
}

/**
 * Reads the flags and the baseline, and checks that it measured the same; undefined without one.
 *
 * @param kind whether one load is measured: several have no one baseline.
 * @throws {TaskError} BENCH_OPTIONS, BENCH_FOLDER, BENCH_BASELINE (exit code 2).
 */
export async function baselinePlan(
  ctx: Pick<Context, "fs" | "clock">,
  flags: OptionValues<typeof BASELINE_FLAGS>,
  kind: "one" | "loads" | "search",
  options: BenchOptions,
): Promise<BaselinePlan | undefined> {
  const maxRegression = readShare("max-regression", flags.maxRegression);
  if (flags.baseline === undefined) {
    if (maxRegression === undefined && !flags.anyBaseline) return undefined;
    throw usageError(
      "BENCH_OPTIONS",
      `--${maxRegression === undefined ? "any-baseline" : "max-regression"} needs --baseline`,
      "Compare two that run with deno task compare A B --max-regression 5%.",
    );
  }
  if (kind !== "one") {
    throw usageError("BENCH_OPTIONS", "--baseline is for one load, not for --sweep or --find");
  }
  const baseline = await readBaseline(ctx, flags.baseline);
  if (!flags.anyBaseline) checkBaseline(ctx, baseline, options);
  return { baseline, maxRegression };
}
