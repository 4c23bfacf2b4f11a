/**
 * Elastic Fabric Adapter, AWS's network for models that span nodes: what pods need for it.
 * Without any of this traffic falls back to TCP without a word, and is far slower.
 *
 * @module
 */
import { EFA_SINCE } from "./engine_tables.ts";
import type { Component, EngineName, Quantities } from "./types.ts";

/** The device that pods ask for. */
export const EFA_RESOURCE = "vpc.amazonaws.com/efa";

/** Pods that have to be in the same zone: EFA does not cross zones. */
export interface ZoneAffinity {
  /** Kubernetes' `podAffinity`. */
  readonly podAffinity: {
    readonly requiredDuringSchedulingIgnoredDuringExecution: readonly {
      readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
      readonly topologyKey: string;
    }[];
  };
}

/** First release that has an image with EFA for the engine, or undefined when none has. */
export function efaImageSince(engine: EngineName): readonly [number, number] | undefined {
  switch (engine) {
    case "vllm":
    case "trtllm":
      return [EFA_SINCE[0], EFA_SINCE[1]];
    case "sglang":
      return [1, 2];
    default:
      return undefined;
  }
}

/** Variables that make libfabric take EFA, with direct memory access between GPUs. */
export function fabricVariables(component: Component): Record<string, string> {
  return component.efa === 0 ? {} : { FI_PROVIDER: "efa", FI_EFA_USE_DEVICE_RDMA: "1" };
}

/** The component's limits, with its EFA interfaces. */
export function limitsWithEfa(component: Component): Quantities {
  return component.efa === 0
    ? component.limits
    : { ...component.limits, [EFA_RESOURCE]: String(component.efa) };
}

/** Keeps the pods of a graph that use EFA in one zone. */
export function fabricPlacement(
  component: Component,
  graphName: string,
): { affinity?: ZoneAffinity } {
  if (component.efa === 0) return {};
  return {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{
          labelSelector: {
            matchLabels: {
              "nvidia.com/dynamo-graph-deployment-name": graphName,
              "nvidia.com/dynamo-component": component.name,
            },
          },
          topologyKey: "topology.kubernetes.io/zone",
        }],
      },
    },
  };
}
