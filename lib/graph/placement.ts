/**
 * Which instance types a component's pods can run on. Pure.
 *
 * @module
 */
import type { NodePool } from "../blueprint/types.ts";
import {
  allocatable,
  type InstanceType,
  instanceType,
  instanceTypes,
  poolOffers,
} from "../aws/instance_types.ts";
import { parseQuantity } from "./quantity.ts";
import type { Component } from "./types.ts";

/** What one pod asks for. */
export interface PodSize {
  /** GPUs. */
  readonly gpus: number;
  /** Cores. */
  readonly cpus: number;
  /** Memory in GiB. */
  readonly memoryGiB: number;
}

/** What a pod of the component asks for; a limit counts where there is no request. */
export function podSize(component: Component): PodSize {
  const amount = (name: string) =>
    parseQuantity(component.requests[name] ?? component.limits[name] ?? "0") ?? 0;
  return { gpus: component.gpus, cpus: amount("cpu"), memoryGiB: amount("memory") / 2 ** 30 };
}

/**
 * Types that the component's node selector allows, whether its pods fit or not; without a pool
 * those of all pools. Undefined when it names a pool that is not given, or none of what it allows
 * is in the table, so that nothing can be said.
 */
export function allowedTypes(
  component: Component,
  pools: readonly NodePool[],
): readonly InstanceType[] | undefined {
  const chosen = component.nodePool === undefined
    ? pools
    : pools.filter((pool) => pool.name === component.nodePool);
  if (chosen.length === 0) return undefined;
  const types = component.instanceType === undefined
    ? instanceTypes()
    : [instanceType(component.instanceType)].filter((type) => type !== undefined);
  const allowed = types.filter((type) => chosen.some((pool) => poolOffers(pool, type.name)));
  return allowed.length === 0 ? undefined : allowed;
}

/** Whether an otherwise empty node of the type has room for the pod. */
export function podFits(pod: PodSize, type: InstanceType): boolean {
  const room = allocatable(type);
  return pod.gpus <= type.gpus && pod.cpus <= room.cpus && pod.memoryGiB <= room.memoryGiB;
}
