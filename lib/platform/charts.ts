/**
 * The charts of a release: names, where they are installed, in which order.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";

/** One chart of a release. */
export interface PlatformChart {
  /** Name of the chart, and of the Helm release or Application that we make of it. */
  readonly name: "dynamo-crds" | "dynamo-platform";
  /** Version of the chart. */
  readonly version: string;
  /** Namespace that it is installed in. */
  readonly namespace: string;
  /** Argo CD's wave: lower ones first. */
  readonly wave: number;
}

/** Name of the chart with the operator. */
export const PLATFORM_CHART = "dynamo-platform";

/** Name of the chart with the definitions, up to 0.9. */
export const CRDS_CHART = "dynamo-crds";

/** Names of Dynamo's definitions. Those of NVIDIA's GPU operator, in the same group, are not among them. */
export const DYNAMO_CRDS: RegExp = /^(dynamo[a-z]+|podsnapshot(content)?s)\.nvidia\.com$/;

/** End of the name of the operator's Deployment; before it stands the name of the release. */
export const OPERATOR_SUFFIX = "dynamo-operator-controller-manager";

/** The charts of a release in the order of their installation: definitions before the operator. */
export function platformCharts(release: Release, namespace: string): PlatformChart[] {
  const platform: PlatformChart = {
    name: PLATFORM_CHART,
    version: release.charts.platform,
    namespace,
    wave: 0,
  };
  if (release.charts.crds === undefined) return [platform];
  // The chart of the definitions holds nothing with a namespace; `default` is where Dynamo's
  // guides put its release.
  const crds: PlatformChart = {
    name: CRDS_CHART,
    version: release.charts.crds,
    namespace: "default",
    wave: -1,
  };
  return [crds, platform];
}
