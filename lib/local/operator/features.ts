/**
 * What the operator of each Dynamo release does differently, as plain data.
 * Facts come from running 0.4.1 and the development state before 1.5.0, and from
 * the release notes in between.
 *
 * @module
 */
import { compareVersions, type GraphApiVersion, type Release } from "../../blueprint/types.ts";

/** Numbers of a version. */
export type Semver = Release["semver"];

/** How the operator of one release behaves. */
export interface OperatorFeatures {
  /** Release as written, without `v`. */
  readonly version: string;
  /** `legacy`: discovery through etcd (before 0.8); `current`: through Kubernetes. */
  readonly behaviour: "legacy" | "current";
  /** API version that the controller reads and writes; v1beta1 from 1.2. */
  readonly graphApiVersion: GraphApiVersion;
  /** Label `nvidia.com/dynamo-graph-deployment-name` on children (from 0.5.0). */
  readonly graphNameLabel: boolean;
  /** `spec.pvcs` and `volumeMounts` instead of a service's `pvc` (from 0.6.0). */
  readonly graphPvcs: boolean;
  /** Worker names end in a hash; a changed worker gets a new component (from 1.0.0). */
  readonly workerHash: boolean;
  /** `status.observedGeneration` of graphs and components (from 1.0.0). */
  readonly observedGeneration: boolean;
  /** `componentNames` in counts of a status (from 1.0.0). */
  readonly componentNames: boolean;
  /** `runtimeNamespace` in counts of a status (from 1.3.0). */
  readonly runtimeNamespace: boolean;
  /** Component set, framework and multinode cannot change after creation (from 1.0.0). */
  readonly immutableTopology: boolean;
  /** The main image needs a version in its tag, or `runtimeVersionOverride` (from 1.4.0). */
  readonly runtimeVersion: boolean;
  /** The type of a component cannot change (from 1.5.0). */
  readonly immutableType: boolean;
  /** `failureThreshold` of a worker's liveness probe: 1, and 3 from 1.5.0. */
  readonly workerLivenessFailures: number;
}

const NEWEST: Semver = { major: 999, minor: 0, patch: 0 };

/** Reads `1.5.0`, `v0.9.0-post1` and the like; undefined for tags of private builds. */
export function parseSemver(version: string): Semver | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+.].*)?$/.exec(version);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) };
}

/**
 * Features of a release. `rules` is the version whose rules apply when the version itself
 * is a private build's tag; without one such a build counts as the newest.
 */
export function operatorFeatures(version: string, rules = version): OperatorFeatures {
  const semver = parseSemver(version) ?? parseSemver(rules) ?? NEWEST;
  const from = (major: number, minor: number) =>
    compareVersions(semver, { major, minor, patch: 0 }) >= 0;
  return {
    version: version.replace(/^v/, ""),
    behaviour: from(0, 8) ? "current" : "legacy",
    graphApiVersion: from(1, 2) ? "nvidia.com/v1beta1" : "nvidia.com/v1alpha1",
    graphNameLabel: from(0, 5),
    graphPvcs: from(0, 6),
    workerHash: from(1, 0),
    observedGeneration: from(1, 0),
    componentNames: from(1, 0),
    runtimeNamespace: from(1, 3),
    immutableTopology: from(1, 0),
    runtimeVersion: from(1, 4),
    immutableType: from(1, 5),
    workerLivenessFailures: from(1, 5) ? 3 : 1,
  };
}

/** Features of a resolved release. */
export function featuresOf(release: Pick<Release, "version" | "rules">): OperatorFeatures {
  return operatorFeatures(release.version, release.rules);
}
