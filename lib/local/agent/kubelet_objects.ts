/**
 * Objects by which kwok, which speaks the kubelet's API, finds a pod's logs and ports.
 *
 * @module
 */
import { messageOf } from "../../cli/errors.ts";
import type { Context } from "../../cli/context.ts";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { type Pod, podUid } from "./pod_types.ts";

const API_VERSION = "kwok.x-k8s.io/v1alpha1";

/** File of a container's log that is being written. */
export function currentLog(folder: string, container: string): string {
  return `${folder}/${container}/current.log`;
}

/** File of the log before the last restart. */
export function previousLog(folder: string, container: string): string {
  return `${folder}/${container}/previous.log`;
}

/** Where `kubectl logs` finds each container's log. Both files keep their names through restarts. */
export function logsObject(pod: Pod, folder: string, containers: readonly string[]): KubeObject {
  return {
    ...owned(pod, "Logs"),
    spec: {
      logs: containers.map((container) => ({
        containers: [container],
        logsFile: currentLog(folder, container),
        previousLogsFile: previousLog(folder, container),
      })),
    },
  };
}

/** Where `kubectl port-forward` leads; undefined when the pod has no ports. */
export function portForwardObject(
  pod: Pod,
  ports: Readonly<Record<string, number>>,
): KubeObject | undefined {
  const entries = Object.entries(ports);
  if (entries.length === 0) return undefined;
  return {
    ...owned(pod, "PortForward"),
    spec: {
      forwards: entries.map(([containerPort, port]) => ({
        ports: [Number(containerPort)],
        target: { address: "127.0.0.1", port },
      })),
    },
  };
}

function owned(pod: Pod, kind: string): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name: pod.metadata.name,
      namespace: pod.metadata.namespace ?? "default",
      labels: { "app.kubernetes.io/managed-by": "dynamo-eks" },
      // Garbage collection takes them away with the pod, even when nobody is here to do it.
      ownerReferences: [{
        apiVersion: "v1",
        kind: "Pod",
        name: pod.metadata.name,
        uid: podUid(pod),
      }],
    },
  };
}

/** Removes both objects of a pod, unless a new pod of that name has taken them over. */
export async function removeKubeletObjects(
  ctx: Pick<Context, "ui">,
  kube: Kube,
  pod: Pod,
): Promise<void> {
  for (const kind of ["Logs", "PortForward"]) {
    const { name, namespace } = pod.metadata;
    const ref = { apiVersion: API_VERSION, kind, name, namespace };
    try {
      const object = await kube.get(ref);
      const uid = object?.metadata.uid;
      const ours = object?.metadata.ownerReferences?.some((owner) => owner.uid === podUid(pod));
      if (ours === true) await kube.delete(ref, uid === undefined ? {} : { uid });
    } catch (error) {
      ctx.ui.debug(`${kind} of ${name}: ${messageOf(error)}`);
    }
  }
}
