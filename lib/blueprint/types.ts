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
  /** The value. */
  readonly value: T;
  /** Where it came from. */
  readonly source: Source;
}

/** A taint of a node pool's nodes. */
export interface NodePoolTaint {
  /** For example `nvidia.com/gpu`. */
  readonly key: string;
  /** Absent for taints without a value. */
  readonly value?: string;
  /** What it does to pods that do not tolerate it. */
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** A Karpenter node pool as data. Graphs choose one by `karpenter.sh/nodepool: <name>`. */
export interface NodePool {
  /** For example `g5-gpu-karpenter`. */
  readonly name: string;
  /** EC2 instance families: `g5`, `p6-b200`. */
  readonly instanceFamilies: readonly string[];
  /** EC2 instance sizes: `xlarge`; all sizes of the families when empty. */
  readonly instanceSizes: readonly string[];
  /** In order of no preference: Karpenter takes the cheapest. */
  readonly capacityTypes: readonly ("spot" | "on-demand" | "reserved")[];
  /** Model of the GPU, for people; absent for CPU pools. */
  readonly gpu?: string;
  /** Taints of its nodes. */
  readonly taints: readonly NodePoolTaint[];
  /** EFA network interfaces of a node; 0 for none. */
  readonly efaInterfaces: number;
}

/** What the user wants. Every value knows where it came from. */
export interface Blueprint {
  /** The file that was read, as messages call it; absent when there is none. */
  readonly file?: string;
  /** Name of the EKS cluster. */
  readonly name: Sourced<string>;
  /** AWS region. */
  readonly region: Sourced<string>;
  /** Kubernetes version of the EKS cluster: `1.33`. */
  readonly eksClusterVersion: Sourced<string>;
  /** Number of availability zones. */
  readonly availabilityZonesCount: Sourced<number>;
  /** Dynamo version as it was asked for: `v0.4.1`. `releaseOf` says what it means. */
  readonly dynamoVersion: Sourced<string>;
  /** Kubernetes namespace of the platform and its graphs. */
  readonly namespace: Sourced<string>;
  /** The `enable_*` switches by their names in the file. */
  readonly switches: Readonly<Record<string, Sourced<boolean>>>;
  /** EKS add-ons to switch on or off, by name. */
  readonly clusterAddons: Sourced<Readonly<Record<string, boolean>>>;
  /** Node pools: the built-in ones, changed and completed by the file. */
  readonly nodePools: Sourced<readonly NodePool[]>;
  /** Things to know that do not stop anything, for example unknown settings. */
  readonly warnings: readonly string[];
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
