/**
 * When a Deployment counts as ready, by the real operator's rule, and its counts.
 *
 * @module
 */
import type { ComponentCounts, Deployment } from "./types.ts";

/**
 * Ready: seen in its current generation, all replicas updated and available, condition
 * Available. No replicas asked for is always ready.
 */
export function isDeploymentReady(deployment: Deployment | undefined): boolean {
  if (deployment === undefined) return false;
  const wanted = deployment.spec.replicas ?? 1;
  if (wanted === 0) return true;
  const status = deployment.status ?? {};
  if ((status.observedGeneration ?? 0) < (deployment.metadata.generation ?? 0)) return false;
  if ((status.updatedReplicas ?? 0) < wanted || (status.availableReplicas ?? 0) < wanted) {
    return false;
  }
  return status.conditions?.some((one) => one.type === "Available" && one.status === "True") ??
    false;
}

/** Counts of a component's Deployment, as they appear in the newest statuses. */
export function deploymentCounts(
  deployment: Deployment,
  runtimeNamespace: string,
): ComponentCounts {
  const status = deployment.status ?? {};
  return {
    componentKind: "Deployment",
    componentNames: [deployment.metadata.name],
    replicas: status.replicas ?? 0,
    updatedReplicas: status.updatedReplicas ?? 0,
    readyReplicas: status.readyReplicas ?? 0,
    availableReplicas: status.availableReplicas ?? 0,
    runtimeNamespace,
  };
}

/** Counts of several generations of one component together. */
export function addCounts(all: readonly ComponentCounts[]): ComponentCounts | undefined {
  const first = all[0];
  if (first === undefined) return undefined;
  return all.slice(1).reduce((sum, one) => ({
    ...sum,
    componentNames: [...sum.componentNames ?? [], ...one.componentNames ?? []].sort(),
    replicas: sum.replicas + one.replicas,
    updatedReplicas: sum.updatedReplicas + one.updatedReplicas,
    readyReplicas: sum.readyReplicas + one.readyReplicas,
    availableReplicas: sum.availableReplicas + one.availableReplicas,
  }), first);
}
