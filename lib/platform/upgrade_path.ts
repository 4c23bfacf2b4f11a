/**
 * From one installed version to another: what changes on the way, and what is in the way.
 *
 * @module
 */
import { versionNumbers } from "../blueprint/release_table.ts";
import { compareVersions, type Release } from "../blueprint/types.ts";

/** Something that changed with a version and that running graphs notice. */
export interface Change {
  /** First version with it. */
  readonly since: string;
  /** What changes, in a sentence. */
  readonly text: string;
  /** Whether graphs of before may not survive it. */
  readonly breaksGraphs: boolean;
}

/** The changes that matter to an upgrade, oldest first. From the releases' notes and charts. */
export const CHANGES: readonly Change[] = [
  {
    since: "0.8.0",
    text: "components find each other through Kubernetes and no longer through etcd",
    breaksGraphs: true,
  },
  {
    since: "1.0.0",
    text: "the operator applies the definitions itself (the chart dynamo-crds ends), and its " +
      "admission webhook is mandatory",
    breaksGraphs: true,
  },
  {
    since: "1.2.0",
    text: "graphs are nvidia.com/v1beta1; those of v1alpha1 are converted by the operator",
    breaksGraphs: false,
  },
  {
    since: "1.3.0",
    text: "images need an NVIDIA driver of 580 or newer on the nodes",
    breaksGraphs: false,
  },
  {
    since: "1.4.0",
    text: "NATS is no longer installed; events go over ZeroMQ",
    breaksGraphs: true,
  },
  {
    since: "1.5.0",
    text: "graphs are stored as v1beta1, from which there is no way back below 1.2",
    breaksGraphs: false,
  },
];

/** How one version follows another. */
export type Direction = "same" | "upgrade" | "downgrade" | "unknown";

/** Compares the version of an installed chart with the wanted one. */
export function directionOf(installed: string, wanted: string): Direction {
  if (installed === wanted) return "same";
  if (!/^\d+\.\d+\.\d+/.test(installed)) return "unknown";
  const order = compareVersions(versionNumbers(installed), versionNumbers(wanted));
  if (order !== 0) return order < 0 ? "upgrade" : "downgrade";
  // 0.9.0 < 0.9.0-post1 < 0.9.0-post2, unlike semantic versioning's pre-releases.
  return post(installed) <= post(wanted) ? "upgrade" : "downgrade";
}

/** What changes after `installed`, up to and with `wanted`. */
export function changesBetween(installed: string, wanted: string): Change[] {
  const from = versionNumbers(installed);
  const to = versionNumbers(wanted);
  return CHANGES.filter(({ since }) => {
    const at = versionNumbers(since);
    return compareVersions(from, at) < 0 && compareVersions(at, to) <= 0;
  });
}

/** Versions of the API in the order they came. */
const API_VERSIONS = ["v1alpha1", "v1beta1"];

/** Versions of graphs that a release's operator understands. */
export function understoodVersions(release: Pick<Release, "semver">): string[] {
  const both = compareVersions(release.semver, { major: 1, minor: 2, patch: 0 }) >= 0;
  return both ? [...API_VERSIONS] : API_VERSIONS.slice(0, 1);
}

function post(version: string): number {
  return Number(/-post(\d+)/.exec(version)?.[1] ?? 0);
}
