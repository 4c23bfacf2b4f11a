/**
 * Measures several loads and sums them up as a curve.
 *
 * @module
 */
import type { RequestRecord } from "../record.ts";
import type { BenchSummary } from "../summary.ts";
import { type Curve, curveOf, type CurvePoint } from "./curve.ts";
import { findHighest } from "./find.ts";
import type { SearchPlan } from "./flags.ts";
import { attainmentOf, isGood } from "./slo.ts";

/** Measures one load; hands every finished request to `onRequests`. */
export type RunLoad = (
  load: number,
  onRequests: (records: readonly RequestRecord[]) => void,
) => Promise<BenchSummary>;

// A search ends when the gap is 5 % of the load: a run's own noise is not far below.
const RESOLUTION = 0.05;
const MAX_PROBES = 16;
const MOST = { concurrency: 2048, rate: 10_000 } as const;

/**
 * Runs the loads of a sweep, or those that a search asks for. `start` is where a search begins.
 */
export async function runCurve(plan: SearchPlan, start: number, run: RunLoad): Promise<Curve> {
  const { axis, slo, target } = plan;
  const points: CurvePoint[] = [];
  const measure = async (load: number): Promise<CurvePoint> => {
    let good = 0;
    const summary = await run(load, (records) => {
      if (slo !== undefined) good += records.filter((record) => isGood(record, slo)).length;
    });
    const attainment = slo === undefined ? null : attainmentOf(good, summary.requests.scheduled);
    const point = { load, summary, attainment };
    points.push(point);
    return point;
  };
  if (plan.kind === "search") {
    await findHighest(
      {
        start,
        most: MOST[axis],
        whole: axis === "concurrency",
        resolution: RESOLUTION,
        maxProbes: MAX_PROBES,
      },
      async (load) => {
        const point = await measure(load);
        return { ok: (point.attainment?.low ?? 0) >= target, result: point };
      },
    );
  } else {
    for (const load of plan.loads) await measure(load);
  }
  return curveOf({ axis, slo: slo ?? null, target: slo === undefined ? null : target, points });
}
