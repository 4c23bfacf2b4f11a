/**
 * The pod behind a Service.
 *
 * @module
 */
import { preconditionError, TaskError } from "../cli/errors.ts";
import type { Kube, KubeObject } from "./types.ts";

/** A port of a Service. */
export interface ServicePort {
  /** Namespace of the Service. */
  readonly namespace: string;
  /** Name of the Service. */
  readonly service: string;
  /** Number or name of the Service's port. */
  readonly port: number | string;
}

/** A port of a pod. */
export interface PodPort {
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Name of the pod. */
  readonly name: string;
  /** Number of the container's port. */
  readonly port: number;
}

/**
 * Finds a ready pod behind a Service and the port of its container, as
 * `kubectl port-forward svc/…` does; the oldest of several.
 *
 * @throws {TaskError} SERVICE_MISSING, SERVICE_PORT_UNKNOWN or SERVICE_NO_SELECTOR (exit code 3),
 * SERVICE_NOT_READY when no pod behind it is ready (exit code 1).
 */
export async function resolveServicePod(kube: Kube, wanted: ServicePort): Promise<PodPort> {
  const { namespace, service: name } = wanted;
  const label = `Service ${namespace}/${name}`;
  const service = await kube.get({ apiVersion: "v1", kind: "Service", name, namespace });
  if (service === undefined) {
    throw preconditionError(
      "SERVICE_MISSING",
      `There is no ${label}`,
      "deno task status shows what is deployed.",
    );
  }
  const servicePort = findPort(service, wanted.port, label);
  const selector: Record<string, string> = service["spec"]?.selector ?? {};
  if (Object.keys(selector).length === 0) {
    throw preconditionError("SERVICE_NO_SELECTOR", `${label} selects no pods`);
  }
  const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
    namespace,
    labelSelector: Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(","),
  });
  const pod = items.filter(isReadyPod).sort(byAge)[0];
  if (pod === undefined) throw notReady(label, items);
  return { namespace, name: pod.metadata.name, port: targetPort(service, servicePort, pod, label) };
}

/** Whether a pod runs, is ready, and is not being deleted. */
export function isReadyPod(pod: KubeObject): boolean {
  const conditions: readonly { readonly type: string; readonly status: string }[] =
    pod["status"]?.conditions ?? [];
  return pod.metadata.deletionTimestamp === undefined &&
    conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

interface PortOfService {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
}

interface PortOfContainer {
  readonly name?: string;
  readonly containerPort: number;
}

function findPort(service: KubeObject, wanted: number | string, label: string): PortOfService {
  const ports: readonly PortOfService[] = service["spec"]?.ports ?? [];
  const found = ports.find(({ port, name }) => port === wanted || name === wanted);
  if (found !== undefined) return found;
  const known = ports.map(({ port, name }) => name === undefined ? `${port}` : `${port} (${name})`);
  throw preconditionError(
    "SERVICE_PORT_UNKNOWN",
    `${label} has no port ${wanted}`,
    `Its ports: ${known.join(", ") || "none"}.`,
  );
}

function targetPort(
  service: KubeObject,
  { port, targetPort }: PortOfService,
  pod: KubeObject,
  label: string,
): number {
  if (typeof targetPort === "string") {
    const spec = pod["spec"] ?? {};
    const ports: readonly PortOfContainer[] = [
      ...spec.containers ?? [],
      ...spec.initContainers ?? [],
    ].flatMap((container) => container.ports ?? []);
    const found = ports.find(({ name }) => name === targetPort);
    if (found !== undefined) return found.containerPort;
    throw preconditionError(
      "SERVICE_PORT_UNKNOWN",
      `${label} leads to the port "${targetPort}", which pod ${pod.metadata.name} does not have`,
      `Its ports: ${
        ports.map(({ name, containerPort }) => name ?? containerPort).join(", ") || "none"
      }.`,
    );
  }
  // A headless Service maps nothing.
  return service["spec"]?.clusterIP === "None" ? port : targetPort || port;
}

function byAge(a: KubeObject, b: KubeObject): number {
  return (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") ||
    a.metadata.name.localeCompare(b.metadata.name);
}

function notReady(label: string, pods: readonly KubeObject[]): TaskError {
  const states = pods.map((pod) =>
    `${pod.metadata.name}: ${
      pod.metadata.deletionTimestamp === undefined ? pod["status"]?.phase ?? "unknown" : "ending"
    }`
  );
  return new TaskError({
    code: "SERVICE_NOT_READY",
    message: pods.length === 0
      ? `There are no pods behind ${label}`
      : `None of the ${pods.length} pods behind ${label} is ready`,
    hint: "Wait until they are: deno task status shows them.",
    evidence: states,
  });
}
