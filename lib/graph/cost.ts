/**
 * What the nodes of a graph cost an hour, by on-demand list prices. Pure.
 *
 * @module
 */
import type { NodePool } from "../blueprint/types.ts";
import { allocatable, type InstanceType, PRICE_DATE, PRICE_REGION } from "../aws/instance_types.ts";
import { allowedTypes, podFits, type PodSize, podSize } from "./placement.ts";
import type { Component, Graph } from "./types.ts";

/** Nodes of one type. */
export interface NodeCost {
  /** `g5.2xlarge`. */
  readonly instanceType: string;
  /** How many. */
  readonly count: number;
  /** USD an hour for one. */
  readonly pricePerHour: number;
}

/** What a graph costs. */
export interface GraphCost {
  /** USD an hour for all nodes that a price is known for. */
  readonly perHour: number;
  /** The nodes, dearest first. */
  readonly nodes: readonly NodeCost[];
  /** Components that nothing could be said about; when there are any `perHour` is a lower bound. */
  readonly unknown: readonly string[];
  /** Region of the prices; other regions differ. */
  readonly region: string;
  /** Day of the prices, `YYYY-MM-DD`. */
  readonly asOf: string;
}

interface Node {
  readonly type: InstanceType;
  gpus: number;
  cpus: number;
  memoryGiB: number;
}

/**
 * Packs the graph's pods on nodes: the largest pods first, each on a node that is there and has
 * room, or else on the cheapest type that its pool offers and that it fits on. On-demand prices
 * of {@link PRICE_REGION} at {@link PRICE_DATE}: spot is cheaper, other regions differ, and disks,
 * traffic and what the cluster itself costs come on top.
 */
export function costPerHour(graph: Graph, pools: readonly NodePool[]): GraphCost {
  const nodes: Node[] = [];
  const unknown: string[] = graph.request === undefined ? [] : ["what the planner decides"];
  const largestFirst = graph.components
    .filter((component) => component.replicas > 0)
    .toSorted((a, b) => compareSizes(podSize(b), podSize(a)));
  for (const component of largestFirst) {
    const types = pricedTypes(component, pools);
    if (types[0] === undefined) {
      unknown.push(component.name);
      continue;
    }
    const pod = podSize(component);
    for (let left = component.replicas * component.nodes; left > 0; left--) {
      const node = nodes.find((one) =>
        types.some(({ name }) =>
          name === one.type.name
        ) && hasRoom(one, pod)
      ) ??
        openNode(nodes, types[0]);
      node.gpus -= pod.gpus;
      node.cpus -= pod.cpus;
      node.memoryGiB -= pod.memoryGiB;
    }
  }
  return {
    perHour: cents(nodes.reduce((sum, node) => sum + price(node.type), 0)),
    nodes: counted(nodes),
    unknown,
    region: PRICE_REGION,
    asOf: PRICE_DATE,
  };
}

/** `2 × g5.2xlarge + 1 × m5.xlarge ≈ 2.62 USD an hour (on-demand, us-east-1, 2026-07-20)`. */
export function costText(cost: GraphCost): string {
  if (cost.nodes.length === 0) return "unknown";
  const nodes = cost.nodes.map(({ count, instanceType }) => `${count} × ${instanceType}`);
  const where = `on-demand, ${cost.region}, ${cost.asOf}`;
  const missing = cost.unknown.length === 0 ? "" : `, without ${cost.unknown.join(", ")}`;
  return `${nodes.join(" + ")} ≈ ${cost.perHour.toFixed(2)} USD an hour (${where}${missing})`;
}

function pricedTypes(component: Component, pools: readonly NodePool[]): InstanceType[] {
  return (allowedTypes(component, pools) ?? [])
    .filter((type) => type.pricePerHour !== undefined && podFits(podSize(component), type))
    // GPUs are for pods that want them.
    .filter((type) => component.gpus > 0 || type.gpus === 0 || component.nodePool !== undefined)
    .sort((a, b) => price(a) - price(b) || a.name.localeCompare(b.name));
}

function openNode(nodes: Node[], type: InstanceType): Node {
  const { cpus, memoryGiB } = allocatable(type);
  const node = { type, gpus: type.gpus, cpus, memoryGiB };
  nodes.push(node);
  return node;
}

function hasRoom(node: Node, pod: PodSize): boolean {
  return pod.gpus <= node.gpus && pod.cpus <= node.cpus && pod.memoryGiB <= node.memoryGiB;
}

function compareSizes(a: PodSize, b: PodSize): number {
  return a.gpus - b.gpus || a.memoryGiB - b.memoryGiB || a.cpus - b.cpus;
}

function counted(nodes: readonly Node[]): NodeCost[] {
  const counts = new Map<string, NodeCost>();
  for (const { type } of nodes) {
    const count = (counts.get(type.name)?.count ?? 0) + 1;
    counts.set(type.name, { instanceType: type.name, count, pricePerHour: price(type) });
  }
  return [...counts.values()].sort((a, b) => b.count * b.pricePerHour - a.count * a.pricePerHour);
}

function price(type: InstanceType): number {
  return type.pricePerHour ?? 0;
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
