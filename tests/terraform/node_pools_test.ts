/** What Karpenter gets: node classes and node pools as applied, for pools of every kind. */
import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { addresses, destroyUnchanged, stackTest, succeed } from "./stack_life.ts";
import type { TerraformStack, TerraformVariables } from "./terraform_runs.ts";

const P5_WITH_EFA: TerraformVariables = {
  name: "p5",
  availability_zones: ["us-west-2a", "us-west-2b"],
  node_pools: {
    "p5-gpu-karpenter": {
      capacity_reservations: ["cr-0123456789abcdef0"],
      zones: ["us-west-2b"],
      placement_group: "p5-together",
      limits: { "nvidia.com/gpu": 16 },
      weight: 50,
    },
    "p6-b200": {
      instance_families: ["p6-b200"],
      instance_sizes: ["48xlarge"],
      capacity_types: ["reserved", "on-demand"],
      gpu: "B200",
      efa_interfaces: 8,
      taints: [{ key: "nvidia.com/gpu", value: "b200" }],
      consolidate_after: "Never",
    },
    "cpu-karpenter": { architecture: "arm64", instance_families: ["m7g"] },
  },
};

stackTest("terraform: p5 with EFA, reservations and a placement group", async (stack) => {
  // What fails on the way is completed by the same apply.
  const failed = await stack.run(["apply"], {
    variables: P5_WITH_EFA,
    env: { TFSTUB_FAIL: "create:helm_release" },
  });
  assert.notEqual(failed.code, 0);
  assert.ok(addresses(await stack.show("state")).includes("module.eks.terraform_data.stub"));
  await succeed(stack, ["apply"], { variables: P5_WITH_EFA });
  const manifests = await appliedManifests(stack);

  const p5 = specOf(manifests, "EC2NodeClass", "p5-gpu-karpenter");
  const interfaces = p5["networkInterfaces"] as Record<string, unknown>[];
  assert.equal(interfaces.filter((card) => card["interfaceType"] === "efa-only").length, 32);
  assert.deepEqual(interfaces[0], {
    networkCardIndex: 0,
    deviceIndex: 0,
    interfaceType: "interface",
  });
  const places = interfaces.map((card) => `${card["networkCardIndex"]}/${card["deviceIndex"]}`);
  assert.equal(new Set(places).size, 33);
  assert.deepEqual(p5["capacityReservationSelectorTerms"], [{ id: "cr-0123456789abcdef0" }]);
  assert.deepEqual(p5["placementGroupSelector"], { name: "p5-together" });
  assert.equal(p5["instanceStorePolicy"], "RAID0");
  assert.equal((p5["securityGroupSelectorTerms"] as unknown[]).length, 1);

  const pool = specOf(manifests, "NodePool", "p5-gpu-karpenter") as unknown as NodePoolSpec;
  assert.deepEqual(requirements(pool), {
    "karpenter.k8s.aws/instance-family": ["p5"],
    "karpenter.k8s.aws/instance-size": ["48xlarge"],
    "karpenter.sh/capacity-type": ["reserved", "on-demand"],
    "kubernetes.io/arch": ["amd64"],
    "kubernetes.io/os": ["linux"],
    "topology.kubernetes.io/zone": ["us-west-2b"],
  });
  assert.deepEqual(pool.template.spec.taints, [{ key: "nvidia.com/gpu", effect: "NoSchedule" }]);
  assert.deepEqual(pool.limits, { "nvidia.com/gpu": 16 });
  assert.equal(pool.weight, 50);
  assert.deepEqual(pool.disruption, {
    consolidationPolicy: "WhenEmpty",
    consolidateAfter: "10m",
  });

  const b200 = specOf(manifests, "NodePool", "p6-b200") as unknown as NodePoolSpec;
  assert.deepEqual(requirements(b200)["karpenter.k8s.aws/instance-family"], ["p6-b200"]);
  assert.deepEqual(b200.template.spec.taints, [
    { key: "nvidia.com/gpu", value: "b200", effect: "NoSchedule" },
  ]);
  assert.equal(b200.disruption.consolidateAfter, "Never");

  const cpu = specOf(manifests, "NodePool", "cpu-karpenter") as unknown as NodePoolSpec;
  assert.deepEqual(requirements(cpu)["kubernetes.io/arch"], ["arm64"]);
  assert.deepEqual(cpu.template.spec.taints, []);
  assert.equal(specOf(manifests, "EC2NodeClass", "cpu-karpenter")["networkInterfaces"], undefined);

  await destroyUnchanged(stack, { variables: P5_WITH_EFA });
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface NodePoolSpec {
  readonly template: {
    readonly spec: {
      readonly requirements: readonly { readonly key: string; readonly values: string[] }[];
      readonly taints: readonly unknown[];
    };
  };
  readonly limits: unknown;
  readonly weight?: number;
  readonly disruption: { readonly consolidateAfter: string };
}

async function appliedManifests(stack: TerraformStack): Promise<Manifest[]> {
  const { resources } = await stack.show("state");
  return resources.filter((resource) => resource.type === "kubectl_manifest")
    .map((resource) => parse(String(resource.values["yaml_body"])) as Manifest);
}

function specOf(manifests: readonly Manifest[], kind: string, name: string): Manifest["spec"] {
  const found = manifests.find((manifest) =>
    manifest.kind === kind && manifest.metadata.name === name
  );
  assert.ok(found, `${kind} ${name}`);
  return found.spec;
}

function requirements(pool: NodePoolSpec): Record<string, string[]> {
  return Object.fromEntries(
    pool.template.spec.requirements.map(({ key, values }) => [key, values]),
  );
}
