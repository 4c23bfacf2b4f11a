/**
 * Before 0.8: a service's resources as a container's.
 *
 * @module
 */
import type { ContainerResources, ResourceItem, ServiceSpec } from "../types.ts";
import { unlessEmpty } from "../json.ts";

/** Name of a GPU resource unless the service says another. */
export const GPU_RESOURCE = "nvidia.com/gpu";

/**
 * Requests and limits of the container. A GPU request is ignored, as the real operator
 * does: only `limits.gpu` puts a pod on a GPU.
 */
export function containerResources(
  resources: ServiceSpec["resources"],
  countRequestedGpus = false,
): ContainerResources {
  const requests = unlessEmpty(quantities(resources?.requests, countRequestedGpus));
  const limits = unlessEmpty(quantities(resources?.limits, true));
  return {
    ...(requests === undefined ? {} : { requests }),
    ...(limits === undefined ? {} : { limits }),
    ...(resources?.claims === undefined ? {} : { claims: resources.claims }),
  };
}

function quantities(item: ResourceItem | undefined, gpu: boolean): Record<string, string> {
  return {
    ...(item?.cpu ? { cpu: item.cpu } : {}),
    ...(item?.memory ? { memory: item.memory } : {}),
    ...(gpu && item?.gpu ? { [item.gpuType || GPU_RESOURCE]: item.gpu } : {}),
    ...item?.custom,
  };
}

/** `resources` with those of DYN_DEPLOYMENT_CONFIG for both requests and limits. */
export function withConfiguredResources(
  resources: ServiceSpec["resources"],
  configured: Record<string, unknown> | undefined,
): ServiceSpec["resources"] {
  if (configured === undefined) return resources;
  const text = (value: unknown) => value === undefined ? undefined : String(value);
  const item = Object.fromEntries(
    ["cpu", "memory", "gpu"].flatMap((key) => {
      const value = text(configured[key]);
      return value === undefined || value === "" ? [] : [[key, value]];
    }),
  ) as ResourceItem;
  const custom = configured["custom"] as Record<string, string> | undefined;
  const both = custom === undefined ? item : { ...item, custom };
  return {
    ...resources,
    requests: { ...resources?.requests, ...both },
    limits: { ...resources?.limits, ...both },
  };
}
