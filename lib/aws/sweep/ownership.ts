/**
 * Whose a resource is. Only tags with the cluster's whole name count; names are hints.
 *
 * @module
 */
import type { Leak, Resource, SweepScope } from "./types.ts";

/** Tags whose value is the name of the cluster that the resource was made for, and by whom. */
export const OWNER_TAGS: readonly string[] = [
  "dynamo-eks/cluster", // terraform, here
  "elbv2.k8s.aws/cluster", // AWS load balancer controller
  "eks:cluster-name", // EKS: node groups, add-ons
  "aws:eks:cluster-name", // EKS: its security group, instances
  "eks:eks-cluster-name", // Karpenter
  "karpenter.k8s.aws/cluster", // Karpenter: launch templates
  "cluster.k8s.amazonaws.com/name", // Amazon VPC CNI: network interfaces
];

/** Tags with the name of a cluster that may use the resource, and need not have made it. */
const HINT_TAGS: readonly string[] = ["karpenter.sh/discovery", "KubernetesCluster"];

const KUBERNETES_TAG = "kubernetes.io/cluster/";

/** The resource as one of the cluster's, or undefined when it is none of its. */
export function asLeak(resource: Resource, scope: SweepScope): Leak | undefined {
  if (resource.purpose !== undefined) {
    return { resource, belonging: "kept", why: resource.purpose };
  }
  const owners = ownersOf(resource.tags);
  const mine = owners.find(({ cluster }) => cluster === scope.cluster);
  if (mine === undefined) {
    const hint = hintOf(resource, scope.cluster);
    if (hint === undefined || owners.length > 0) return undefined;
    return { resource, belonging: "suspect", why: `${hint}; no tag says who made it` };
  }
  if (resource.region !== undefined && resource.region !== scope.region) return undefined;
  const against = objection(resource, owners, scope);
  return against === undefined
    ? { resource, belonging: "own", why: `tag ${mine.tag}` }
    : { resource, belonging: "suspect", why: `tag ${mine.tag}, but ${against}` };
}

/** What speaks against deleting a resource that carries the cluster's tag. */
function objection(
  resource: Resource,
  owners: readonly Owner[],
  scope: SweepScope,
): string | undefined {
  const other = owners.find(({ cluster }) => cluster !== scope.cluster);
  if (other !== undefined) return `tag ${other.tag} names ${other.cluster}`;
  if (resource.keep !== undefined) return resource.keep;
  if (resource.kind === "other") return "this sweep does not delete its kind";
  if (resource.kind === "role" && resource.named !== true) return "its name is not the cluster's";
  // The same cluster name may exist in another region.
  if (ACCOUNT_KINDS.includes(resource.kind) && resource.region === undefined) {
    return "nothing says for which region it was made";
  }
  return undefined;
}

const ACCOUNT_KINDS: readonly string[] = ["role", "policy", "instance-profile", "oidc-provider"];

interface Owner {
  readonly cluster: string;
  readonly tag: string;
}

function ownersOf(tags: Resource["tags"]): Owner[] {
  const owners: Owner[] = [];
  for (const [key, value] of Object.entries(tags)) {
    if (OWNER_TAGS.includes(key)) owners.push({ cluster: value, tag: `${key}=${value}` });
    if (key.startsWith(KUBERNETES_TAG) && value === "owned") {
      owners.push({ cluster: key.slice(KUBERNETES_TAG.length), tag: `${key}=${value}` });
    }
  }
  return owners;
}

function hintOf(resource: Resource, cluster: string): string | undefined {
  if (resource.named === true) return "its name is the cluster's";
  const tag = HINT_TAGS.find((key) => resource.tags[key] === cluster);
  if (tag !== undefined) return `tag ${tag}=${cluster}`;
  return `${KUBERNETES_TAG}${cluster}` in resource.tags
    ? `tag ${KUBERNETES_TAG}${cluster}=${resource.tags[`${KUBERNETES_TAG}${cluster}`]}`
    : undefined;
}
