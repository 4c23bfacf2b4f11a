/**
 * Full names that terraform gives to what belongs to one cluster (`terraform/locals.tf` and the
 * modules' generated suffixes). A name counts only as a whole: `dynamo` is no start of `dynamo-2`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { SweepScope } from "./types.ts";

/** Names of one cluster. */
export interface ClusterNames {
  /** The control plane's log group. */
  readonly logGroup: string;
  /** Alias of the key for Kubernetes secrets. */
  readonly keyAlias: string;
  /** Queue of interruption notices. */
  readonly queue: string;
  /** Start of the names of event rules; cut, so that it proves nothing. */
  readonly ruleStart: string;
  /** Folder of image repositories, with its slash. */
  readonly repositoryFolder: string;
  /** Whether a role has a name of this cluster. */
  isRole(name: string): boolean;
  /** Whether a role's name tells the region, too; others exist once for all regions. */
  isRegionalRole(name: string): boolean;
}

const ROLE_ENDINGS = ["karpenter", "node", "lb-controller", "ebs-csi", "efs-csi", "cloudwatch"];

/** Terraform's suffix for generated names: time and counter. */
const GENERATED = /^\d{17,26}$/;

/** The names of a cluster. */
export function clusterNames({ cluster, region }: SweepScope): ClusterNames {
  const short = shortName(cluster);
  const regional = new Set(ROLE_ENDINGS.map((ending) => `${short}-${region}-${ending}`));
  const generated = (name: string) =>
    [`${short}-cluster-`, `${short}-core-`, `${short}-core-eks-node-group-`].some((start) =>
      name.startsWith(start) && GENERATED.test(name.slice(start.length))
    );
  return {
    logGroup: `/aws/eks/${cluster}/cluster`,
    keyAlias: `alias/eks/${cluster}`,
    queue: `${short}-karpenter`,
    ruleStart: `${cluster.slice(0, 18)}-`,
    repositoryFolder: `${cluster.toLowerCase()}/`,
    isRole: (name) => regional.has(name) || generated(name) || name === `${short}-cluster`,
    isRegionalRole: (name) => regional.has(name),
  };
}

/** A cluster's name as it begins the names of roles: long ones are cut and told apart by a hash. */
export function shortName(cluster: string): string {
  if (cluster.length <= 27) return cluster;
  const hash = createHash("sha1").update(cluster).digest("hex").slice(0, 6);
  return `${cluster.slice(0, 20)}-${hash}`;
}
