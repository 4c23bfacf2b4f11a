/**
 * Objects by which kwok, which speaks the kubelet's API, finds a pod's logs and ports.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
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
      // Garbage collection takes them away with the pod: even when nobody is here to do it, and
      // not when a new pod of the same name has taken them over meanwhile.
      ownerReferences: [{
        apiVersion: "v1",
        kind: "Pod",
        name: pod.metadata.name,
        uid: podUid(pod),
      }],
    },
  };
}
