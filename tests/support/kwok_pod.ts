/**
 * A pod of kwok whose ports are servers of the test's, seen through a real API server.
 *
 * @module
 */
import type { Kube } from "../../lib/kube/types.ts";

/** The pod. */
export interface KwokPod {
  /** Name. */
  readonly name: string;
  /** Namespace. */
  readonly namespace: string;
}

const POD = { apiVersion: "v1", kind: "Pod" };

/**
 * Runs `body` with a pod "web" on a simulated node of its own, and takes both away.
 *
 * @param ports Ports of this machine by port of the pod.
 */
export async function withKwokPod(
  kube: Kube,
  namespace: string,
  ports: Readonly<Record<number, number>>,
  body: (pod: KwokPod) => Promise<void>,
): Promise<void> {
  const node = { apiVersion: "v1", kind: "Node", name: namespace };
  const metadata = { name: "web", namespace };
  try {
    await kube.apply({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: node.name, annotations: { "kwok.x-k8s.io/node": "fake" } },
      spec: { taints: [{ key: "kube-test", value: namespace, effect: "NoSchedule" }] },
      status: { allocatable: { cpu: "1", memory: "1Gi", pods: "10" } },
    });
    const forwards = Object.entries(ports).map(([port, local]) => ({
      ports: [Number(port)],
      target: { address: "127.0.0.1", port: local },
    }));
    await kube.apply({
      apiVersion: "kwok.x-k8s.io/v1alpha1",
      kind: "PortForward",
      metadata,
      spec: { forwards },
    });
    await kube.apply({
      ...POD,
      metadata,
      spec: {
        containers: [{ name: "main", image: "none" }],
        nodeName: node.name,
        tolerations: [{ key: "kube-test", operator: "Exists" }],
      },
    });
    // Where an agent runs the pods, nobody says that they are ready but this.
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    await kube.patch({ ...POD, ...metadata }, "merge", { status }, "status");
    await body(metadata);
  } finally {
    await kube.delete({ ...POD, ...metadata }, { gracePeriodSeconds: 0 });
    await kube.delete(node);
  }
}
