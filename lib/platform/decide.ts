/**
 * What to do with a cluster's state: install, upgrade, keep, or refuse. Pure.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import { preconditionError, usageError } from "../cli/errors.ts";
import type { ChartSource } from "../helm/chart_source.ts";
import type { HelmRelease } from "../helm/releases.ts";
import { CRDS_CHART, PLATFORM_CHART, type PlatformChart, platformCharts } from "./charts.ts";
import { requireNoOtherOperator } from "./conflicts.ts";
import type { FoundApplication, PlatformState } from "./state.ts";
import { requireUpgradePath, type UpgradeForce } from "./upgrade_guard.ts";

/** Who installs: the helm program, or Argo CD. */
export type PlatformBy = "helm" | "argocd";

/** What is asked for. */
export interface PlatformRequest extends UpgradeForce {
  /** Dynamo version. */
  readonly release: Release;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** `--platform-by`; what is there decides when absent. */
  readonly by?: PlatformBy | undefined;
  /** Kind of the place that charts come from. */
  readonly source: ChartSource["kind"];
  /** Change what somebody else installed, keeping their values. */
  readonly adopt?: boolean | undefined;
}

/** What to do with one chart. */
export interface ChartAction {
  /** The chart in the wanted version. */
  readonly chart: PlatformChart;
  /** Name of the Helm release or Application. */
  readonly name: string;
  /** `keep` leaves it as it is. */
  readonly kind: "install" | "upgrade" | "keep";
  /** Version installed. */
  readonly from?: string;
  /** Whether it was (or is now) taken over from somebody else, with its values. */
  readonly adopted: boolean;
  /** Why, in a few words. */
  readonly reason: string;
  /** Helm's release as it is. */
  readonly release?: HelmRelease;
  /** The Application as it is. */
  readonly application?: FoundApplication;
}

/** The chart of the definitions, which ends with 1.0: forgotten, its definitions stay. */
export interface Handover {
  /** Helm's releases of it. */
  readonly releases: readonly HelmRelease[];
  /** Applications of it. */
  readonly applications: readonly FoundApplication[];
}

/** What is going to be done. */
export interface Decision {
  /** Who installs. */
  readonly by: PlatformBy;
  /** The charts, in order. */
  readonly actions: readonly ChartAction[];
  /** Set when the definitions go over to the operator. */
  readonly handover?: Handover;
  /** Things to know. */
  readonly warnings: readonly string[];
}

/**
 * Decides; every reason not to go on is an error that says what to do.
 *
 * @throws {TaskError} PLATFORM_ELSEWHERE, PLATFORM_UNMANAGED, PLATFORM_TWICE, PLATFORM_BY,
 * PLATFORM_FOREIGN, ARGOCD_MISSING, ARGOCD_SOURCE, PLATFORM_DOWNGRADE, PLATFORM_UPGRADE_GRAPHS,
 * CRDS_STORED (exit code 3, or 2 where flags contradict each other).
 */
export function decide(state: PlatformState, request: PlatformRequest): Decision {
  const warnings = [...requireNoOtherOperator(state, request)];
  const found = installedIn(state, request.namespace);
  const by = chooseBy(state, request, found);
  const actions = platformCharts(request.release, request.namespace)
    .map((chart) => actionFor(chart, by, state, request, found));
  const platform = actions.at(-1)!;
  if (platform.kind !== "keep") {
    warnings.push(...requireUpgradePath(state, platform.from, request));
  }
  const handover = handoverOf(state, request, platform, warnings);
  return { by, actions, warnings, ...(handover === undefined ? {} : { handover }) };
}

interface Installed {
  readonly release?: HelmRelease;
  readonly application?: FoundApplication;
}

function installedIn(state: PlatformState, namespace: string): Installed {
  const release = state.releases.find((one) =>
    one.chart === PLATFORM_CHART && one.namespace === namespace
  );
  const application = state.applications.find((one) =>
    one.chart === PLATFORM_CHART && one.destination === namespace
  );
  if (release !== undefined && application !== undefined) {
    throw preconditionError(
      "PLATFORM_TWICE",
      `${PLATFORM_CHART} is in ${namespace} both as Helm release ${release.name} and as ` +
        `Application ${application.namespace}/${application.name}`,
      `Take one away first. To leave it all to Argo CD: kubectl -n ${namespace} delete secret ` +
        `-l owner=helm,name=${release.name} makes Helm forget its release and touches nothing else.`,
    );
  }
  const operator = state.operators.find((one) => one.namespace === namespace);
  if (release === undefined && application === undefined && operator?.deployment !== undefined) {
    throw preconditionError(
      "PLATFORM_UNMANAGED",
      `Deployment ${namespace}/${operator.deployment} is there, and neither a Helm release nor an ` +
        "Application of Dynamo's chart is",
      "Whoever put it there has to take it away, or choose another cluster: Helm does not take " +
        "over what it did not make.",
    );
  }
  return {
    ...(release === undefined ? {} : { release }),
    ...(application === undefined ? {} : { application }),
  };
}

