/**
 * Finds the local process behind a Service.
 *
 * @module
 */
import type { Kube } from "../../kube/types.ts";
import type { Pod } from "./pod_types.ts";
import { longRunning, portNumber } from "./ports.ts";
import type { ServiceAddress } from "./service_address.ts";

/** A pod with its local ports. */
export interface ServedPod {
  /** The pod. */
  readonly pod: Pod;
  /** Local ports by the containers' ports. */
  readonly ports: Readonly<Record<string, number>>;
}

interface ServicePort {
  readonly port: number;
  readonly targetPort?: number | string;
}

/** `127.0.0.1:<port>` of a pod behind the Service; undefined while there is none. */
export async function resolveService(
  kube: Pick<Kube, "get">,
  pods: Iterable<ServedPod>,
  address: ServiceAddress,
): Promise<string | undefined> {
  const service = await kube.get({
    apiVersion: "v1",
    kind: "Service",
    name: address.service,
    namespace: address.namespace,
  });
  const selector: Record<string, string> = service?.spec?.selector ?? {};
  const ports: ServicePort[] = service?.spec?.ports ?? [];
  const served = ports.find(({ port }) => port === address.port);
  if (served === undefined || Object.keys(selector).length === 0) return undefined;
  for (const { pod, ports: local } of pods) {
    const { namespace, labels = {}, deletionTimestamp } = pod.metadata;
    if (namespace !== address.namespace || deletionTimestamp !== undefined) continue;
    if (!Object.entries(selector).every(([name, value]) => labels[name] === value)) continue;
    const target = portNumber(served.targetPort ?? served.port, longRunning(pod));
    const port = target === undefined ? undefined : local[target];
    if (port !== undefined) return `127.0.0.1:${port}`;
  }
  return undefined;
}
