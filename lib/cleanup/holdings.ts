/**
 * What in a cluster has something outside it that bills: Services and Ingresses with load
 * balancers, claims with disks, Karpenter's nodes. And whose it is.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import { GRAPH_KIND } from "../deploy/graph_state.ts";
import { REQUEST_API_VERSION, REQUEST_KIND } from "../graph/render_request.ts";
import type { KindRef, Kube, KubeObject, ObjectRef } from "../kube/types.ts";

/** One object of the cluster. */
export interface Holding {
  /** Which object. */
  readonly ref: ObjectRef;
  /** That very object, not another of its name. */
  readonly uid: string;
  /** Whether these tasks or terraform brought it. */
  readonly ours: boolean;
  /** A few words: size, class, address. */
  readonly detail: string;
}

/** A claim and its volume. */
export interface Claim extends Holding {
  /** Name of its volume; undefined until it has one. */
  readonly volume: string | undefined;
}

/** What a cluster holds. */
export interface Holdings {
  /** Services of type LoadBalancer, Ingresses and Gateways that the AWS controller acts on. */
  readonly balancers: readonly Holding[];
  /** All claims. */
  readonly claims: readonly Claim[];
  /** Karpenter's node pools, then claims of nodes, then node classes. */
  readonly nodes: readonly Holding[];
  /** Namespaces in which graphs or requests for graphs are. */
  readonly graphNamespaces: readonly string[];
  /** Namespaces of others in which pods are. */
  readonly strangers: readonly string[];
}

/** Kinds of Karpenter (1.0 and later), in the order in which they go. */
export const NODE_KINDS = {
  pool: { apiVersion: "karpenter.sh/v1", kind: "NodePool" },
  claim: { apiVersion: "karpenter.sh/v1", kind: "NodeClaim" },
  class: { apiVersion: "karpenter.k8s.aws/v1", kind: "EC2NodeClass" },
} as const;

const CLAIM = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;
const LABEL = "app.kubernetes.io/managed-by";

/** Namespaces that the charts of `terraform/` are in, but for kube-system, which is everybody's. */
const CHART_NAMESPACES: readonly string[] = [
  "argocd",
  "gpu-operator",
  "grove-system",
  "kai-scheduler",
  "kube-prometheus-stack",
  "lws-system",
  "nvidia-device-plugin",
];

/**
 * Looks; changes nothing. An object is ours when it carries our label, belongs to the platform's
 * release, or lies in a namespace that these tasks or terraform's charts have to themselves.
 */
export async function findHoldings(
  kube: Kube,
  where: {
    /** Namespace of the platform. */
    readonly namespace: string;
    /** Release of the platform. */
    readonly release: Pick<Release, "graphApiVersion">;
  },
): Promise<Holdings> {
  const listed = async (kind: KindRef) => (await kube.list(kind)).items;
  const [namespaces, pods, services, ingresses, gateways, claims, graphs, requests, ...nodes] =
    await Promise.all([
      listed({ apiVersion: "v1", kind: "Namespace" }),
      listed({ apiVersion: "v1", kind: "Pod" }),
      listed({ apiVersion: "v1", kind: "Service" }),
      listed({ apiVersion: "networking.k8s.io/v1", kind: "Ingress" }),
      listed({ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" }),
      listed(CLAIM),
      listed({ apiVersion: where.release.graphApiVersion, kind: GRAPH_KIND }),
      listed({ apiVersion: REQUEST_API_VERSION, kind: REQUEST_KIND }),
      ...Object.values(NODE_KINDS).map(listed),
    ]);
  const own = new Set([
    ...CHART_NAMESPACES,
    ...namespaces.filter(isLabelled).map((one) => one.metadata.name),
  ]);
  const isOurs = (object: KubeObject) => {
    const { namespace, labels = {} } = object.metadata;
    return isLabelled(object) || (namespace !== undefined && own.has(namespace)) ||
      (namespace === where.namespace && labels["app.kubernetes.io/instance"] === "dynamo-platform");
  };
  const holding = (object: KubeObject, detail: string): Holding => ({
    ref: refOf(object),
    uid: object.metadata.uid ?? "",
    ours: isOurs(object),
    detail,
  });
  const [pools = []] = nodes;
  const ownPools = new Set(pools.filter(isOurs).map(({ metadata }) => metadata.name));
  const balanced = [
    ...services.filter((one) => one["spec"]?.type === "LoadBalancer"),
    ...[...ingresses, ...gateways].filter(isAwsBalanced),
  ];
  return {
    balancers: balanced.map((one) => holding(one, addressOf(one))),
    claims: claims.map((one) => ({
      ...holding(one, claimDetail(one)),
      volume: one["spec"]?.volumeName,
    })),
    nodes: nodes.flat().map((one) => ({
      ...holding(one, one["status"]?.nodeName ?? ""),
      ours: isOurs(one) || ownPools.has(poolOf(one) ?? ""),
    })),
    graphNamespaces: namespacesOf([...requests, ...graphs]),
    strangers: namespacesOf(pods).filter((one) =>
      one !== where.namespace && !one.startsWith("kube-") && !own.has(one)
    ),
  };
}

function namespacesOf(objects: readonly KubeObject[]): string[] {
  return [...new Set(objects.map((one) => one.metadata.namespace ?? ""))].sort();
}

/** `Service team/web (k8s-team-web.elb.amazonaws.com)`. */
export function holdingText({ ref, detail, ours }: Holding): string {
  const { kind, namespace, name } = ref;
  const words = [detail, ours ? "" : "not made by these tasks"].filter((one) => one !== "");
  const about = words.length === 0 ? "" : ` (${words.join(", ")})`;
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}${about}`;
}

/** Names an object. */
export function refOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function isLabelled({ metadata }: KubeObject): boolean {
  return metadata.labels?.[LABEL] === "dynamo-eks";
}

/** The load balancer controller puts finalizers of its own on what it has made something for. */
function isAwsBalanced({ metadata, spec }: KubeObject): boolean {
  return (metadata.finalizers ?? []).some((one) => one.includes("k8s.aws")) ||
    spec?.ingressClassName === "alb" ||
    metadata.annotations?.["kubernetes.io/ingress.class"] === "alb";
}

function addressOf({ status }: KubeObject): string {
  const [first] = status?.loadBalancer?.ingress ?? status?.addresses ?? [];
  return first?.hostname ?? first?.value ?? first?.ip ?? "";
}

function claimDetail({ spec, status }: KubeObject): string {
  const size = status?.capacity?.storage ?? spec?.resources?.requests?.storage ?? "";
  return [size, spec?.storageClassName ?? ""].filter((one) => one !== "").join(" of ");
}

/** The pool that a claim of a node was made for; undefined for other kinds. */
export function poolOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.["karpenter.sh/nodepool"];
}
