/**
 * From 0.8: what a graph's pods may do in the API server to find each other.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { PLANNER_ACCOUNT } from "../names.ts";
import { controllerRef } from "../owner.ts";
import { type Graph, namespaceOf } from "../types.ts";

/** Name of the service account of a graph's pods. */
export function discoveryAccount(graph: string): string {
  return `${graph}-k8s-service-discovery`;
}

/** Rules of the Role that belongs to it. */
export const DISCOVERY_RULES = [
  { apiGroups: [""], resources: ["endpoints", "pods"], verbs: ["get", "list", "watch"] },
  {
    apiGroups: ["discovery.k8s.io"],
    resources: ["endpointslices"],
    verbs: ["get", "list", "watch"],
  },
  {
    apiGroups: ["nvidia.com"],
    resources: ["dynamoworkermetadatas"],
    verbs: ["create", "get", "list", "watch", "update", "patch", "delete"],
  },
] as const;

/** ServiceAccount, Role and RoleBinding of a graph, owned by it. */
export function discoveryObjects(graph: Graph): KubeObject[] {
  const account = discoveryAccount(graph.metadata.name);
  const metadata = (name: string) => ({
    name,
    namespace: namespaceOf(graph),
    ownerReferences: [controllerRef(graph)],
  });
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata(account) },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: metadata(`${account}-role`),
      rules: DISCOVERY_RULES,
    },
    binding(metadata(`${account}-binding`), account, { kind: "Role", name: `${account}-role` }),
  ];
}

/**
 * The planners' ServiceAccount and its RoleBinding, one pair a namespace. They have no
 * owner and stay when the graph goes, as with the real operator.
 */
export function plannerObjects(namespace: string, clusterRole: string): KubeObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: PLANNER_ACCOUNT, namespace },
    },
    binding({ name: `${PLANNER_ACCOUNT}-binding`, namespace }, PLANNER_ACCOUNT, {
      kind: "ClusterRole",
      name: clusterRole,
    }),
  ];
}

function binding(
  metadata: KubeObject["metadata"],
  account: string,
  role: { kind: "Role" | "ClusterRole"; name: string },
): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", ...role },
    subjects: [{ kind: "ServiceAccount", name: account, namespace: metadata.namespace }],
  };
}