function chooseBy(state: PlatformState, request: PlatformRequest, found: Installed): PlatformBy {
  const there = found.application ? "argocd" : found.release ? "helm" : undefined;
  if (there !== undefined && request.by !== undefined && request.by !== there) {
    throw preconditionError(
      "PLATFORM_BY",
      `--platform-by ${request.by} was asked for, but ${PLATFORM_CHART} in ${request.namespace} ` +
        `was installed by ${there === "helm" ? "Helm" : "Argo CD"}`,
      `Leave --platform-by out, or remove the platform first: deno task cleanup.`,
    );
  }
  const usable = state.argocd.ready && request.source === "http";
  const by = request.by ?? there ?? (usable ? "argocd" : "helm");
  if (by !== "argocd") return by;
  if (!state.argocd.ready) {
    throw preconditionError(
      "ARGOCD_MISSING",
      `Argo CD cannot install the platform: ${state.argocd.problem}`,
      "Install or repair Argo CD (enable_argocd), or use --platform-by helm.",
    );
  }
  if (request.source !== "http") {
    throw usageError(
      "ARGOCD_SOURCE",
      "Argo CD takes charts from a repository over https here, not from a folder or oci://",
      "Give --chart-repository https://…, or use --platform-by helm.",
    );
  }
  return by;
}

function actionFor(
  chart: PlatformChart,
  by: PlatformBy,
  state: PlatformState,
  request: PlatformRequest,
  installed: Installed,
): ChartAction {
  const { release, application } = chart.name === PLATFORM_CHART
    ? installed
    : definitionsOf(state, by);
  const there = by === "helm" ? release : application;
  const platform = by === "helm" ? installed.release : installed.application;
  const adopted = platform !== undefined && !platform.ours && request.adopt !== true;
  if (there === undefined) {
    // Who installed the platform without us brought the definitions, too.
    if (chart.name === CRDS_CHART && adopted && state.crds.length > 0) {
      return {
        chart,
        name: chart.name,
        kind: "keep",
        adopted: false,
        reason: "the definitions are there",
      };
    }
    return { chart, name: chart.name, kind: "install", adopted: false, reason: "not installed" };
  }
  const base = {
    chart,
    name: there.name,
    from: there.version,
    adopted: there.adopted || (!there.ours && request.adopt === true),
    ...(by === "helm" ? { release: release! } : { application: application! }),
  };
  if (there.ours || request.adopt === true) {
    const same = there.version === chart.version;
    return { ...base, kind: "upgrade", reason: same ? "the same version" : `is ${there.version}` };
  }
  return { ...base, kind: "keep", reason: keepReason(chart, there, by) };
}

function keepReason(
  chart: PlatformChart,
  there: HelmRelease | FoundApplication,
  by: PlatformBy,
): string {
  const what = by === "helm" ? "Helm release" : "Application";
  const label = `${what} ${there.namespace}/${there.name}`;
  if (chart.name === CRDS_CHART) return `${label} of somebody else is used as it is`;
  if (there.version !== chart.version) {
    throw preconditionError(
      "PLATFORM_FOREIGN",
      `${label} is ${chart.name} ${there.version} and was not made by this project; ` +
        `${chart.version} is wanted`,
      `Use what is there with --dynamo-version ${there.version}, upgrade it the way it was ` +
        "installed, or let this task take it over (its values are kept) with --adopt.",
    );
  }
  if ("status" in there && there.status !== "deployed") {
    throw preconditionError(
      "PLATFORM_FOREIGN",
      `${label} was not made by this project and is ${there.status}`,
      "Repair it with helm, or let this task take it over (its values are kept) with --adopt.",
    );
  }
  return `${label} of somebody else is used as it is`;
}

function definitionsOf(state: PlatformState, by: PlatformBy): Installed {
  const release = state.releases.find((one) => one.chart === CRDS_CHART);
  const application = state.applications.find((one) => one.chart === CRDS_CHART);
  const other = by === "helm" ? application : release;
  if (other !== undefined && (by === "helm" ? release : application) === undefined) {
    throw preconditionError(
      "PLATFORM_TWICE",
      `${CRDS_CHART} is installed by ${by === "helm" ? "Argo CD" : "Helm"} ` +
        `(${other.namespace}/${other.name}), and ${PLATFORM_CHART} is not`,
      `Use --platform-by ${by === "helm" ? "argocd" : "helm"}, or take ${other.name} away first.`,
    );
  }
  return {
    ...(release === undefined ? {} : { release }),
    ...(application === undefined ? {} : { application }),
  };
}

function handoverOf(
  state: PlatformState,
  request: PlatformRequest,
  platform: ChartAction,
  warnings: string[],
): Handover | undefined {
  if (request.release.charts.crds !== undefined || platform.kind === "keep") return undefined;
  const releases = state.releases.filter((one) => one.chart === CRDS_CHART);
  const applications = state.applications.filter((one) => one.chart === CRDS_CHART);
  for (const one of [...releases, ...applications]) {
    if (one.ours || request.adopt === true) continue;
    warnings.push(
      `${CRDS_CHART} ${one.namespace}/${one.name} is not this project's and stays; do not ` +
        "uninstall it while there are graphs, the definitions could go with it",
    );
  }
  const isMine = (one: { readonly ours: boolean }) => one.ours || request.adopt === true;
  const mine = { releases: releases.filter(isMine), applications: applications.filter(isMine) };
  return mine.releases.length + mine.applications.length === 0 ? undefined : mine;
}
