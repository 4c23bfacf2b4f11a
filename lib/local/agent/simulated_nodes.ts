/**
 * Which nodes are simulated. Pods on any other are a kubelet's business.
 *
 * @module
 */
import type { Kube } from "../../kube/types.ts";

/** Annotation by which kwok knows its nodes. */
export const KWOK_NODE = "kwok.x-k8s.io/node";

/** A question that is asked once for each node. */
export function simulatedNodes(kube: Pick<Kube, "get">): (name: string) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const node = await kube.get({ apiVersion: "v1", kind: "Node", name });
    if (node === undefined) return false;
    const simulated = node.metadata.annotations?.[KWOK_NODE] === "fake";
    known.set(name, simulated);
    return simulated;
  };
}
