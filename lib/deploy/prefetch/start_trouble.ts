/**
 * Why the pod of a download does not run: what `deploy` finds out of a graph's pods.
 *
 * @module
 */
import type { Kube, KubeObject } from "../../kube/types.ts";
import { diagnoseImages } from "../diagnosis/image.ts";
import { makePatience } from "../diagnosis/patience.ts";
import { diagnosePlacement } from "../diagnosis/placement.ts";
import { diagnoseStorage } from "../diagnosis/storage.ts";
import type { ClusterFacts, ComponentObjects, Diagnosis } from "../diagnosis/types.ts";

/** What was found. */
export interface StartTrouble {
  /** What it waits for, in words. */
  readonly text: string;
  /** What waiting cannot mend. */
  readonly final: Diagnosis | undefined;
}

/** Looks at pods that do not run; keeps in mind how long something has stood. */
export function startTrouble(
  kube: Pick<Kube, "list">,
  namespace: string,
): { look(pods: readonly KubeObject[], now: number): Promise<StartTrouble> } {
  const patience = makePatience();
  return {
    async look(pods, now) {
      if (pods.length === 0) return { text: "waiting for a pod", final: undefined };
      const component: ComponentObjects = {
        name: "the download",
        componentDeployments: [],
        deployments: [],
        pods,
      };
      const facts = await readFacts(kube, namespace, component);
      const found = [diagnoseStorage, diagnosePlacement, diagnoseImages]
        .flatMap((look) => look(facts, component));
      const final = patience.judge(found, now);
      return { text: found[0]?.cause ?? "the pod is starting", final };
    },
  };
}

async function readFacts(
  kube: Pick<Kube, "list">,
  namespace: string,
  component: ComponentObjects,
): Promise<ClusterFacts> {
  // What may not be read is not known.
  const list = async (apiVersion: string, kind: string, inNamespace = true) => {
    try {
      return (await kube.list({ apiVersion, kind }, inNamespace ? { namespace } : {})).items;
    } catch {
      return undefined;
    }
  };
  const [events, pods, claims, nodes, nodePools, nodeClaims, storageClasses] = await Promise.all([
    list("v1", "Event"),
    list("v1", "Pod"),
    list("v1", "PersistentVolumeClaim"),
    list("v1", "Node", false),
    list("karpenter.sh/v1", "NodePool", false),
    list("karpenter.sh/v1", "NodeClaim", false),
    list("storage.k8s.io/v1", "StorageClass", false),
  ]);
  return {
    graph: { apiVersion: "batch/v1", kind: "Job", metadata: { name: component.name, namespace } },
    components: [component],
    events: events ?? [],
    pods: pods ?? [],
    claims: claims ?? [],
    nodes,
    // A list of a kind that is not served is empty; the embedded cluster has no Karpenter.
    nodePools: nodePools?.length === 0 ? undefined : nodePools,
    nodeClaims,
    storageClasses,
    operators: undefined,
    logs: new Map(),
  };
}
