import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { blueprintToJson, loadBlueprint, type LoadOptions } from "./blueprint.ts";
import { configRows } from "./config.ts";
import { blueprintFlags, releaseOf } from "./flags.ts";
import { DEFAULT_NODE_POOLS, POOL_FIELDS } from "./node_pools.ts";
import { TERRAFORM_SETTINGS } from "./settings.ts";
import { describeSource } from "./source.ts";
import type { Blueprint } from "./types.ts";

interface Loaded {
  readonly blueprint: Blueprint;
  readonly talk: readonly string[];
}

/** Loads a blueprint from a file with this text, or from none, in a root of its own. */
async function load(
  text: string | undefined,
  env: Record<string, string> = {},
  options: LoadOptions = {},
): Promise<Loaded> {
  await using test = await testContext({ env });
  const root = test.ctx.home.replace(/\/\.dynamo$/, "");
  if (text !== undefined) {
    await Deno.mkdir(`${root}/terraform`);
    await Deno.writeTextFile(`${root}/terraform/blueprint.tfvars`, text);
  }
  const blueprint = await loadBlueprint({ ...test.ctx, root }, options);
  return { blueprint, talk: test.heard.talk };
}

async function refusal(
  text: string | undefined,
  env: Record<string, string> = {},
  options: LoadOptions = {},
): Promise<TaskError> {
  try {
    await load(text, env, options);
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    return error;
  }
  return assert.fail("accepted");
}

const SEED = `# Required for Dynamo deployment
name                 = "mine"
enable_dynamo_stack  = true
enable_argocd        = false
dynamo_stack_version = "v0.4.1"
`;

Deno.test("without a file all is default", async () => {
  const { blueprint, talk } = await load(undefined);
  assert.equal(blueprint.file, undefined);
  assert.deepEqual(blueprint.name, { value: "dynamo-on-eks", source: { kind: "default" } });
  assert.equal(blueprint.region.value, "us-west-2");
  assert.equal(blueprint.eksClusterVersion.value, "1.33");
  assert.equal(blueprint.dynamoVersion.value, "v0.4.1");
  assert.equal(blueprint.namespace.value, "dynamo-cloud");
  assert.equal(blueprint.switches["enable_argocd"]?.value, true);
  assert.deepEqual(
    blueprint.nodePools.value.map((pool) => pool.name),
    ["cpu-karpenter", "g5-gpu-karpenter", "g6-gpu-karpenter"],
  );
  assert.deepEqual(talk, []);
});

Deno.test("the project's own file is read without a word", async () => {
  await using test = await testContext();
  const blueprint = await loadBlueprint(test.ctx);
  assert.equal(blueprint.file, "terraform/blueprint.tfvars");
  assert.equal(blueprint.dynamoVersion.value, "v0.4.1");
  assert.equal(blueprint.dynamoVersion.source.kind, "file");
  assert.deepEqual(test.heard.talk, []);
});

