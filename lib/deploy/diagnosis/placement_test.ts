import assert from "node:assert/strict";
import { diagnose } from "./diagnose.ts";
import { lastingTaints, readSchedulerMessage } from "./scheduler_message.ts";
import { testEvent, testFacts, testNode, testPod } from "./testing.ts";
import type { ClusterFacts } from "./types.ts";

const POOL = "g5-gpu-karpenter";
const NODES = [testNode("a", POOL, 4), testNode("b", POOL, 8), testNode("c", "cpu-karpenter", 0)];

function one(unscheduled: string, pod = {}, more: Partial<ClusterFacts> = {}) {
  const pods = [
    testPod({ unscheduled, selector: { "karpenter.sh/nodepool": POOL }, ...pod }),
  ];
  const found = diagnose(testFacts(pods, { nodes: NODES, ...more }));
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0]!;
}

const NO_GPU = "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, " +
  "2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are " +
  "available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for " +
  "incoming pod.";

Deno.test("the scheduler's message is taken apart", () => {
  assert.deepEqual(readSchedulerMessage(NO_GPU), {
    nodes: 3,
    refusals: [
      { nodes: 1, reason: "didn't match Pod's node affinity/selector" },
      { nodes: 2, reason: "Insufficient nvidia.com/gpu" },
    ],
  });
  assert.deepEqual(
    readSchedulerMessage(
      "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: " +
        "0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
    ).refusals,
    [{ nodes: 0, reason: "pod has unbound immediate PersistentVolumeClaims" }],
  );
  assert.deepEqual(readSchedulerMessage("no nodes available to schedule pods").nodes, undefined);
});

Deno.test("taints that pass are not those that stay", () => {
  assert.deepEqual(lastingTaints("had untolerated taint(s) {nvidia.com/gpu: true}"), [
    "nvidia.com/gpu=true",
  ]);
  assert.deepEqual(lastingTaints("had untolerated taint {nvidia.com/gpu: }"), ["nvidia.com/gpu"]);
  assert.deepEqual(lastingTaints("had untolerated taint {node.kubernetes.io/not-ready: }"), []);
  assert.deepEqual(lastingTaints("Insufficient cpu {x}"), []);
});

Deno.test("a pool that does not exist is named with those that do", () => {
  const found = one(
    "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    {
      selector: { "karpenter.sh/nodepool": "p6-b200" },
    },
  );
  assert.equal(found.code, "NODE_POOL_UNKNOWN");
  assert.equal(found.final, true);
  assert.match(found.cause, /no node pool p6-b200; there are cpu-karpenter, g5-gpu-karpenter/);
});

Deno.test("GPUs that are all in use", () => {
  const found = one(NO_GPU);
  assert.equal(found.code, "GPU_CAPACITY");
  assert.equal(found.final, true);
  assert.match(found.cause, /1 GPU .* not free in node pool g5-gpu-karpenter \(2 nodes, 12 GPUs\)/);
});

Deno.test("GPUs that a pod is just leaving are waited for", () => {
  const pods = [
    testPod({ unscheduled: NO_GPU }),
    testPod({ name: "old", node: "a", deleted: true }),
  ];
  const [found] = diagnose(testFacts(pods, { nodes: NODES }));
  assert.equal(found?.code, "GPU_CAPACITY");
  assert.equal(found?.final, false);
});

Deno.test("a rolling update without a free GPU is told how to go on", () => {
  const pods = [testPod({ unscheduled: NO_GPU }), testPod({ name: "old", node: "a" })];
  const found = diagnose(testFacts(pods, { nodes: NODES })).find((d) => d.code === "GPU_CAPACITY");
  assert.match(found?.hint ?? "", /deployment-strategy: Recreate/);
});

Deno.test("more GPUs than any node has, and nodes without any", () => {
  assert.equal(one(NO_GPU, { gpus: 16 }).code, "GPU_TOO_MANY");
  assert.match(one(NO_GPU, { gpus: 16 }).cause, /16 GPUs, and the largest node .* has 8/);
  const none = one(NO_GPU, {}, { nodes: [testNode("a", POOL, 0)] });
  assert.equal(none.code, "GPU_MISSING");
  assert.match(none.hint, /device plugin/);
});

Deno.test("taints, selectors and full nodes", () => {
  const taint = one(
    "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) had " +
      "untolerated taint(s) {team: ml}. preemption: 0/3 nodes are available: 3 Preemption is not " +
      "helpful for scheduling.",
  );
  assert.equal(taint.code, "TAINT");
  assert.match(taint.cause, /team=ml/);
  const selector = one(
    "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    { selector: { disk: "nvme" } },
  );
  assert.equal(selector.code, "NODE_SELECTOR");
  assert.match(selector.cause, /none of the cluster's 3 nodes matches .* disk=nvme/);
  assert.equal(one("0/3 nodes are available: 3 Insufficient memory.").code, "NODE_FULL");
});

Deno.test("cordoned and starting nodes may still take it", () => {
  for (
    const reason of ["were unschedulable", "had untolerated taint {node.kubernetes.io/not-ready: }"]
  ) {
    const found = one(`0/3 nodes are available: 3 node(s) ${reason}.`);
    assert.equal(found.code, "NODE_NONE");
    assert.equal(found.final, false);
  }
});

Deno.test("the cluster autoscaler's word counts", () => {
  const pod = testPod({ unscheduled: NO_GPU });
  const with_ = (reason: string, message: string) =>
    diagnose(testFacts([pod], { nodes: NODES, events: [testEvent(pod, reason, message)] }))[0]!;
  const coming = with_("TriggeredScaleUp", "pod triggered scale-up: [{eks-gpu 0->1 (max: 4)}]");
  assert.deepEqual([coming.code, coming.final], ["NODE_STARTING", false]);
  const not = with_(
    "NotTriggerScaleUp",
    "pod didn't trigger scale-up: 1 max node group size reached",
  );
  assert.deepEqual([not.code, not.final], ["NODE_NOT_STARTED", true]);
});

Deno.test("a pod that was not looked at yet has no trouble", () => {
  const fresh = testPod();
  fresh.status = { phase: "Pending" };
  assert.deepEqual(diagnose(testFacts([fresh], { nodes: NODES })), []);
});
