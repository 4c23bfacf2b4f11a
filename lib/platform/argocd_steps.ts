/**
 * The platform's charts by Argo CD.
 *
 * @module
 */
import type { Step } from "../cli/plan.ts";
import { type ChartSource, describeSource } from "../helm/chart_source.ts";
import { applicationObject, REPOSITORY_SECRET, repositorySecret } from "./argocd/application.ts";
import { forgetApplication } from "./argocd/remove.ts";
import { waitSynced } from "./argocd/sync.ts";
import { CRDS_CHART } from "./charts.ts";
import { stepDeadline } from "./common_steps.ts";
import type { ChartAction, Decision } from "./decide.ts";
import { CHART_TIMEOUT_MS, type PlatformOptions } from "./options.ts";
import { waitDefinitions } from "./ready.ts";

/** What the steps need. */
export interface ArgocdStepsOptions {
  /** What the caller asked for. */
  readonly options: PlatformOptions;
  /** What was decided. */
  readonly decision: Decision;
  /** Where charts come from. */
  readonly source: ChartSource;
  /** Values of a chart. */
  readonly values: (action: ChartAction) => Record<string, unknown>;
  /** Namespace of Argo CD. */
  readonly argocdNamespace: string;
}

/** One step an Application, definitions first, each waited for before the next is made. */
export function argocdSteps(shared: ArgocdStepsOptions): Step[] {
  return [
    ...repositorySteps(shared),
    ...handoverSteps(shared),
    ...shared.decision.actions.map((action) => applicationStep(shared, action)),
  ];
}

function repositorySteps({ options, source, argocdNamespace }: ArgocdStepsOptions): Step[] {
  if (source.kind !== "http" || source.login === undefined) return [];
  const { url: repository, login } = source;
  return [{
    id: "argocd-repository",
    title: "Login of the chart repository",
    touches: [`Secret ${argocdNamespace}/${REPOSITORY_SECRET}`],
    deadlineMs: 60_000,
    run: async () => {
      await options.kube.apply(repositorySecret({ argocdNamespace, repository, login }));
    },
  }];
}

function applicationStep(shared: ArgocdStepsOptions, action: ChartAction): Step {
  const { options, argocdNamespace } = shared;
  const { kube, release } = options;
  const { chart, name } = action;
  const namespace = action.application?.namespace ?? argocdNamespace;
  const application = applicationObject({
    chart,
    name,
    argocdNamespace: namespace,
    repository: describeSource(shared.source),
    values: shared.values(action),
    adopted: action.adopted,
  });
  return {
    id: `argocd-${chart.name}`,
    title: `${chart.name} ${chart.version}`,
    touches: [`Application ${namespace}/${name}`, `what it installs in ${chart.namespace}`],
    deadlineMs: stepDeadline(options.timeoutMs),
    ...(action.kind === "keep" ? { skip: action.reason } : {}),
    run: async (ctx, ui) => {
      const timeoutMs = options.timeoutMs ?? CHART_TIMEOUT_MS;
      const onWait = (what: string) => ui.update(what);
      await kube.apply(application);
      await waitSynced(ctx, kube, { application, timeoutMs, onWait });
      if (chart.name === CRDS_CHART) {
        await waitDefinitions(ctx, kube, {
          release,
          namespace: options.namespace,
          timeoutMs,
          onWait,
        });
      }
      return "Synced and Healthy";
    },
  };
}

function handoverSteps({ options, decision }: ArgocdStepsOptions): Step[] {
  const applications = decision.handover?.applications ?? [];
  if (applications.length === 0) return [];
  return [{
    id: "definitions-handover",
    title: "Hand the definitions over to the operator",
    touches: applications.map((one) =>
      `Application ${one.namespace}/${one.name} (the definitions stay)`
    ),
    deadlineMs: 60_000,
    run: async () => {
      for (const application of applications) await forgetApplication(options.kube, application);
      return "Argo CD no longer knows them; the definitions are as they were";
    },
  }];
}
