/**
 * A pod's local ports: kept in its record, and shown to kwok for `kubectl port-forward`.
 *
 * @module
 */
import type { AgentParts } from "./agent_parts.ts";
import { writePodRecord } from "./container_files.ts";
import type { PodPorts } from "./container_plan.ts";
import { containerImage } from "./container_image.ts";
import { portForwardObject } from "./kubelet_objects.ts";
import { publicNetwork } from "./network.ts";
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
  // The operator talks to the API server and so runs outside the private network: the relay
  // must not hold its ports.
  const outside = (pod().spec?.containers ?? []).some((container) =>
    containerImage(container.image ?? "").kind === "operator"
  );
  const machine = publicNetwork(parts.ctx, "runs outside the private network");
  const network = () => outside ? machine : parts.network();

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
    const current = network();
    if (networkId !== current.id) {
      const again: Record<string, number> = {};
      for (const [port, local] of Object.entries(ports)) again[port] = await current.open(local);
      ports = again;
      networkId = current.id;
    }
    await announce();
  };
  return {
    get current() {
      return ports;
    },
    refresh,
    async ensure(containerPorts) {
      const current = network();
      for (const port of containerPorts) ports[port] ??= await current.open();
      await announce();
    },
    async release() {
      for (const port of Object.values(ports)) await network().release(port);
    },
  };
}
