/**
 * Whether a workload runs as its spec says.
 *
 * @module
 */
import type { KubeObject } from "./types.ts";

/**
 * Whether a Deployment, StatefulSet or DaemonSet has been seen by its controller in this
 * generation, and has all its pods, ready and none of an earlier one.
 */
export function isRolledOut({ kind, spec = {}, status = {}, metadata }: KubeObject): boolean {
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  if (kind === "DaemonSet") {
    const wanted = status.desiredNumberScheduled ?? 0;
    return (status.numberReady ?? 0) >= wanted && (status.updatedNumberScheduled ?? 0) >= wanted;
  }
  const wanted = spec.replicas ?? 1;
  const updated = status.updatedReplicas ?? 0;
  return updated >= wanted && (status.replicas ?? 0) <= updated &&
    (status.readyReplicas ?? 0) >= wanted;
}
