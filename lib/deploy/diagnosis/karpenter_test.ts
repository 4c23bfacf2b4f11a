import assert from "node:assert/strict";
import type { KubeObject } from "../../kube/types.ts";
import { diagnose } from "./diagnose.ts";
import { claimWords } from "./karpenter.ts";
import { testEvent, testFacts, testPod } from "./testing.ts";
import type { ClusterFacts } from "./types.ts";

const POOL = "g5-gpu-karpenter";
const MESSAGE = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.";
const pod = testPod({ unscheduled: MESSAGE, selector: { "karpenter.sh/nodepool": POOL } });
const KARPENTER = { reportingComponent: "karpenter" };

function pool(name: string, ready = "True", message = ""): KubeObject {
  const conditions = [{ type: "Ready", status: ready, reason: "NodeClassNotReady", message }];
  return {
    apiVersion: "karpenter.sh/v1",
    kind: "NodePool",
    metadata: { name },
    status: { conditions },
  };
}

function claim(conditions: Record<string, string>, more: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: "karpenter.sh/v1",
    kind: "NodeClaim",
    metadata: {
      name: `${POOL}-x7k2p`,
      labels: {
        "karpenter.sh/nodepool": POOL,
        ...(conditions["Launched"] === "True"
          ? { "node.kubernetes.io/instance-type": "g5.12xlarge" }
          : {}),
      },
    },
    status: {
      nodeName: "ip-10-1-2-3.ec2.internal",
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, ...more })),
    },
  };
}

function one(more: Partial<ClusterFacts>) {
  const facts = testFacts([pod], { nodes: [], nodePools: [pool(POOL)], nodeClaims: [], ...more });
  const found = diagnose(facts);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0]!;
}

const refused = (message: string) => ({
  events: [testEvent(pod, "FailedScheduling", message, KARPENTER)],
});

Deno.test("a node on its way is followed, and may still come", () => {
  const steps = [
    [claim({ Launched: "Unknown" }), /Karpenter asks EC2 for a node of pool g5/],
    [claim({ Launched: "True" }), /EC2 has started g5\.12xlarge, which has not joined/],
    [
      claim({ Launched: "True", Registered: "True" }),
      /g5\.12xlarge has joined as ip-10-1-2-3\.ec2\.internal and is getting ready/,
    ],
  ] as const;
  const nominated = testEvent(
    pod,
    "Nominated",
    `Pod should schedule on: nodeclaim/${POOL}-x7k2p`,
    { ...KARPENTER, type: "Normal" },
  );
  for (const [nodeClaim, words] of steps) {
    const found = one({ nodeClaims: [nodeClaim], events: [nominated] });
    assert.deepEqual([found.code, found.final], ["NODE_STARTING", false]);
    assert.match(found.cause, words);
    assert.match(claimWords(nodeClaim), words);
  }
  assert.equal(one({ events: [nominated] }).code, "NODE_STARTING");
  assert.deepEqual([one({}).code, one({}).final], ["NODE_WANTED", false]);
});

Deno.test("quota: the node's order is refused for good", () => {
  const message = "creating instance, with fleet error(s), VcpuLimitExceeded: You have requested " +
    "more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the " +
    "specified instance type belongs to. (aws-error-code=VcpuLimitExceeded, aws-operation-name=CreateFleet)";
  const found = one({
    nodeClaims: [claim({ Launched: "Unknown" }, { reason: "LaunchFailed", message })],
  });
  assert.deepEqual([found.code, found.final], ["NODE_QUOTA", true]);
  assert.match(found.cause, /vCPU limit of 0/);
  assert.doesNotMatch(found.cause, /aws-error-code/);
});

Deno.test("no capacity: after Karpenter has taken the order back, its event tells", () => {
  const gone = claim({});
  const event = testEvent(
    gone,
    "InsufficientCapacityError",
    `NodeClaim ${POOL}-x7k2p event: insufficient capacity, all requested instance types were ` +
      "unavailable during launch",
  );
  const found = one({ events: [event] });
  assert.deepEqual([found.code, found.final], ["NODE_CAPACITY", true]);
  assert.ok(found.graceMs > 180_000, "Karpenter tries again after 3 minutes");
  const old = { ...event, lastTimestamp: "2026-03-01T09:00:00Z" };
  assert.equal(one({ events: [old] }).code, "NODE_WANTED", "of a deployment before");
  const launched = claim({ Launched: "True" });
  assert.equal(one({ events: [event], nodeClaims: [launched] }).code, "NODE_STARTING");
});

Deno.test("rights and others", () => {
  const of = (message: string) =>
    one({ nodeClaims: [claim({ Launched: "Unknown" }, { reason: "LaunchFailed", message })] });
  const denied = of(
    "creating instance, with fleet error(s), UnauthorizedOperation: You are not authorized",
  );
  assert.deepEqual([denied.code, denied.final], ["NODE_LAUNCH", true]);
  const other = of("creating instance, with fleet error(s), RequestThrottled: slow down");
  assert.deepEqual([other.code, other.final], ["NODE_LAUNCH", false]);
});

Deno.test("Karpenter's reason for the pod's own pool counts", () => {
  const cpu = 'incompatible with nodepool "cpu-karpenter", daemonset overhead={"cpu":"240m"}, ' +
    "incompatible requirements, key karpenter.sh/nodepool, karpenter.sh/nodepool In " +
    `[${POOL}] not in karpenter.sh/nodepool In [cpu-karpenter]`;
  const own = (why: string) =>
    one(refused(
      `Failed to schedule pod, incompatible with nodepool "${POOL}", daemonset overhead={"cpu":"240m"}, ${why}; ${cpu}`,
    ));
  const taint = own("did not tolerate team=ml:NoSchedule");
  assert.deepEqual([taint.code, taint.final], ["TAINT", true]);
  assert.match(taint.cause, /taint team=ml:NoSchedule of pool g5/);
  const large = own(
    'no instance type satisfied resources {"nvidia.com/gpu":"16"} and requirements ' +
      "node.kubernetes.io/instance-type In [g5.48xlarge] (no instance type has enough resources)",
  );
  assert.deepEqual([large.code, large.final], ["NODE_UNFIT", true]);
  assert.doesNotMatch(large.cause, /cpu-karpenter/);
  const limits = one(
    refused(`all available instance types exceed limits for nodepool: "${POOL}"; ${cpu}`),
  );
  assert.equal(limits.code, "NODE_POOL_LIMIT");
});

Deno.test("a pool that Karpenter does not have, and one that is not ready", () => {
  assert.equal(one({ nodePools: [pool("other")] }).code, "NODE_POOL_UNKNOWN");
  const notReady = one({ nodePools: [pool(POOL, "False", "Failed to resolve subnets")] });
  assert.equal(notReady.code, "NODE_POOL_NOT_READY");
  assert.match(notReady.cause, /Failed to resolve subnets/);
});
