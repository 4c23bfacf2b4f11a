/** That terraform and lib/blueprint read the same file alike: names, defaults, node pools. */
import assert from "node:assert/strict";
import { parseTfvars } from "../../lib/blueprint/hcl_parser.ts";
import {
  DEFAULT_NODE_POOLS,
  OPTIONAL_NODE_POOLS,
  POOL_FIELDS,
  readNodePools,
} from "../../lib/blueprint/node_pools.ts";
import { loadBlueprint } from "../../lib/blueprint/blueprint.ts";
import { knownKeys, SWITCHES } from "../../lib/blueprint/settings.ts";
import type { NodePool } from "../../lib/blueprint/types.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { evaluate, settingItems } from "./settings_only.ts";
import { findTerraform } from "./terraform_runs.ts";

const tools = await findTerraform();

Deno.test("every variable of terraform is a setting that lib/blueprint knows, and the other way round", async () => {
  const variables = [...(await settingItems()).keys()]
    .flatMap((reference) => reference.startsWith("var.") ? [reference.slice(4)] : []);
  assert.deepEqual(variables.sort(), knownKeys().sort());
});

Deno.test("a pool has the same fields for terraform and lib/blueprint", async () => {
  const text = (await settingItems()).get("var.node_pools")?.text ?? "";
  const known = /Known: ([a-z_, ]+)\./.exec(text)?.[1]?.split(", ") ?? [];
  assert.deepEqual(known.sort(), [...POOL_FIELDS].sort());
});

Deno.test("without settings terraform takes the defaults of lib/blueprint", async () => {
  if (tools === undefined) return;
  await using made = await testContext({ env: { DYNAMO_BLUEPRINT: "" } });
  const blueprint = await loadBlueprint({ ...made.ctx, root: made.ctx.home });
  const references = [
    "local.name",
    "local.region",
    "local.dynamo_version",
    "var.availability_zones_count",
    "var.eks_cluster_version",
    ...SWITCHES.map(({ key }) =>
      key === "enable_dynamo_stack" ? "local.dynamo_stack" : `var.${key}`
    ),
  ];
  const [values] = await evaluate(tools.terraform, references, [""]);
  assert.deepEqual(values, {
    "local.name": blueprint.name.value,
    "local.region": blueprint.region.value,
    "local.dynamo_version": blueprint.dynamoVersion.value.replace(/^v/, ""),
    "var.availability_zones_count": blueprint.availabilityZonesCount.value,
    "var.eks_cluster_version": blueprint.eksClusterVersion.value,
    ...Object.fromEntries(SWITCHES.map((setting) => [
      setting.key === "enable_dynamo_stack" ? "local.dynamo_stack" : `var.${setting.key}`,
      setting.default,
    ])),
  });
});

const SEED = 20_260_701;
const CASES = 80;

Deno.test("whatever a file says of node pools, terraform and lib/blueprint make the same pools of it", async () => {
  if (tools === undefined) return;
  const random = generator(SEED);
  const texts = [
    "{}",
    "{ p5-gpu-karpenter = {} }",
    ...Array.from({ length: CASES }, () => randomPools(random)),
  ];
  const results = await evaluate(
    tools.terraform,
    ["local.node_pools"],
    texts.map((text) => `node_pools = ${text}`),
  );
  for (const [index, text] of texts.entries()) {
    const pools = results[index]?.["local.node_pools"] as Record<string, TerraformPool>;
    assert.deepEqual(
      fromTerraform(pools),
      byName(readText(text)),
      `case ${index} of seed ${SEED}: ${text}`,
    );
  }
  assert.deepEqual(readText("{}"), DEFAULT_NODE_POOLS);
  assert.deepEqual(readText("{ p5-gpu-karpenter = {} }"), [
    ...DEFAULT_NODE_POOLS,
    ...OPTIONAL_NODE_POOLS,
  ]);
});

