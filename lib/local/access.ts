/**
 * Rights of the cluster's own clients: each gets what it does, and no more.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";
import { CLIENTS } from "./credentials.ts";
import { KWOK_RESOURCES } from "./kwok/crds.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const READ = ["get", "list", "watch"];
const WRITE = ["create", "update", "patch", "delete"];
const ALL = [...READ, ...WRITE];

function rule(group: string, resources: readonly string[], verbs: readonly string[]): Rule {
  return { apiGroups: [group], resources, verbs };
}

/** kwok: keeps nodes and their leases, reads pods and its own resources. */
const KWOK: readonly Rule[] = [
  rule("", ["nodes", "pods"], READ),
  rule("", ["nodes/status"], ["patch", "update"]),
  rule("", ["events"], ["create", "patch", "update"]),
  rule("coordination.k8s.io", ["leases"], [...READ, "create", "update", "patch"]),
  rule("kwok.x-k8s.io", KWOK_RESOURCES, READ),
];

/** Node agent: what a kubelet and a provisioner may, plus kwok's resources for logs and ports. */
const NODE_AGENT: readonly Rule[] = [
  rule("", ["nodes", "configmaps", "secrets", "services", "persistentvolumeclaims"], READ),
  rule("", ["pods"], [...READ, "delete", "patch"]),
  rule("", ["persistentvolumes"], [...READ, "create", "delete"]),
  rule("", ["pods/status"], ["patch", "update"]),
  rule("", ["events"], ["create", "patch", "update"]),
  rule("discovery.k8s.io", ["endpointslices"], READ),
  rule("nvidia.com", ["*"], READ),
  rule("kwok.x-k8s.io", KWOK_RESOURCES, ALL),
];

/**
 * Operator: the rights that the platform chart gives it cluster-wide (observed of 0.4.1 and
 * 1.5), without those for software that is not here (Grove, Volcano, Istio, LeaderWorkerSet).
 */
const OPERATOR: readonly Rule[] = [
  rule("nvidia.com", ["*"], ALL),
  rule("", ["configmaps", "serviceaccounts", "services", "persistentvolumeclaims"], ALL),
  rule("", ["secrets"], ALL),
  rule("", ["pods", "pods/log", "endpoints", "nodes", "namespaces"], READ),
  rule("", ["pods"], ["delete"]),
  rule("", ["events"], ["create", "patch", "update"]),
  rule("events.k8s.io", ["events"], ["create", "patch", "update"]),
  rule("apps", ["deployments", "deployments/status", "deployments/scale"], ALL),
  rule("apps", ["replicasets", "controllerrevisions"], READ),
  rule("batch", ["jobs"], ALL),
  rule("autoscaling", ["horizontalpodautoscalers"], ALL),
  rule("networking.k8s.io", ["ingresses", "ingressclasses"], ALL),
  rule("discovery.k8s.io", ["endpointslices"], READ),
  rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], ALL),
  rule("rbac.authorization.k8s.io", ["clusterroles"], READ),
  rule("coordination.k8s.io", ["leases"], ALL),
  rule("apiextensions.k8s.io", ["customresourcedefinitions"], [
    ...READ,
    "create",
    "update",
    "patch",
  ]),
  rule("admissionregistration.k8s.io", [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
  ], [...READ, "create", "update", "patch"]),
  rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
  rule("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
];

/** Roles and bindings of kwok, the node agent and the operator, without labels. */
export function accessObjects(): KubeObject[] {
  return [
    ...roleFor("kwok", CLIENTS.kwok.user, KWOK),
    ...roleFor("node-agent", CLIENTS["node-agent"].user, NODE_AGENT),
    ...roleFor("operator", CLIENTS.operator.user, OPERATOR),
  ];
}

function roleFor(name: string, user: string, rules: readonly Rule[]): KubeObject[] {
  const metadata = { name: `dynamo-eks:${name}` };
  const apiGroup = "rbac.authorization.k8s.io";
  const apiVersion = `${apiGroup}/v1`;
  return [
    { apiVersion, kind: "ClusterRole", metadata, rules },
    {
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata: { ...metadata },
      roleRef: { apiGroup, kind: "ClusterRole", name: metadata.name },
      subjects: [{ apiGroup, kind: "User", name: user }],
    },
  ];
}