Deno.test("the comments of the project's own file are settings that work", async () => {
  await using test = await testContext();
  const own = await Deno.readTextFile(`${test.ctx.root}/terraform/blueprint.tfvars`);
  // Commented settings start a line with "# name = …" or belong to an object begun so.
  const text = own.replace(/^# (?=[a-z_]+ +=| {2}|\})/gm, "");
  const { blueprint, talk } = await load(text);
  assert.deepEqual(talk, []);
  assert.equal(blueprint.nodePools.source.kind, "file");
  assert.deepEqual(blueprint.clusterAddons.value, { "metrics-server": true });
  const pools = new Map(blueprint.nodePools.value.map((pool) => [pool.name, pool]));
  assert.deepEqual(pools.get("g5-gpu-karpenter")?.capacityTypes, ["on-demand"]);
  assert.deepEqual(pools.get("g5-gpu-karpenter")?.instanceFamilies, ["g5"]);
  assert.deepEqual(pools.get("p5-gpu-karpenter"), {
    name: "p5-gpu-karpenter",
    instanceFamilies: ["p5"],
    instanceSizes: ["48xlarge"],
    capacityTypes: ["reserved", "on-demand"],
    gpu: "H100",
    taints: [{ key: "nvidia.com/gpu", effect: "NoSchedule" }],
    efaInterfaces: 32,
  });
});

Deno.test("flag beats variable beats file beats default", async () => {
  const text = 'dynamo_stack_version = "v1.0.2"\n';
  const env = { DYNAMO_VERSION: "v1.1.0" };
  const flags = blueprintFlags({ dynamoVersion: "v1.2.0" });
  const asked = async (...args: Parameters<typeof load>) => {
    const { blueprint } = await load(...args);
    return [releaseOf(blueprint).version, describeSource(blueprint.dynamoVersion.source)];
  };
  assert.deepEqual(await asked(text, env, { flags }), ["1.2.0", "flag --dynamo-version"]);
  assert.deepEqual(await asked(text, env), ["1.1.0", "env DYNAMO_VERSION"]);
  assert.deepEqual(await asked(text), ["1.0.2", "terraform/blueprint.tfvars:1"]);
  assert.deepEqual(await asked("\n"), ["0.4.1", "default"]);
  assert.deepEqual(await asked(text, { DYNAMO_VERSION: "" }), [
    "1.0.2",
    "terraform/blueprint.tfvars:1",
  ]);
});

Deno.test("a region of the file is not changed by AWS_REGION, a missing one is filled in", async () => {
  const env = { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-2" };
  const inFile = await load('region = "us-east-2"\n', env);
  assert.equal(inFile.blueprint.region.value, "us-east-2");
  const filled = await load("\n", env);
  assert.deepEqual(filled.blueprint.region, {
    value: "eu-west-1",
    source: { kind: "env", name: "AWS_REGION" },
  });
  const ours = await load('region = "us-east-2"\n', { ...env, DYNAMO_REGION: "ap-south-1" });
  assert.equal(ours.blueprint.region.value, "ap-south-1");
});

Deno.test("settings and fields that terraform alone reads are known, slips in them are not", async () => {
  const { blueprint, talk } = await load(
    `${TERRAFORM_SETTINGS.map((key) => `${key} = null`).join("\n")}\n` +
      `node_pools = { cpu-karpenter = {\n${
        POOL_FIELDS.map((key) => `${key} = null`).join("\n")
      }\n} }\n`,
  );
  assert.deepEqual(talk, []);
  assert.deepEqual(blueprint.nodePools.value, DEFAULT_NODE_POOLS);
  const slips = await load(
    'vpc_cdir = "10.1.0.0/21"\nnode_pools = { cpu-karpenter = { disk_gb = 100 } }\n',
  );
  assert.match(slips.talk[0]!, /"vpc_cdir" is not known here\..*vpc_cidr/);
  assert.match(slips.talk[1]!, /disk_gb" is not known here\..*disk_gib/);
  assert.equal(slips.talk.length, 2);
});

Deno.test("a field of a taint that is null is as good as absent", async () => {
  const { blueprint, talk } = await load(
    'node_pools = { cpu-karpenter = { taints = [{ key = "a", value = null, effect = null }] } }\n',
  );
  assert.deepEqual(talk, []);
  assert.deepEqual(blueprint.nodePools.value[0]?.taints, [{ key: "a", effect: "NoSchedule" }]);
});

Deno.test("both spellings of a setting are known, and must agree", async () => {
  const { blueprint } = await load(
    'dynamo_platform_version = "1.0.0"\nenable_dynamo_platform = false\n' +
      'dynamo_platform_namespace = "dynamo-system"\n',
  );
  assert.equal(blueprint.dynamoVersion.value, "1.0.0");
  assert.equal(blueprint.switches["enable_dynamo_stack"]?.value, false);
  assert.equal(blueprint.namespace.value, "dynamo-system");
  const rows = configRows(blueprint, releaseOf(blueprint));
  assert.equal(
    rows.find((row) => row.name === "dynamo_stack_version")?.source,
    "terraform/blueprint.tfvars:1 (as dynamo_platform_version)",
  );
  await load('dynamo_stack_version = "1.0.0"\ndynamo_platform_version = "1.0.0"\n');
  const error = await refusal(
    'dynamo_stack_version = "1.0.0"\ndynamo_platform_version = "1.1.0"\n',
  );
  assert.match(error.message, /blueprint\.tfvars:2:1: expected the same value/);
  assert.equal(error.exitCode, 3);
});

Deno.test("an unknown setting is a warning with a suggestion, said once", async () => {
  await using test = await testContext();
  const root = test.ctx.home.replace(/\/\.dynamo$/, "");
  await Deno.mkdir(`${root}/terraform`);
  await Deno.writeTextFile(
    `${root}/terraform/blueprint.tfvars`,
    'enable_argcd = true\n  totally_other = "secret"\nnode_pools = { x = { instance_families = ["g5"], gpus = 1 } }\n',
  );
  const ctx = { ...test.ctx, root };
  const { warnings } = await loadBlueprint(ctx);
  await loadBlueprint(ctx);
  assert.equal(warnings.length, 3);
  assert.match(
    warnings[0]!,
    /^terraform\/blueprint\.tfvars:1:1: .*"enable_argcd".*"enable_argocd"/,
  );
  assert.match(
    warnings[1]!,
    /^terraform\/blueprint\.tfvars:2:3: .*"totally_other" is not known here$/,
  );
  assert.match(warnings[2]!, /:3:50: .*"node_pools\.x\.gpus".*"gpu"/);
  assert.equal(test.heard.talk.length, 3);
  assert.ok(!test.heard.talk.join().includes("secret"));
});

const MISTAKES: readonly (readonly [string, RegExp, string])[] = [
  ["name = 5\n", /:1:8: expected a text in double quotes for name, found a number/, "TFVARS_TYPE"],
  ["eks_cluster_version = 1.30\n", /:1:23: expected a text in double quotes/, "TFVARS_TYPE"],
  ['enable_argocd = "true"\n', /:1:17: expected true or false for enable_argocd/, "TFVARS_TYPE"],
  [
    "\nenable_dynamo_platform = []",
    /:2:26: expected true or false for enable_dynamo_pl/,
    "TFVARS_TYPE",
  ],
  ['name = "a b"\n', /:1:8: expected a cluster name .* found "a b"/, "TFVARS_VALUE"],
  ['region = "oregon"\n', /:1:10: expected an AWS region/, "TFVARS_VALUE"],
  ['dynamo_namespace = "Upper"\n', /:1:20: expected a namespace/, "TFVARS_VALUE"],
  ["availability_zones_count = 1\n", /:1:28: expected a whole number from 2 to 6/, "TFVARS_VALUE"],
  ["availability_zones_count = 2.5\n", /:1:28: expected a whole number/, "TFVARS_VALUE"],
  ["availability_zones_count = true\n", /:1:28: expected a number/, "TFVARS_TYPE"],
  ["enable_cluster_addons = { x = 1 }\n", /:1:31: expected true or false for .*\.x/, "TFVARS_TYPE"],
  ["node_pools = [1]\n", /:1:14: expected an object/, "TFVARS_TYPE"],
  [
    "node_pools = { a = {} }\n",
    /:1:16: expected instance_families in node_pools\.a/,
    "TFVARS_VALUE",
  ],
  ["node_pools = { A = {} }\n", /:1:16: expected a name of lower-case letters/, "TFVARS_VALUE"],
  [
    'node_pools = { cpu-karpenter = { capacity_types = ["spott"] } }\n',
    /:1:52: expected "spot" or .* found "spott"/,
    "TFVARS_VALUE",
  ],
  [
    'node_pools = { cpu-karpenter = { taints = [{ value = "x" }] } }\n',
    /:1:44: expected key in/,
    "TFVARS_VALUE",
  ],
  ["name =\n", /:1:7: expected a value, found the end of the line/, "TFVARS_SYNTAX"],
];

for (const [text, pattern, code] of MISTAKES) {
  Deno.test(`a mistake is shown where it is: ${text.trim()}`, async () => {
    const error = await refusal(text);
    assert.match(error.message, pattern);
    assert.ok(error.message.startsWith("terraform/blueprint.tfvars:"));
    assert.equal(error.code, code);
    assert.equal(error.exitCode, 3);
    assert.ok(error.hint);
  });
}

Deno.test("a mistake in the file is not hidden by a variable", async () => {
  await assert.rejects(load("dynamo_stack_version = 1\n", { DYNAMO_VERSION: "v0.4.1" }), TaskError);
});

Deno.test("mistakes of flags and variables name them", async () => {
  const flag = await refusal("", {}, { flags: blueprintFlags({ namespace: "No" }) });
  assert.match(flag.message, /^flag --namespace: expected a namespace .* found "No"$/);
  assert.equal(flag.exitCode, 2);
  const env = await refusal("", { AWS_REGION: "here" });
  assert.match(env.message, /^env AWS_REGION: expected an AWS region/);
  assert.equal(env.exitCode, 3);
});

Deno.test("null means the default; a pool with null is left out", async () => {
  const { blueprint } = await load("region = null\nnode_pools = { g6-gpu-karpenter = null }\n");
  assert.equal(blueprint.region.source.kind, "default");
  assert.deepEqual(
    blueprint.nodePools.value.map((pool) => pool.name),
    ["cpu-karpenter", "g5-gpu-karpenter"],
  );
});

Deno.test("a file asked for by name must be there and be readable", async () => {
  const missing = await refusal(undefined, { DYNAMO_BLUEPRINT: "/nowhere/x.tfvars" });
  assert.equal(missing.code, "TFVARS_MISSING");
  assert.match(missing.message, /\/nowhere\/x\.tfvars/);
  const folder = await refusal(undefined, {}, { path: "/tmp" });
  assert.equal(folder.code, "TFVARS_UNREADABLE");
  assert.equal(folder.exitCode, 3);
});

Deno.test("rows and JSON hold every value with its source", async () => {
  const { blueprint } = await load(SEED);
  const rows = configRows(blueprint, releaseOf(blueprint));
  assert.deepEqual(rows[0], {
    name: "name",
    value: "mine",
    source: "terraform/blueprint.tfvars:2",
  });
  assert.deepEqual(rows.find((row) => row.name === "enable_argocd"), {
    name: "enable_argocd",
    value: false,
    source: "terraform/blueprint.tfvars:4",
  });
  assert.equal(rows.find((row) => row.name === "release.crds_chart")?.value, "0.4.1");
  assert.equal(new Set(rows.map((row) => row.name)).size, rows.length);
  assert.deepEqual(JSON.parse(JSON.stringify(blueprintToJson(blueprint))).name, {
    value: "mine",
    source: { kind: "file", path: "terraform/blueprint.tfvars", line: 2, column: 24, key: "name" },
  });
});
