/**
 * Names and labels of the platform's objects.
 *
 * @module
 */
import type { KindRef } from "../../kube/types.ts";

/** Name of the Helm release that the real chart is installed as. */
export const PLATFORM = "dynamo-platform";

/** Name of the operator's Deployment. */
export const OPERATOR_NAME = "dynamo-platform-dynamo-operator-controller-manager";

/** Node pool of everything that needs no GPU. */
export const CPU_POOL = "cpu-karpenter";

/** Labels of the platform's objects; `name` is the part of the platform. */
export function platformLabels(name: string, version: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/instance": PLATFORM,
    "app.kubernetes.io/part-of": PLATFORM,
    "app.kubernetes.io/version": labelValue(version),
    "app.kubernetes.io/managed-by": "dynamo-eks",
  };
}

/** Selector of the platform's objects. */
export const PLATFORM_SELECTOR =
  `app.kubernetes.io/managed-by=dynamo-eks,app.kubernetes.io/instance=${PLATFORM}`;

function labelValue(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 63).replace(
    /^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g,
    "",
  );
}

/** Kinds of the platform's objects in its namespace, workloads first. */
export const PLATFORM_KINDS: readonly KindRef[] = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" },
  { apiVersion: "v1", kind: "ServiceAccount" },
];
