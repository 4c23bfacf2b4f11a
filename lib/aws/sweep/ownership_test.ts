import assert from "node:assert/strict";
import { clusterNames, shortName } from "./names.ts";
import { asLeak } from "./ownership.ts";
import type { Resource } from "./types.ts";

const scope = { cluster: "dynamo", region: "us-west-2" };

function belonging(tags: Record<string, string>, more: Partial<Resource> = {}): string | undefined {
  const resource: Resource = { kind: "volume", id: "vol-1", name: "vol-1", tags, ...more };
  return asLeak(resource, scope)?.belonging;
}

Deno.test("only tags with the whole name make a resource the cluster's own", () => {
  assert.equal(belonging({ "dynamo-eks/cluster": "dynamo" }), "own");
  assert.equal(belonging({ "kubernetes.io/cluster/dynamo": "owned" }), "own");
  assert.equal(belonging({ "elbv2.k8s.aws/cluster": "dynamo" }), "own");
  for (const value of ["dynamo-2", "Dynamo", "dynam", "dynamo ", ""]) {
    assert.equal(belonging({ "dynamo-eks/cluster": value }), undefined, value);
  }
  assert.equal(belonging({ "kubernetes.io/cluster/dynamo-2": "owned" }), undefined);
  assert.equal(belonging({ Name: "dynamo" }), undefined);
});

Deno.test("hints and full names are told, never deleted", () => {
  assert.equal(belonging({ "karpenter.sh/discovery": "dynamo" }), "suspect");
  assert.equal(belonging({ "kubernetes.io/cluster/dynamo": "shared" }), "suspect");
  assert.equal(belonging({}, { named: true }), "suspect");
  assert.equal(belonging({ "dynamo-eks/cluster": "dynamo-2" }, { named: true }), undefined);
});

Deno.test("tags that name two clusters keep a resource", () => {
  const tags = { "dynamo-eks/cluster": "dynamo", "kubernetes.io/cluster/dynamo-2": "owned" };
  assert.equal(belonging(tags), "suspect");
});

Deno.test("what belongs to the account needs the region, too", () => {
  const tags = { "dynamo-eks/cluster": "dynamo" };
  const role = { kind: "role", named: true } as const;
  assert.equal(belonging(tags, { ...role, region: "us-west-2" }), "own");
  assert.equal(belonging(tags, { ...role, region: "us-east-1" }), undefined);
  assert.equal(belonging(tags, role), "suspect");
  assert.equal(belonging(tags, { kind: "role", region: "us-west-2" }), "suspect");
});

Deno.test("names of roles count as a whole", () => {
  const names = clusterNames(scope);
  assert.ok(names.isRole("dynamo-us-west-2-karpenter"));
  assert.ok(names.isRole("dynamo-cluster-20261124170000000000000001"));
  assert.ok(!names.isRegionalRole("dynamo-cluster-20261124170000000000000001"));
  for (
    const name of [
      "dynamo-us-east-1-karpenter",
      "dynamo-2-us-west-2-karpenter",
      "dynamo-us-west-2-karpenter-2",
      "dynamo-cluster-admin",
      "dynamo-core-team",
    ]
  ) {
    assert.ok(!names.isRole(name), name);
  }
});

Deno.test("long names are cut as terraform cuts them", () => {
  const long = "a-cluster-with-a-name-that-is-long";
  assert.match(shortName(long), /^a-cluster-with-a-nam-[0-9a-f]{6}$/);
  assert.notEqual(shortName(long), shortName(`${long}er`));
  assert.equal(shortName("dynamo"), "dynamo");
});
