import assert from "node:assert/strict";
import {
  changeLines,
  countsText,
  type PlannedChange,
  readPlan,
  unexpectedLosses,
} from "./plan_summary.ts";
import { recordingPath } from "./testing.ts";

async function changes() {
  return readPlan(await Deno.readTextFile(recordingPath("show-changes.json")));
}

Deno.test("a recorded plan: counts, what is lost and why, all that will be there", async () => {
  const plan = await changes();
  assert.deepEqual(plan.counts, { create: 0, update: 1, replace: 1, delete: 0 });
  assert.ok(plan.applyable);
  assert.deepEqual(changeLines(plan.changes), [
    "replace  aws_nat_gateway.this (replace by request)",
    "change   aws_eks_cluster.this",
  ]);
  assert.equal(countsText(plan.counts), "1 to change, 1 to replace");
  assert.equal(plan.resources.length, 9);
  const group = plan.resources.find(({ type }) => type === "aws_eks_node_group");
  assert.deepEqual(group?.values["instance_types"], ["m6i.xlarge"]);
  const cluster = plan.before.find(({ type }) => type === "aws_eks_cluster");
  assert.equal(cluster?.values["name"], "sample");
});

Deno.test("resources of modules count, data sources do not; new outputs alone are applyable", () => {
  const plan = readPlan(JSON.stringify({
    resource_changes: [
      { address: "data.aws_x.y", mode: "data", type: "aws_x", change: { actions: ["read"] } },
      { address: "aws_x.y", mode: "managed", type: "aws_x", change: { actions: ["no-op"] } },
    ],
    output_changes: { name: { actions: ["create"] } },
    planned_values: {
      root_module: {
        child_modules: [{
          resources: [{ mode: "managed", type: "aws_nat_gateway" }],
          child_modules: [{ resources: [{ mode: "managed", type: "aws_eip", values: { a: 1 } }] }],
        }],
      },
    },
  }));
  assert.equal(plan.changes.length, 0);
  assert.ok(plan.applyable);
  assert.deepEqual(plan.resources.map(({ type }) => type), ["aws_nat_gateway", "aws_eip"]);
  assert.equal(countsText(plan.counts), "nothing to change");
  assert.equal(readPlan("{}").applyable, false);
});

Deno.test("many types are summed up, the most numerous first", () => {
  const change = (type: string, n: number): PlannedChange => ({
    address: `${type}.x[${n}]`,
    type,
    action: "create",
  });
  const list = [change("b", 0), change("a", 0), change("c", 0), change("c", 1)];
  assert.deepEqual(changeLines(list, 2), [
    "create   2 × c",
    "create   1 × a",
    "create   1 of 1 other types",
  ]);
});

Deno.test("what a later plan destroys besides what was agreed on is told", async () => {
  const agreed = await changes();
  assert.deepEqual(unexpectedLosses(agreed, agreed), []);
  const now = {
    ...agreed,
    changes: [...agreed.changes, {
      address: "aws_vpc.this",
      type: "aws_vpc",
      action: "delete" as const,
    }],
  };
  assert.deepEqual(unexpectedLosses(agreed, now), ["aws_vpc.this"]);
});
