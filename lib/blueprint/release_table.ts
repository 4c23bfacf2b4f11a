/**
 * What changed with which Dynamo version, as data. From the project's release notes, its
 * Helm charts and their values, and the versions that its custom resources are served in.
 *
 * @module
 */
import type { GraphApiVersion, Release } from "./types.ts";

/** Numbers of a version. */
export type VersionNumbers = Release["semver"];

/** Rules that hold from one version on, until the next row. There is a row for each minor version. */
export interface ReleaseRules {
  /** First version that they hold for. */
  readonly since: string;
  /** Whether there is a dynamo-crds chart; from 1.0 the operator brings its CRDs. */
  readonly crdsChart: boolean;
  /** Version that graphs are rendered in. */
  readonly graphApiVersion: GraphApiVersion;
  /** Components find each other through etcd, not through Kubernetes. */
  readonly etcd: boolean;
  /** The chart installs NATS, for requests or events. */
  readonly nats: boolean;
  /** Least major version of the NVIDIA driver. */
  readonly minDriver?: number;
}

const ALPHA = "nvidia.com/v1alpha1";
const BETA = "nvidia.com/v1beta1";

const withEtcd = { crdsChart: true, graphApiVersion: ALPHA, etcd: true, nats: true } as const;
// Kubernetes discovery is the default from 0.8.
const withoutEtcd = { ...withEtcd, etcd: false } as const;
const v1 = { ...withoutEtcd, crdsChart: false } as const;
// v1beta1 is served from 1.2.
const beta = { ...v1, graphApiVersion: BETA } as const;
// CUDA 12 images end with 1.2.
const cuda13 = { ...beta, minDriver: 580 } as const;
// Requests go over TCP and events over ZeroMQ from 1.4.
const withoutNats = { ...cuda13, nats: false } as const;

/** All rules, oldest first. The first row is the oldest supported version. */
export const RELEASE_RULES: readonly ReleaseRules[] = [
  { since: "0.4.1", ...withEtcd },
  { since: "0.5.0", ...withEtcd },
  { since: "0.6.0", ...withEtcd },
  { since: "0.7.0", ...withEtcd },
  { since: "0.8.0", ...withoutEtcd },
  { since: "0.9.0", ...withoutEtcd },
  { since: "1.0.0", ...v1 },
  { since: "1.1.0", ...v1 },
  { since: "1.2.0", ...beta },
  { since: "1.3.0", ...cuda13 },
  { since: "1.4.0", ...withoutNats },
  { since: "1.5.0", ...withoutNats },
  { since: "1.6.0", ...withoutNats },
];

/** Newest version that these rules were checked against. */
export const NEWEST_KNOWN = "1.6.1";

/** Platform charts to take in place of the one with the version's own number. */
export const PLATFORM_CHARTS: Readonly<Record<string, string>> = {
  // This chart's operator is 0.7.1; it was put right under another number.
  "0.9.0": "0.9.0-post1",
};

/** Tags of images to take in place of the version's own: only a chart was published under it. */
export const IMAGE_TAGS: Readonly<Record<string, string>> = {
  "0.9.0-post1": "0.9.0",
};

/** Version when nobody asks for another. */
export const DEFAULT_DYNAMO_VERSION = "v0.4.1";

/** Namespace when nobody asks for another. */
export const DEFAULT_NAMESPACE = "dynamo-cloud";

/** Reads `1.2.3` at the start of a text. */
export function versionNumbers(text: string): VersionNumbers {
  const [major = 0, minor = 0, patch = 0] = text.split(/[.-]/, 3).map(Number);
  return { major, minor, patch };
}
