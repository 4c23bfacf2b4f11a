/**
 * What the user wants (Blueprint) and what a Dynamo version brings and needs (Release).
 *
 * @module
 */

/** Where a value came from. */
export type Source =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "env"; readonly name: string }
  | {
    readonly kind: "file";
    readonly path: string;
    readonly line: number;
    readonly column: number;
    readonly key: string;
  }
  | { readonly kind: "default" };

/** A value with its source. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: Source;
}

/** Version of the custom resource used for graphs. */
export type GraphApiVersion = "nvidia.com/v1alpha1" | "nvidia.com/v1beta1";

/** Facts about one Dynamo version: what to install, what to render, what it needs. */
export interface Release {
  /** Without `v`: `0.4.1`, `1.0.2`, `0.9.0-post1`, or a private build's tag. */
  readonly version: string;
  /** Numbers of the version, for comparisons. */
  readonly semver: { readonly major: number; readonly minor: number; readonly patch: number };
  /** The version of our tables whose rules apply (nearest older one). */
  readonly rules: string;
  /** Set when the version is not in the tables. */
  readonly warning?: string;
  /** Where the version was asked for. */
  readonly source: Source;
  /** Tag of runtime images. */
  readonly imageTag: string;
  /** Charts to install. */
  readonly charts: {
    /** Version of dynamo-platform. */
    readonly platform: string;
    /** Version of dynamo-crds; absent from 1.0, where the operator brings its CRDs. */
    readonly crds?: string;
  };
  /** API version that graphs are rendered in. */
  readonly graphApiVersion: GraphApiVersion;
  /** What the platform needs around it. */
  readonly needs: {
    readonly etcd: boolean;
    readonly nats: boolean;
    /** Major version of the NVIDIA driver, when the release insists. */
    readonly minDriver?: number;
  };
  /** Namespace when the user names none. */
  readonly defaultNamespace: string;
}

/** Compares two versions by their numbers: negative, zero or positive. */
export function compareVersions(a: Release["semver"], b: Release["semver"]): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/** Whether the release is at least `major.minor.patch`. */
export function atLeast(release: Release, major: number, minor: number, patch = 0): boolean {
  return compareVersions(release.semver, { major, minor, patch }) >= 0;
}
