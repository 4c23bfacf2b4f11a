/**
 * The platform's charts by the helm program.
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import type { ChartSource } from "../helm/chart_source.ts";
import type { LocalChart } from "../helm/charts.ts";
import { forgetRelease, installRelease } from "../helm/install.ts";
import type { HelmProgram } from "../helm/program.ts";
import { evidence } from "../kube/events.ts";
import { CRDS_CHART } from "./charts.ts";
import { stepDeadline } from "./common_steps.ts";
import type { ChartAction, Decision } from "./decide.ts";
import { CHART_TIMEOUT_MS, type PlatformOptions } from "./options.ts";
import { waitDefinitions } from "./ready.ts";
import { sameValue } from "./same_value.ts";

/** What the steps need. */
export interface HelmStepsOptions {
  /** What the caller asked for. */
  readonly options: PlatformOptions;
  /** What was decided. */
  readonly decision: Decision;
  /** Where charts come from. */
  readonly source: ChartSource;
  /** Values of a chart. */
  readonly values: (action: ChartAction) => Record<string, unknown>;
  /** The program; absent when there is nothing for it to do. */
  readonly helm: HelmProgram | undefined;
  /** The charts by name. */
  readonly charts: ReadonlyMap<string, LocalChart>;
}

/** One step a chart, definitions first; before the platform, the chart that ends is forgotten. */
export function helmSteps(shared: HelmStepsOptions): Step[] {
  const { decision } = shared;
  return [
    ...handoverSteps(shared),
    ...decision.actions.map((action) => chartStep(shared, action)),
  ];
}

function chartStep(shared: HelmStepsOptions, action: ChartAction): Step {
  const { options } = shared;
  const { chart, name } = action;
  const values = shared.values(action);
  const skip = action.kind === "keep" ? action.reason : unchanged(action, values);
  return {
    id: `helm-${chart.name}`,
    title: `${chart.name} ${chart.version}`,
    touches: [
      `Helm release ${chart.namespace}/${name}`,
      `chart from ${shared.charts.get(chart.name)?.from ?? "nowhere"}`,
    ],
    deadlineMs: stepDeadline(options.timeoutMs),
    ...(skip === undefined ? {} : { skip }),
    run: async (ctx, ui) => {
      const timeoutMs = options.timeoutMs ?? CHART_TIMEOUT_MS;
      await withEvidence(shared, action, () =>
        installRelease(ctx, shared.helm!, {
          kube: options.kube,
          target: options.target,
          name,
          namespace: action.release?.namespace ?? chart.namespace,
          chart: shared.charts.get(chart.name)!.path,
          values,
          timeoutMs,
          adopted: action.adopted,
          takeOwnership: chart.name === CRDS_CHART,
          onLine: (line) => ui.update(line.slice(0, 100)),
        }));
      if (chart.name === CRDS_CHART) {
        const { kube, release, namespace } = options;
        const onWait = (what: string) => ui.update(what);
        await waitDefinitions(ctx, kube, { release, namespace, timeoutMs, onWait });
      }
      return action.kind === "install" ? "installed" : `was ${action.from}`;
    },
  };
}

/** Why helm has nothing to do. */
function unchanged(action: ChartAction, values: Record<string, unknown>): string | undefined {
  const { release, chart } = action;
  if (release === undefined || !release.ours || release.status !== "deployed") return undefined;
  if (release.version !== chart.version || !sameValue(release.values, values)) return undefined;
  return `installed (revision ${release.revision})`;
}

// Helm knows that a hook or an object failed; why is in the cluster.
async function withEvidence(
  { options }: HelmStepsOptions,
  { chart, name }: ChartAction,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "HELM_FAILED") throw error;
    const labelSelector = `app.kubernetes.io/instance=${name}`;
    const seen = await evidence(options.kube, { namespace: chart.namespace, labelSelector });
    const { code, message, hint, exitCode, cause } = error;
    throw new TaskError({
      code,
      message,
      hint,
      exitCode,
      cause,
      evidence: [...error.evidence, ...seen],
    });
  }
}

function handoverSteps({ options, decision }: HelmStepsOptions): Step[] {
  const releases = decision.handover?.releases ?? [];
  if (releases.length === 0) return [];
  return [{
    id: "definitions-handover",
    title: "Hand the definitions over to the operator",
    touches: releases.map((one) =>
      `Helm's records of ${one.namespace}/${one.name} (the definitions stay)`
    ),
    deadlineMs: 60_000,
    run: async () => {
      for (const release of releases) await forgetRelease(options.kube, release);
      return "Helm no longer knows them; the definitions are as they were";
    },
  }];
}
