import assert from "node:assert/strict";
import { choosePodAddress } from "./pod_address.ts";
import { type ContainerView, podPhase, podStatus, sameStatus } from "./pod_status.ts";
import type { Pod, PodStatus, TerminatedState } from "./pod_types.ts";

const END: TerminatedState = { exitCode: 137, signal: 9, reason: "Error" };
const DONE: TerminatedState = { exitCode: 0, reason: "Completed" };
const NOW = "2026-01-01T00:00:00Z";
const LATER = "2026-01-01T00:01:00Z";

function pod(restartPolicy: "Always" | "OnFailure" | "Never" = "Always", status?: PodStatus): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "demo", uid: "u" },
    spec: { restartPolicy, containers: [{ name: "main" }] },
    ...(status === undefined ? {} : { status }),
  };
}

function view(state: ContainerView["state"], more: Partial<ContainerView> = {}): ContainerView {
  return {
    name: "main",
    image: "i",
    state,
    restartCount: 0,
    started: false,
    ready: false,
    ...more,
  };
}

const waiting = view({ kind: "waiting", reason: "ContainerCreating" });
const running = view({ kind: "running", startedAt: NOW }, { started: true, ready: true });
const crashed = view({ kind: "waiting", reason: "CrashLoopBackOff" }, { last: END });
const failed = view({ kind: "terminated", end: END });
const done = view({ kind: "terminated", end: DONE });

const phases: [
  string,
  "Always" | "OnFailure" | "Never",
  ContainerView[],
  ContainerView[],
  string,
][] = [
  ["new", "Always", [waiting], [], "Pending"],
  ["running", "Always", [running], [], "Running"],
  ["one still waits", "Always", [running, waiting], [], "Pending"],
  ["waits for its restart", "Always", [crashed], [], "Running"],
  ["ended, always", "Always", [done], [], "Running"],
  ["done, on failure", "OnFailure", [done], [], "Succeeded"],
  ["failed, on failure", "OnFailure", [failed], [], "Running"],
  ["failed, never", "Never", [failed, done], [], "Failed"],
  ["init not done", "Always", [waiting], [waiting], "Pending"],
  ["init failed", "Always", [running], [failed], "Pending"],
  ["side container runs", "Always", [running], [running], "Running"],
];
for (const [name, policy, containers, init, expected] of phases) {
  Deno.test(`podPhase: ${name}`, () => {
    assert.equal(podPhase(pod(policy), containers, init), expected);
  });
}

function statusOf(of: Pod, containers: ContainerView[], now = NOW, init: ContainerView[] = []) {
  return podStatus({
    pod: of,
    containers,
    initContainers: init,
    podIP: "10.244.0.9",
    hostIP: "127.0.0.1",
    now,
  });
}

const condition = (status: PodStatus, type: string) =>
  status.conditions?.find((one) => one.type === type);

Deno.test("conditions of others stay, times change with the status only", () => {
  const scheduled = { type: "PodScheduled", status: "True" as const, lastTransitionTime: NOW };
  const first = statusOf(pod("Always", { conditions: [scheduled] }), [waiting]);
  assert.deepEqual(condition(first, "PodScheduled"), scheduled);
  assert.equal(condition(first, "Ready")?.message, "containers with unready status: [main]");
  const second = statusOf(pod("Always", first), [waiting], LATER);
  assert.ok(sameStatus(first, second));
  const third = statusOf(pod("Always", second), [running], LATER);
  assert.ok(!sameStatus(second, third));
  assert.deepEqual(condition(third, "Ready"), {
    type: "Ready",
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: LATER,
  });
  assert.equal(condition(third, "Initialized")?.lastTransitionTime, NOW);
  assert.equal(third.startTime, NOW);
});

Deno.test("a restarted container shows how it ended", () => {
  const status = statusOf(pod(), [{ ...running, restartCount: 1, last: END, processId: 77 }]);
  assert.deepEqual(status.containerStatuses, [{
    name: "main",
    image: "i",
    imageID: "local://i",
    containerID: "process://77",
    ready: true,
    started: true,
    restartCount: 1,
    state: { running: { startedAt: NOW } },
    lastState: { terminated: END },
  }]);
});

Deno.test("a completed pod is not ready and says so", () => {
  const status = statusOf(pod("Never"), [done]);
  assert.equal(status.phase, "Succeeded");
  assert.equal(condition(status, "Ready")?.reason, "PodCompleted");
});

Deno.test("a status that the server has filled in is still the same", () => {
  const status = statusOf(pod(), [running]);
  const stored = { ...structuredClone(status), qosClass: "BestEffort" } as PodStatus;
  delete (stored.conditions![0] as { lastProbeTime?: unknown }).lastProbeTime;
  assert.ok(sameStatus(stored, status));
});

Deno.test("pod addresses are unique and stay below 10.244", () => {
  const taken = new Set<string>();
  for (let i = 0; i < 500; i++) taken.add(choosePodAddress(`uid-${i}`, taken));
  assert.equal(taken.size, 500);
  for (const address of taken) assert.match(address, /^10\.244\.\d{1,3}\.\d{1,3}$/);
  assert.equal(choosePodAddress("a", new Set()), choosePodAddress("a", new Set()));
});
