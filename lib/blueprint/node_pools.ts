/**
 * Karpenter node pools as data: the built-in ones, and what the file says of them.
 *
 * @module
 */
import type { HclEntry, HclValue } from "./hcl_parser.ts";
import type { NodePool, NodePoolTaint } from "./types.ts";
import {
  expectedError,
  itemsOf,
  numberOf,
  objectOf,
  oneOf,
  type ReadContext,
  stringOf,
  warnUnknown,
} from "./values.ts";

const GPU_TAINT: NodePoolTaint = { key: "nvidia.com/gpu", effect: "NoSchedule" };

/** The pools that are there unless the file takes them away. */
export const DEFAULT_NODE_POOLS: readonly NodePool[] = [
  {
    name: "cpu-karpenter",
    instanceFamilies: ["m5", "m6i", "m7i"],
    instanceSizes: ["xlarge", "2xlarge", "4xlarge", "8xlarge"],
    capacityTypes: ["spot", "on-demand"],
    taints: [],
    efaInterfaces: 0,
  },
  gpuPool("g5-gpu-karpenter", "g5", "A10G"),
  gpuPool("g6-gpu-karpenter", "g6", "L4"),
];

/**
 * Pools that are known but off: naming one below `node_pools` (`p5-gpu-karpenter = {}`) switches
 * it on. Its instances are rarely to be had without a reservation.
 */
export const OPTIONAL_NODE_POOLS: readonly NodePool[] = [
  {
    ...gpuPool("p5-gpu-karpenter", "p5", "H100"),
    instanceSizes: ["48xlarge"],
    capacityTypes: ["reserved", "on-demand"],
    efaInterfaces: 32,
  },
];

/** The pools given, and the optional ones that are not among them: what could be had. */
export function withOptionalPools(pools: readonly NodePool[]): NodePool[] {
  const names = new Set(pools.map((pool) => pool.name));
  return [...pools, ...OPTIONAL_NODE_POOLS.filter((pool) => !names.has(pool.name))];
}

function gpuPool(name: string, family: string, gpu: string): NodePool {
  return {
    name,
    instanceFamilies: [family],
    instanceSizes: [
      "2xlarge",
      "4xlarge",
      "8xlarge",
      "12xlarge",
      "16xlarge",
      "24xlarge",
      "48xlarge",
    ],
    capacityTypes: ["spot", "on-demand"],
    gpu,
    taints: [GPU_TAINT],
    efaInterfaces: 0,
  };
}

/** Fields of a pool in the file. The last ones are read and checked by terraform alone. */
export const POOL_FIELDS: readonly string[] = [
  "instance_families",
  "instance_sizes",
  "capacity_types",
  "gpu",
  "taints",
  "efa_interfaces",
  "capacity_reservations",
  "placement_group",
  "zones",
  "architecture",
  "labels",
  "weight",
  "limits",
  "disk_gib",
  "consolidation_policy",
  "consolidate_after",
  "expire_after",
];

/**
 * Reads `node_pools`: an object by pool name. A pool with a known name changes that pool (and
 * switches it on), another one is added; `null` takes a pool away.
 *
 * @throws {TaskError} TFVARS_TYPE or TFVARS_VALUE with `file:line:column`.
 */
export function readNodePools(read: ReadContext, value: HclValue): NodePool[] {
  const pools = new Map(DEFAULT_NODE_POOLS.map((pool) => [pool.name, pool]));
  const known = new Map([...DEFAULT_NODE_POOLS, ...OPTIONAL_NODE_POOLS].map((p) => [p.name, p]));
  for (const entry of objectOf(read, "node_pools", value)) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(entry.key)) {
      throw expectedError(
        read,
        entry.at,
        `a name of lower-case letters, digits and - for a node pool, found "${entry.key}"`,
      );
    }
    if (entry.value.kind === "null") pools.delete(entry.key);
    else pools.set(entry.key, readPool(read, entry, known.get(entry.key)));
  }
  return [...pools.values()];
}

function readPool(read: ReadContext, entry: HclEntry, base: NodePool | undefined): NodePool {
  const path = `node_pools.${entry.key}`;
  const fields = new Map(objectOf(read, path, entry.value).map((field) => [field.key, field]));
  for (const field of fields.values()) {
    if (!POOL_FIELDS.includes(field.key)) warnUnknown(read, field, POOL_FIELDS, `${path}.`);
  }
  const list = (name: string) => {
    const field = fields.get(name);
    if (field === undefined || field.value.kind === "null") return undefined;
    return itemsOf(read, `${path}.${name}`, field.value).map((item) =>
      stringOf(read, `${path}.${name}[]`, item)
    );
  };
  const given = (name: string) => {
    const field = fields.get(name)?.value;
    return field?.kind === "null" ? undefined : field;
  };
  const families = list("instance_families") ?? base?.instanceFamilies;
  if (families === undefined || families.length === 0) {
    throw expectedError(read, entry.at, `instance_families in ${path}, as in ["g5"]`);
  }
  const capacityTypes = given("capacity_types");
  const gpu = given("gpu");
  const taints = given("taints");
  const efa = given("efa_interfaces");
  const gpuName = gpu === undefined ? base?.gpu : stringOf(read, `${path}.gpu`, gpu);
  return {
    name: entry.key,
    instanceFamilies: families,
    instanceSizes: list("instance_sizes") ?? base?.instanceSizes ?? [],
    capacityTypes: capacityTypes === undefined
      ? base?.capacityTypes ?? ["spot", "on-demand"]
      : itemsOf(read, `${path}.capacity_types`, capacityTypes).map((item) =>
        oneOf(read, `${path}.capacity_types[]`, item, ["spot", "on-demand", "reserved"])
      ),
    ...(gpuName === undefined ? {} : { gpu: gpuName }),
    taints: taints === undefined
      ? base?.taints ?? (gpuName === undefined ? [] : [GPU_TAINT])
      : itemsOf(read, `${path}.taints`, taints).map((item) =>
        readTaint(read, `${path}.taints[]`, item)
      ),
    efaInterfaces: efa === undefined
      ? base?.efaInterfaces ?? 0
      : numberOf(read, `${path}.efa_interfaces`, efa, { min: 0, max: 32 }),
  };
}

function readTaint(read: ReadContext, path: string, value: HclValue): NodePoolTaint {
  const fields = new Map(objectOf(read, path, value).map((field) => [field.key, field]));
  for (const field of fields.values()) {
    if (!["key", "value", "effect"].includes(field.key)) {
      warnUnknown(read, field, ["key", "value", "effect"], `${path}.`);
    }
  }
  const key = fields.get("key");
  if (key === undefined) throw expectedError(read, value.at, `key in ${path}`);
  const text = fields.get("value")?.value;
  const effect = fields.get("effect")?.value;
  return {
    key: stringOf(read, `${path}.key`, key.value),
    ...(text === undefined || text.kind === "null"
      ? {}
      : { value: stringOf(read, `${path}.value`, text) }),
    effect: effect === undefined || effect.kind === "null"
      ? "NoSchedule"
      : oneOf(read, `${path}.effect`, effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"]),
  };
}