function readText(text: string): NodePool[] {
  const read = { file: "test.tfvars", warnings: [] };
  const [entry] = parseTfvars(read.file, `node_pools = ${text}\n`);
  const pools = readNodePools(read, entry!.value);
  assert.deepEqual(read.warnings, []);
  return pools;
}

interface TerraformPool {
  readonly instance_families: string[];
  readonly instance_sizes: string[];
  readonly capacity_types: NodePool["capacityTypes"];
  readonly gpu: string | null;
  readonly taints: readonly {
    readonly key: string;
    readonly value?: string | null;
    readonly effect?: NodePool["taints"][number]["effect"] | null;
  }[];
  readonly efa_interfaces: number;
}

function fromTerraform(pools: Readonly<Record<string, TerraformPool>>): NodePool[] {
  return byName(
    Object.entries(pools).map(([name, pool]) => ({
      name,
      instanceFamilies: pool.instance_families,
      instanceSizes: pool.instance_sizes,
      capacityTypes: pool.capacity_types,
      ...(pool.gpu === null ? {} : { gpu: pool.gpu }),
      taints: pool.taints.map(({ key, value, effect }) => ({
        key,
        ...(typeof value === "string" ? { value } : {}),
        effect: effect ?? "NoSchedule",
      })),
      efaInterfaces: pool.efa_interfaces,
    })),
  );
}

const byName = (pools: readonly NodePool[]) => [...pools].sort((a, b) => a.name < b.name ? -1 : 1);

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A `node_pools` that both accept, as HCL. */
function randomPools(random: () => number): string {
  const upTo = (count: number) => Math.floor(random() * count);
  const some = (from: readonly string[], atLeast = 0) =>
    `[${
      from.filter((_, i) => i < atLeast || random() < 0.4).map((item) => `"${item}"`).join(", ")
    }]`;
  const taint = () => {
    const fields = ['key = "nvidia.com/gpu"'];
    const value = ["", 'value = "true"', "value = null"][upTo(3)]!;
    const effect = ["", 'effect = "NoExecute"', 'effect = "NoSchedule"', "effect = null"][upTo(4)]!;
    return `{ ${[...fields, value, effect].filter((field) => field !== "").join(", ")} }`;
  };
  const makers: Record<string, () => string> = {
    instance_sizes: () => some(["xlarge", "48xlarge", "metal-24xl"]),
    capacity_types: () => some(["spot", "on-demand", "reserved"]),
    gpu: () => '"L40S"',
    taints: () => `[${Array.from({ length: upTo(3) }, taint).join(", ")}]`,
    efa_interfaces: () => `${upTo(33)}`,
    capacity_reservations: () => some(["cr-0123456789abcdef0", "cr-0123456789abcdef1"]),
    limits: () => '{ "nvidia.com/gpu" = 8, cpu = 100 }',
    disk_gib: () => "200",
    labels: () => '{ team = "search" }',
    consolidate_after: () => '"Never"',
  };
  const pool = (isKnown: boolean) => {
    const fields = Object.entries(makers).flatMap(([name, make]) => {
      const dice = random();
      return dice < 0.35 ? [`${name} = ${make()}`] : dice < 0.45 ? [`${name} = null`] : [];
    });
    if (!isKnown || random() < 0.3) {
      fields.push(`instance_families = ${some(["g6e", "p6-b200", "trn2"], 1)}`);
    } else if (random() < 0.2) fields.push("instance_families = null");
    return `{ ${fields.join(", ")} }`;
  };
  const entries = [
    ...[...DEFAULT_NODE_POOLS, ...OPTIONAL_NODE_POOLS].flatMap(({ name }) => {
      const dice = random();
      return dice < 0.2 ? [`${name} = null`] : dice < 0.6 ? [`${name} = ${pool(true)}`] : [];
    }),
    ...Array.from({ length: upTo(3) }, (_, i) => `pool-${i} = ${pool(false)}`),
  ];
  return `{ ${entries.join(", ")} }`;
}
