import assert from "node:assert/strict";
import { isRolledOut } from "./rolled_out.ts";
import type { KubeObject } from "./types.ts";

function workload(kind: string, status: Record<string, number>): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "x", generation: 2 },
    spec: { replicas: 2 },
    status,
  };
}

Deno.test("a Deployment is rolled out when only new pods are left, and all are ready", () => {
  const done = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2 };
  assert.equal(isRolledOut(workload("Deployment", done)), true);
  for (
    const late of [
      { observedGeneration: 1 },
      { updatedReplicas: 1 },
      { replicas: 3 },
      { readyReplicas: 1 },
    ]
  ) assert.equal(isRolledOut(workload("Deployment", { ...done, ...late })), false);
});

Deno.test("a DaemonSet wants what its nodes ask for, which may be none", () => {
  const done = {
    observedGeneration: 2,
    desiredNumberScheduled: 3,
    numberReady: 3,
    updatedNumberScheduled: 3,
  };
  assert.equal(isRolledOut(workload("DaemonSet", done)), true);
  assert.equal(isRolledOut(workload("DaemonSet", { ...done, updatedNumberScheduled: 2 })), false);
  assert.equal(isRolledOut(workload("DaemonSet", { observedGeneration: 2 })), true);
});
