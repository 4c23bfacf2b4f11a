import assert from "node:assert/strict";
import { diagnose } from "./diagnosis/diagnose.ts";
import { testEvent, testFacts, testPod } from "./diagnosis/testing.ts";
import type { ClusterFacts } from "./diagnosis/types.ts";
import type { KubeObject } from "../kube/types.ts";
import { currentEvent } from "./event_words.ts";
import type { ComponentState, GraphState } from "./graph_state.ts";
import { podState } from "./pod_state.ts";
import { rolloutLines } from "./rollout_view.ts";

const RUNNING = { state: { running: { startedAt: "x" } } };
const NOW = Date.parse("2026-03-01T10:01:05Z");

function component(pods: readonly KubeObject[], replicas: number, updated = replicas) {
  const states = pods.map(podState);
  const ready = states.filter((pod) => pod.ready).length;
  const state: ComponentState = {
    name: "Worker",
    type: "worker",
    replicas,
    image: "i",
    ready,
    updated,
    settled: false,
    pods: states,
    phrase: "",
  };
  return state;
}

function view(
  facts: ClusterFacts,
  replicas: number,
  more: { updated?: number; width?: number } = {},
) {
  const state = {
    name: "vllm",
    components: [component(facts.pods, replicas, more.updated)],
  } as unknown as GraphState;
  const moment = { state, facts, outdated: undefined };
  return rolloutLines(moment, diagnose(facts), { now: NOW, width: more.width ?? 80 });
}

function readyPod(name: string): KubeObject {
  const pod = testPod({ name, node: "a", main: RUNNING });
  pod["status"].conditions = [{ type: "Ready", status: "True" }];
  return pod;
}

Deno.test("a row counts how many pods are how far", () => {
  const pods = [
    testPod({ name: "a" }),
    testPod({ name: "b", node: "n" }),
    testPod({ name: "c", node: "n", main: RUNNING }),
    readyPod("d"),
    testPod({ name: "e", node: "n", deleted: true }),
  ];
  const lines = view(testFacts(pods), 4);
  assert.deepEqual(lines.map((line) => line.live), [
    "          wanted  scheduled  pulled  loading  ready",
    "  Worker       4          3       2        1      1",
  ]);
  assert.equal(
    lines[1]!.plain,
    "Worker: 1 of 4 ready, 1 loading, 1 pulling, 1 without a node",
  );
});

Deno.test("a rolling update says how many pods are of the new version", () => {
  const lines = view(testFacts([readyPod("a"), readyPod("b")]), 2, { updated: 0 });
  assert.match(lines[1]!.live, /updating$/);
  assert.equal(lines[1]!.plain, "Worker: 2 of 2 ready, 0 of 2 updated");
});

Deno.test("a node that wakes up has a line of its own, and is not said twice", () => {
  const pool = "g5-gpu-karpenter";
  const pod = testPod({
    unscheduled: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    selector: { "karpenter.sh/nodepool": pool },
  });
  const claim = {
    apiVersion: "karpenter.sh/v1",
    kind: "NodeClaim",
    metadata: {
      name: `${pool}-abcde`,
      labels: {
        "karpenter.sh/nodepool": pool,
        "node.kubernetes.io/instance-type": "g5.12xlarge",
      },
    },
    status: { conditions: [{ type: "Launched", status: "True" }] },
  };
  const nodePool = { apiVersion: "karpenter.sh/v1", kind: "NodePool", metadata: { name: pool } };
  const lines = view(testFacts([pod], { nodePools: [nodePool], nodeClaims: [claim] }), 1);
  assert.deepEqual(lines.slice(2).map((line) => line.plain), [
    "g5-gpu-karpenter: EC2 has started g5.12xlarge, which has not joined the cluster yet",
  ]);
});

Deno.test("what is in the way is wrapped at the terminal's width, and marked", () => {
  const pod = testPod({
    unscheduled: "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    selector: { disk: "nvme", zone: "us-west-2a" },
  });
  const lines = view(testFacts([pod]), 1, { width: 50 }).slice(2);
  assert.ok(lines.length > 1);
  assert.match(lines[0]!.live, /^ {2}! Worker: none of the cluster's 3 nodes/);
  assert.ok(lines.every((line) => line.live.length < 50));
  assert.deepEqual(lines.slice(1).map((line) => line.plain), lines.slice(1).map(() => undefined));
});

Deno.test("events in plain words: the newest that says something", () => {
  const pod = testPod({ node: "ip-1" });
  const at = (reason: string, message: string, second: string) =>
    testEvent(pod, reason, message, { lastTimestamp: `2026-03-01T10:00:${second}Z` });
  const events = [
    at("Scheduled", "Successfully assigned d/vllm-worker to ip-10-0-0-1.ec2.internal", "01"),
    at("Pulling", 'Pulling image "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1"', "02"),
    at("Error", "something else", "09"),
  ];
  const text = (count: number) =>
    currentEvent(testFacts([pod], { events: events.slice(0, count) }));
  assert.equal(text(1)?.text, "Worker: placed on ip-10-0-0-1.ec2.internal");
  assert.equal(text(3)?.text, "Worker: pulling image vllm-runtime:1.6.1");
  const foreign = testEvent(testPod({ name: "other" }), "Pulling", "x");
  assert.equal(currentEvent(testFacts([pod], { events: [foreign] })), undefined);
  const pulled = at(
    "Pulled",
    'Successfully pulled image "a/b:1" in 3m2.1s (3m2.1s including waiting)',
    "03",
  );
  assert.equal(
    currentEvent(testFacts([pod], { events: [pulled] }))?.text,
    "Worker: image b:1 pulled in 3m2.1s",
  );
  const lines = view(testFacts([pod], { events: events.slice(0, 2) }), 1);
  assert.equal(
    lines.at(-1)!.live,
    "  Latest: Worker: pulling image vllm-runtime:1.6.1 (1 min 3 s ago)",
  );
});
