/**
 * A kubelet's part for tests of controllers: each scheduled pod is said to run and be ready.
 *
 * @module
 */
import type { Kube, KubeObject } from "../../lib/kube/types.ts";

/** Makes pods of a namespace ready, and lets deleted ones go, until the signal. */
export async function readyPods(kube: Kube, namespace: string, signal: AbortSignal): Promise<void> {
  const pod = { apiVersion: "v1", kind: "Pod" } as const;
  for await (const event of kube.watch(pod, { namespace, signal })) {
    const pods = event.type === "SYNC" ? event.items : [event.object];
    if (event.type === "DELETED") continue;
    await Promise.all(pods.map((one) => readyPod(kube, one)));
  }
}

async function readyPod(kube: Kube, pod: KubeObject): Promise<void> {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const ref = { apiVersion: "v1", kind: "Pod", name, namespace };
  if (deletionTimestamp !== undefined) {
    await kube.delete(ref, { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { uid }) });
    return;
  }
  if (pod["spec"].nodeName === undefined || pod["status"]?.phase === "Running") return;
  const now = new Date().toISOString();
  const conditions = ["Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: now,
  }));
  const containerStatuses = pod["spec"].containers.map((one: { name: string; image: string }) => ({
    name: one.name,
    image: one.image,
    imageID: "",
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: now } },
  }));
  await kube.patch(ref, "merge", {
    status: { phase: "Running", podIP: "127.0.0.1", conditions, containerStatuses },
  }, "status").catch((error) => {
    // It was deleted meanwhile.
    if (error.code !== "KUBE_NOTFOUND") throw error;
  });
}
