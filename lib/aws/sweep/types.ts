/**
 * What a leak sweep looks for: kinds of AWS resources, and one resource as it was found.
 *
 * @module
 */

/** Kinds of resources, in the order in which they may be deleted. */
export const KINDS = [
  "node-group",
  "cluster",
  "load-balancer",
  "classic-load-balancer",
  "instance",
  "target-group",
  "launch-template",
  "file-system",
  "vpc-endpoint",
  "nat-gateway",
  "elastic-ip",
  "volume",
  "snapshot",
  "network-interface",
  "security-group",
  "subnet",
  "route-table",
  "internet-gateway",
  "network-acl",
  "vpc",
  "instance-profile",
  "policy",
  "role",
  "oidc-provider",
  "event-rule",
  "queue",
  "repository",
  "log-group",
  "key-alias",
  "key",
  "bucket",
  "other",
] as const;

/** One of {@link KINDS}; `other` is what carries a tag of the cluster and has no row here. */
export type ResourceKind = typeof KINDS[number];

/** A resource as a listing has it. */
export interface Resource {
  /** Kind. */
  readonly kind: ResourceKind;
  /** What AWS's calls take: an id, an ARN or a name. */
  readonly id: string;
  /** Its name; the id where it has none. */
  readonly name: string;
  /** Its tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; undefined where AWS does not tell. */
  readonly created?: number | undefined;
  /** A few words: type, state, size. */
  readonly detail?: string;
  /** VPC that it is in. */
  readonly vpcId?: string | undefined;
  /** What it is billed for. */
  readonly bill?: Bill;
  /** Whose region it is of, for kinds that belong to the whole account; undefined when not told. */
  readonly region?: string | undefined;
  /** Whether its full name is one that only this cluster uses. */
  readonly named?: boolean;
  /** Why it cannot be deleted here, whatever its tags say. */
  readonly keep?: string | undefined;
  /** What it is for, when it is meant to stay. */
  readonly purpose?: string | undefined;
}

/** What a resource is billed for; resources without one cost nothing. */
export type Bill =
  | { readonly of: "instance"; readonly type: string }
  | { readonly of: "volume"; readonly type: string; readonly gigabytes: number }
  | { readonly of: "file-system"; readonly gigabytes: number }
  | { readonly of: "control-plane"; readonly version: string }
  | { readonly of: "endpoint"; readonly zones: number }
  | { readonly of: "nat-gateway" | "public-ipv4" | "key" }
  | { readonly of: "unknown"; readonly note: string };

/** How a resource belongs to the cluster. */
export type Belonging =
  /** Its tags say so, and it may be deleted. */
  | "own"
  /** Only its name or a hint says so, or something speaks against it: it is told and stays. */
  | "suspect"
  /** It is meant to stay, for other clusters as well: it is told, and not counted. */
  | "kept";

/** A resource of the cluster. */
export interface Leak {
  /** The resource. */
  readonly resource: Resource;
  /** How it belongs to the cluster. */
  readonly belonging: Belonging;
  /** What says so: a tag, a name; for suspects also what keeps it. */
  readonly why: string;
}

/** Which cluster is looked for. */
export interface SweepScope {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Its region. */
  readonly region: string;
}

/** Identity of a resource in sets: kind and id. */
export function keyOf({ kind, id }: Pick<Resource, "kind" | "id">): string {
  return `${kind}/${id}`;
}
