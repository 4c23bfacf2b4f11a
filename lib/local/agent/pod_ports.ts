/**
 * A pod's local ports: kept in its record, and shown to kwok for `kubectl port-forward`.
 *
 * @module
 */
import type { AgentParts } from "./agent_parts.ts";
import { writePodRecord } from "./container_files.ts";
import type { PodPorts } from "./container_plan.ts";
import { portForwardObject } from "./kubelet_objects.ts";
import { type Pod, podUid } from "./pod_types.ts";

/** The ports of one pod. */
export interface PodPortsKeeper extends PodPorts {
  /** Takes them again after the network has become another one. */
  refresh(): Promise<void>;
  /** Gives all back. */
  release(): Promise<void>;
}

/** Keeps a pod's ports, beginning with those it had. */
export function podPorts(
  parts: AgentParts,
  pod: () => Pod,
  podIP: string,
  before: Readonly<Record<string, number>>,
): PodPortsKeeper {
  let ports: Record<string, number> = { ...before };
  let networkId: string | undefined;
  let announced: string | undefined;

  const announce = async () => {
    const text = JSON.stringify(ports);
    if (announced === text) return;
    const { name, namespace = "default" } = pod().metadata;
    const record = { namespace, name, uid: podUid(pod()), podIP, ports };
    await writePodRecord(parts.ctx, parts.config.layout, record);
    const object = portForwardObject(pod(), ports);
    if (object !== undefined) await parts.kube.apply(object);
    announced = text;
  };
  const refresh = async () => {
    const network = parts.network();
    if (networkId !== network.id) {
      const again: Record<string, number> = {};
      for (const [port, local] of Object.entries(ports)) again[port] = await network.open(local);
      ports = again;
      networkId = network.id;
    }
    await announce();
  };
  return {
    get current() {
      return ports;
    },
    refresh,
    async ensure(containerPorts) {
      const network = parts.network();
      for (const port of containerPorts) ports[port] ??= await network.open();
      await announce();
    },
    async release() {
      for (const port of Object.values(ports)) await parts.network().release(port);
    },
  };
}
