import assert from "node:assert/strict";
import { eksSupport, eksVersion } from "./eks_versions.ts";
import { costTable, infrastructureCost, type PlannedResource } from "./infrastructure_cost.ts";
import { tablePrices } from "./prices.ts";

const NOW = Date.parse("2026-05-01");

const STACK: PlannedResource[] = [
  { type: "aws_eks_cluster", values: { version: "1.34" } },
  { type: "aws_nat_gateway", values: {} },
  { type: "aws_eip", values: {} },
  {
    type: "aws_vpc_endpoint",
    values: { vpc_endpoint_type: "Interface", subnet_ids: ["a", "b", "c"] },
  },
  { type: "aws_vpc_endpoint", values: { vpc_endpoint_type: "Interface" } },
  { type: "aws_vpc_endpoint", values: { vpc_endpoint_type: "Gateway" } },
  {
    type: "aws_eks_node_group",
    values: { instance_types: ["m6i.xlarge"], scaling_config: [{ desired_size: 2 }] },
  },
  { type: "aws_kms_key", values: {} },
  { type: "aws_efs_file_system", values: {} },
  { type: "aws_iam_role", values: {} },
];

function cost(resources: PlannedResource[], region = "us-west-2", now = NOW) {
  return infrastructureCost({
    resources,
    prices: tablePrices(region),
    zones: 2,
    kubernetesVersion: "1.33",
    now,
  });
}

Deno.test("a stack's hour is the sum of its parts", () => {
  const { rows, perHour, complete } = cost(STACK);
  // 0.1 control plane + 0.045 NAT + 0.005 address + 0.03 + 0.02 endpoints + 2 × 0.192 nodes
  // + 1 / 730 key
  assert.ok(Math.abs(perHour - (0.1 + 0.045 + 0.005 + 0.05 + 0.384 + 1 / 730)) < 0.0001);
  assert.ok(complete);
  assert.equal(rows[0]?.what, "node (m6i.xlarge)");
  assert.equal(rows[0]?.count, 2);
  const storage = rows.find((row) => row.what === "EFS file system");
  assert.equal(storage?.perHour, undefined);
  assert.match(storage?.note ?? "", /billed by use: 0\.3 USD/);
  assert.ok(!rows.some((row) => row.what.includes("iam") || row.count === 0));
});

Deno.test("alike resources share a row", () => {
  const three = cost([1, 2, 3].map(() => ({ type: "aws_nat_gateway", values: {} })));
  assert.deepEqual(three.rows.map((row) => [row.count, row.perHour]), [[3, 0.135]]);
});

Deno.test("extended support costs what AWS asks for it, and says so", () => {
  const cluster = [{ type: "aws_eks_cluster", values: { version: "1.33" } }];
  const before = cost(cluster, "us-west-2", Date.parse("2026-07-28T23:59:59Z"));
  assert.equal(before.perHour, 0.1);
  assert.match(before.rows[0]!.note, /0\.6 USD from 2026-07-29/);
  const after = cost(cluster, "us-west-2", Date.parse("2026-07-29"));
  assert.equal(after.perHour, 0.6);
  assert.match(after.rows[0]!.note, /extended support/);
  // The version of the blueprint where the plan is silent; versions after the table are standard.
  assert.equal(cost([{ type: "aws_eks_cluster", values: {} }]).perHour, 0.1);
  assert.equal(cost([{ type: "aws_eks_cluster", values: { version: "1.40" } }]).perHour, 0.1);
  assert.equal(eksSupport(eksVersion("1.29")!, NOW), "ended");
  assert.equal(eksVersion("9.9"), undefined);
});

Deno.test("other regions: what is the same everywhere is known, the rest is said to be unknown", () => {
  const { rows, perHour, complete } = cost(STACK, "eu-central-1");
  assert.ok(!complete);
  assert.ok(Math.abs(perHour - (0.1 + 0.005 + 1 / 730)) < 0.0001);
  const nat = rows.find((row) => row.what === "NAT gateway");
  assert.equal(nat?.perHour, undefined);
  assert.match(nat?.note ?? "", /price unknown for eu-central-1/);
  assert.equal(cost(STACK, "cn-north-1").perHour, 0);
  const table = costTable(cost(STACK, "eu-central-1"));
  assert.match(
    table.at(-1)!.join(" "),
    /sum of what is known {2}0\.106 eu-central-1, prices of 2026/,
  );
});

Deno.test("another region's list is named; what was never found out is unknown", () => {
  assert.match(costTable(cost(STACK)).at(-1)![3]!, /us-west-2, at the prices of us-east-1/);
  assert.match(costTable(cost(STACK, "us-east-1")).at(-1)![3]!, /^us-east-1, prices of 2026/);
  const volume = [{ type: "aws_ebs_volume", values: { size: 73, type: "gp3" } }];
  assert.deepEqual([cost(volume).perHour, cost(volume).complete], [0, false]);
  const live = { ...tablePrices("us-west-2"), table: { gp3Month: 0.1 } };
  const options = { resources: volume, zones: 2, kubernetesVersion: "1.33", now: NOW };
  assert.equal(infrastructureCost({ ...options, prices: live }).perHour, 0.01);
});

Deno.test("values that are not known before apply do not break the estimate", () => {
  const odd = cost([
    { type: "aws_eks_node_group", values: {} },
    { type: "aws_ebs_volume", values: { size: null } },
    { type: "aws_instance", values: { instance_type: "zz9.huge" } },
    { type: "aws_fsx_lustre_file_system", values: {} },
    { type: "constructor", values: {} },
    {
      type: "aws_ec2_capacity_reservation",
      values: { instance_type: "p5.48xlarge", instance_count: 2 },
    },
  ]);
  assert.ok(!odd.complete);
  assert.equal(odd.rows.length, 5);
  assert.equal(odd.perHour, 110.08);
});
