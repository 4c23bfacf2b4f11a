/**
 * Waiting until monitoring runs.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { timeoutError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import { evidence } from "../kube/events.ts";
import { isRolledOut } from "../kube/rolled_out.ts";
import type { Kube } from "../kube/types.ts";

const WAIT_MS = 10 * 60_000;
const EVERY_MS = 1_000;
const KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** The step that waits until all workloads of the namespace are rolled out. */
export function monitoringStep(kube: Kube, namespace: string, waitMs = WAIT_MS): Step {
  return {
    id: "monitoring",
    title: "Wait for Prometheus and Grafana",
    touches: ["nothing"],
    deadlineMs: waitMs + 60_000,
    async run(ctx, ui) {
      const ready = await waitForWorkloads(ctx, kube, { namespace, waitMs, onWait: ui.update });
      return `${ready} workloads run in ${namespace}`;
    },
  };
}

async function waitForWorkloads(
  ctx: Context,
  kube: Kube,
  options: {
    readonly namespace: string;
    readonly waitMs: number;
    readonly onWait: (what: string) => void;
  },
): Promise<number> {
  const { namespace, waitMs, onWait } = options;
  const end = ctx.clock.monotonic() + waitMs;
  for (;;) {
    const lists = await Promise.all(
      KINDS.map((kind) => kube.list({ apiVersion: "apps/v1", kind }, { namespace })),
    );
    const workloads = lists.flatMap(({ items }) => items);
    const late = workloads.filter((one) => !isRolledOut(one));
    if (workloads.length > 0 && late.length === 0) return workloads.length;
    const [first] = late;
    const what = first === undefined
      ? `nothing runs in ${namespace}`
      : `${first.kind} ${first.metadata.name} is not ready`;
    onWait(what);
    if (ctx.clock.monotonic() > end) {
      throw timeoutError(
        "MONITORING_NOT_READY",
        `Monitoring is not ready after ${Math.round(waitMs / 1000)} s: ${what}`,
        {
          hint: "Dynamo itself is installed. Run the same task again, or switch monitoring off " +
            "(enable_ai_ml_observability_stack = false).",
          evidence: await evidence(kube, {
            namespace,
            objects: late.map(({ apiVersion, kind, metadata }) => ({
              apiVersion,
              kind,
              namespace,
              name: metadata.name,
            })),
          }),
        },
      );
    }
    await ctx.clock.sleep(EVERY_MS, ctx.signal);
  }
}
