/**
 * The scheduler's message about a pod that fits nowhere, taken apart. Pure.
 *
 * @module
 */

/** Why some nodes were turned down. */
export interface NodeRefusal {
  /** How many nodes. */
  readonly nodes: number;
  /** In the scheduler's words, for example `Insufficient nvidia.com/gpu`. */
  readonly reason: string;
}

/** A message of kube-scheduler. */
export interface SchedulerMessage {
  /** Nodes of the cluster; undefined when the message has another form. */
  readonly nodes: number | undefined;
  /** Why they were turned down; a node may have several reasons. */
  readonly refusals: readonly NodeRefusal[];
}

// Taints that come and go by themselves: a node that starts, is cordoned, or is being replaced.
const PASSING_TAINT =
  /^(node\.kubernetes\.io\/|node\.cloudprovider\.kubernetes\.io\/|karpenter\.sh\/|ebs\.csi\.aws\.com\/agent-not-ready|efs\.csi\.aws\.com\/agent-not-ready|node\.cilium\.io\/)/;

/**
 * Reads `0/6 nodes are available: 2 Insufficient nvidia.com/gpu, 4 node(s) didn't match …. no new
 * claims to deallocate, preemption: …` (kube-scheduler, all supported versions).
 */
export function readSchedulerMessage(message: string): SchedulerMessage {
  const head = /^0\/(\d+) nodes are available(?::\s*)?/.exec(message);
  if (head === null) {
    return { nodes: undefined, refusals: message === "" ? [] : [{ nodes: 0, reason: message }] };
  }
  const rest = message.slice(head[0].length).split(/\.?\s+(?:no new claims|preemption:)/)[0]!;
  const refusals = rest.split(/,\s+(?=\d+ )/).flatMap((part): NodeRefusal[] => {
    const [, nodes, reason] = /^(\d+) (?:node\(s\) )?(.*?)\.?$/s.exec(part.trim()) ?? [];
    if (reason !== undefined) return [{ nodes: Number(nodes), reason }];
    // Such as `pod has unbound immediate PersistentVolumeClaims`, which is about no node.
    const text = part.trim().replace(/\.$/, "");
    return text === "" ? [] : [{ nodes: 0, reason: text }];
  });
  return { nodes: Number(head[1]), refusals };
}

/** Taints of `had untolerated taint(s) {a: b}` that do not go by themselves; empty for others. */
export function lastingTaints(reason: string): string[] {
  const taints = [...reason.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside]) =>
    inside!.split(/,\s*/).map((one) => one.trim().replace(/:\s*$/, "").replace(/:\s+/, "="))
  );
  if (!/untolerated taint/.test(reason)) return [];
  return taints.filter((taint) => taint !== "" && !PASSING_TAINT.test(taint));
}

/** Whether a reason is about volumes, which `storage.ts` explains. */
export function isAboutVolumes(reason: string): boolean {
  return /persistentvolume|volume/i.test(reason);
}
