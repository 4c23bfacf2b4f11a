/**
 * The platform's objects as its chart makes them: operator, accounts, and etcd and NATS
 * where the release needs them. Pure.
 *
 * @module
 */
import type { Release } from "../../blueprint/types.ts";
import type { KubeObject } from "../../kube/types.ts";
import { DISCOVERY_RULES } from "./current/discovery_rbac.ts";
import { featuresOf } from "./features.ts";
import { LABEL, PLANNER_ACCOUNT, PLANNER_CLUSTER_ROLE } from "./names.ts";
import { CPU_POOL, OPERATOR_NAME, PLATFORM, platformLabels } from "./platform_names.ts";
import { brokerObjects, etcdAddress, natsAddress } from "./platform_services.ts";

/** All objects of the platform but its CustomResourceDefinitions, in the order to apply them. */
export function platformObjects(release: Release, namespace: string): KubeObject[] {
  const labels = platformLabels("dynamo-operator", release.version);
  const legacy = featuresOf(release).behaviour === "legacy";
  const options = { namespace, version: release.version };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: platformLabels(PLATFORM, release.version) },
    },
    account(OPERATOR_NAME, namespace, labels),
    ...operatorRights(namespace, labels),
    // Pods of 0.4.1 run as the account with this label; later ones as an account of their graph.
    account(`${PLATFORM}-dynamo-operator-component`, namespace, {
      ...labels,
      [LABEL.componentPod]: "true",
    }),
    ...plannerRights(namespace, labels, legacy),
    ...(release.needs.etcd ? brokerObjects("etcd", options) : []),
    ...(release.needs.nats ? brokerObjects("nats", options) : []),
    operatorDeployment(release, namespace, labels),
  ];
}

function account(name: string, namespace: string, labels: Record<string, string>): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, labels } };
}

const RBAC = "rbac.authorization.k8s.io";
const READ = ["get", "list", "watch"];
const ALL = [...READ, "create", "update", "patch", "delete"];

/** What the operator does in the API server. */
const OPERATOR_RULES = [
  { apiGroups: ["nvidia.com"], resources: ["*"], verbs: ALL },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ALL },
  {
    apiGroups: [""],
    resources: ["services", "serviceaccounts", "persistentvolumeclaims"],
    verbs: ALL,
  },
  { apiGroups: [""], resources: ["secrets"], verbs: READ },
  { apiGroups: [RBAC], resources: ["roles", "rolebindings"], verbs: ALL },
  {
    apiGroups: ["apiextensions.k8s.io"],
    resources: ["customresourcedefinitions"],
    verbs: [...READ, "patch"],
  },
  ...DISCOVERY_RULES,
] as const;

function operatorRights(namespace: string, labels: Record<string, string>): KubeObject[] {
  const name = `${PLATFORM}-dynamo-operator-manager-role`;
  return [
    {
      apiVersion: `${RBAC}/v1`,
      kind: "ClusterRole",
      metadata: { name, labels },
      rules: OPERATOR_RULES,
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: `${PLATFORM}-dynamo-operator-manager-rolebinding`, labels },
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name: OPERATOR_NAME, namespace }],
    },
  ];
}

/** Planners scale graphs. Up to 0.7 their account is the platform's, later the operator's work. */
function plannerRights(
  namespace: string,
  labels: Record<string, string>,
  legacy: boolean,
): KubeObject[] {
  const role: KubeObject = {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRole",
    metadata: { name: PLANNER_CLUSTER_ROLE, labels },
    rules: [
      {
        apiGroups: ["nvidia.com"],
        resources: ["dynamographdeployments", "dynamocomponentdeployments"],
        verbs: [...READ, "create", "update", "patch"],
      },
      { apiGroups: ["apps"], resources: ["deployments"], verbs: READ },
    ],
  };
  if (!legacy) return [role];
  return [role, account(PLANNER_ACCOUNT, namespace, labels), {
    apiVersion: `${RBAC}/v1`,
    kind: "RoleBinding",
    metadata: { name: `${PLANNER_ACCOUNT}-binding`, namespace, labels },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: PLANNER_CLUSTER_ROLE },
    subjects: [{ kind: "ServiceAccount", name: PLANNER_ACCOUNT, namespace }],
  }];
}

function operatorDeployment(
  release: Release,
  namespace: string,
  labels: Record<string, string>,
): KubeObject {
  const selector = {
    "app.kubernetes.io/name": "dynamo-operator",
    "app.kubernetes.io/instance": PLATFORM,
    "control-plane": "controller-manager",
  };
  const podLabels = { ...labels, ...selector };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: OPERATOR_NAME, namespace, labels: podLabels },
    spec: {
      replicas: 1,
      selector: { matchLabels: selector },
      // Two operators at once would undo each other's work.
      strategy: { type: "Recreate" },
      template: {
        metadata: {
          labels: podLabels,
          annotations: { "kubectl.kubernetes.io/default-container": "manager" },
        },
        spec: {
          serviceAccountName: OPERATOR_NAME,
          nodeSelector: { "karpenter.sh/nodepool": CPU_POOL },
          terminationGracePeriodSeconds: 10,
          containers: [operatorContainer(release, namespace)],
        },
      },
    },
  };
}

function operatorContainer(release: Release, namespace: string): Record<string, unknown> {
  const check = (path: string, periodSeconds: number, initialDelaySeconds: number) => ({
    httpGet: { path, port: 8081 },
    initialDelaySeconds,
    periodSeconds,
  });
  return {
    name: "manager",
    image: `nvcr.io/nvidia/ai-dynamo/kubernetes-operator:${release.imageTag}`,
    command: ["/manager"],
    args: [
      "--health-probe-bind-address=:8081",
      "--metrics-bind-address=127.0.0.1:8080",
      ...(release.needs.nats ? [`--natsAddr=${natsAddress(namespace)}`] : []),
      ...(release.needs.etcd ? [`--etcdAddr=${etcdAddress(namespace)}`] : []),
    ],
    ports: [{ name: "health", containerPort: 8081, protocol: "TCP" }],
    livenessProbe: check("/healthz", 20, 15),
    readinessProbe: check("/readyz", 1, 0),
    resources: {
      limits: { cpu: "1024m", memory: "2Gi" },
      requests: { cpu: "100m", memory: "128Mi" },
    },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
}
