/**
 * Ports that containers declare. Pure.
 *
 * @module
 */
import type { Container, Pod } from "./pod_types.ts";

/** TCP ports that a container declares. */
export function containerPorts(container: Container): number[] {
  return (container.ports ?? [])
    .filter((port) => (port.protocol ?? "TCP") === "TCP")
    .map((port) => port.containerPort);
}

/** A port given as a number or as the name of a declared port; undefined when there is none such. */
export function portNumber(
  port: number | string,
  containers: readonly Container[],
): number | undefined {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0) return number;
  for (const container of containers) {
    const found = container.ports?.find((declared) => declared.name === port);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** All containers of a pod that keep running. */
export function longRunning(pod: Pod): Container[] {
  const side = (pod.spec.initContainers ?? []).filter((init) => init.restartPolicy === "Always");
  return [...pod.spec.containers, ...side];
}
