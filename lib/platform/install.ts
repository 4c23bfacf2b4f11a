/**
 * Dynamo's platform on any cluster, by Helm or by Argo CD: reads what is there, decides, and
 * gives the steps.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError, usageError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import { fetchChart, type LocalChart } from "../helm/charts.ts";
import { type ChartSource, chartSource, describeSource } from "../helm/chart_source.ts";
import { findHelm, type HelmProgram } from "../helm/program.ts";
import type { Kube } from "../kube/types.ts";
import { argocdSteps } from "./argocd_steps.ts";
import { PLATFORM_CHART } from "./charts.ts";
import { type ChartAction, decide, type Decision } from "./decide.ts";
import { helmSteps } from "./helm_steps.ts";
import type { PlatformOptions } from "./options.ts";
import { namespaceStep, readyStep, secretSteps } from "./common_steps.ts";
import { NGC_SECRET, ngcKey, readHfToken, requireHfToken } from "./secrets.ts";
import { type PlatformState, platformState } from "./state.ts";
import { readUserValues } from "./user_values.ts";
import {
  mergeValues,
  platformValues,
  refusedChoices,
  type ValueChoices,
  withoutManaged,
} from "./values.ts";

export { platformState } from "./state.ts";

/** What is going to happen, and what to know about it. */
export interface PlatformPlan {
  /** The steps in order. */
  readonly steps: readonly Step[];
  /** Lines for the plan's head: by what, from where. */
  readonly facts: Readonly<Record<string, string>>;
  /** Things to know that do not stop it. */
  readonly warnings: readonly string[];
}

/** Steps of {@link planPlatform}, for callers that need nothing else. */
export async function platformSteps(ctx: Context, options: PlatformOptions): Promise<Step[]> {
  return [...(await planPlatform(ctx, options)).steps];
}

/**
 * Plans the platform. Reads the cluster and fetches the charts; whatever speaks against it is
 * an error here, before anything is touched. The steps can be run again at any time.
 *
 * @throws {TaskError} see `decide`; CHART_UNREACHABLE, CHART_MISSING, HELM_MISSING, VALUES_FILE,
 * VALUES_CHOICE, STORAGE_CLASS, HF_TOKEN_MISSING, NGC_API_KEY_MISSING.
 */
export async function planPlatform(ctx: Context, options: PlatformOptions): Promise<PlatformPlan> {
  const { kube, release, namespace } = options;
  const source = chartSource(ctx, options.chartRepository);
  const key = options.ngcPullSecret === true ? ngcKey(ctx) : undefined;
  const userValues = await readUserValues(ctx, options.valuesFile);
  const state = await platformState(kube);
  const decision = decide(state, { ...options, source: source.kind });
  const choices: ValueChoices = {
    ...options,
    pullSecret: key === undefined ? undefined : NGC_SECRET,
    prometheusEndpoint: options.prometheusEndpoint ?? await findPrometheus(kube),
  };
  const refused = refusedChoices(release, choices);
  if (refused.length > 0) {
    throw usageError(
      "VALUES_CHOICE",
      refused.join("; "),
      "Choose another release, or leave it out.",
    );
  }
  const secret = {
    namespace,
    placeholder: options.hfPlaceholder ?? false,
    token: options.hfToken,
  };
  await requireHfToken(kube, { ...secret, token: secret.token ?? await readHfToken(ctx) });
  requireStorage(state, decision, options);

  const { helm, charts } = await fetchCharts(ctx, source, decision);
  const values = (action: ChartAction) => valuesOf(action, options, choices, userValues);
  const shared = { options, decision, source, values };
  const steps = [
    await namespaceStep(kube, namespace),
    ...secretSteps(kube, secret, key),
    ...(decision.by === "helm"
      ? helmSteps({ ...shared, helm, charts })
      : argocdSteps({ ...shared, argocdNamespace: state.argocd.namespace! })),
    readyStep(options, decision),
  ];
  return {
    steps,
    warnings: decision.warnings,
    facts: {
      platform: `by ${decision.by === "helm" ? "Helm" : "Argo CD"}, ${
        decision.actions.map(describeAction).join(", ")
      }`,
      charts: describeSource(source),
    },
  };
}

function describeAction({ chart, kind, from }: ChartAction): string {
  const way = kind === "upgrade" && from !== chart.version ? ` (is ${from})` : "";
  return `${chart.name} ${kind === "keep" && from !== undefined ? from : chart.version}${way}`;
}

/** The whole of what a chart is given: release's rules, the user's file, and what was there before us. */
function valuesOf(
  action: ChartAction,
  options: PlatformOptions,
  choices: ValueChoices,
  userValues: Record<string, unknown>,
): Record<string, unknown> {
  if (action.chart.name !== PLATFORM_CHART) return {};
  const installed = action.release ?? action.application;
  const theirs = action.adopted ? withoutManaged(installed?.values ?? {}) : {};
  return mergeValues(mergeValues(theirs, platformValues(options.release, choices)), userValues);
}

async function fetchCharts(
  ctx: Context,
  source: ChartSource,
  { by, actions }: Decision,
): Promise<{ helm: HelmProgram | undefined; charts: ReadonlyMap<string, LocalChart> }> {
  const wanted = actions.filter((one) => one.kind !== "keep");
  const helm = by === "helm" && wanted.length > 0 ? await findHelm(ctx) : undefined;
  const charts = new Map<string, LocalChart>();
  for (const { chart } of wanted) {
    charts.set(chart.name, await fetchChart(ctx, source, chart, () => findHelm(ctx)));
  }
  return { helm, charts };
}

/** The address of kube-prometheus-stack's Prometheus, where there is one. */
async function findPrometheus(kube: Kube): Promise<string | undefined> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "Service" }, {
    labelSelector: "app=kube-prometheus-stack-prometheus",
  });
  const service = items[0];
  if (service === undefined) return undefined;
  const ports: { name?: string; port: number }[] = service["spec"]?.ports ?? [];
  const port = ports.find((one) => one.name === "http-web")?.port ?? 9090;
  return `http://${service.metadata.name}.${service.metadata.namespace}.svc:${port}`;
}

// Without a StorageClass, etcd and NATS would hang Pending.
function requireStorage(
  state: PlatformState,
  decision: Decision,
  { release, storageClass }: PlatformOptions,
): void {
  const needed = release.needs.etcd || release.needs.nats;
  const isNew = decision.actions.at(-1)?.kind === "install";
  if (!needed || !isNew) return;
  const names = state.storageClasses.map((one) => one.name);
  if (storageClass !== undefined && names.includes(storageClass)) return;
  if (storageClass === undefined && state.storageClasses.some((one) => one.isDefault)) return;
  throw preconditionError(
    "STORAGE_CLASS",
    storageClass === undefined
      ? `Dynamo ${release.version} installs ${
        release.needs.etcd ? "etcd and NATS" : "NATS"
      }, and the cluster has no default StorageClass`
      : `The cluster has no StorageClass ${storageClass}`,
    names.length === 0
      ? "Install a CSI driver with a StorageClass first (EBS gp3 on EKS)."
      : `Name one with --storage-class: ${names.join(", ")}.`,
  );
}
