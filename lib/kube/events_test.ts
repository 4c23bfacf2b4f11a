import assert from "node:assert/strict";
import { eventLines, evidence, explainPod } from "./events.ts";
import type { Kube, KubeObject, LogOptions } from "./types.ts";

const EVENTS = [
  {
    type: "Warning",
    reason: "BackOff",
    message: "Back-off",
    count: 7,
    lastTimestamp: "2026-01-03T00:00:00Z",
  },
  {
    type: "Normal",
    reason: "Scheduled",
    message: "Assigned\n to g5",
    eventTime: "2026-01-01T00:00:00Z",
  },
  {
    type: "Normal",
    reason: "Pulled",
    message: "Pulled",
    series: { count: 2, lastObservedTime: "2026-01-02T00:00:00Z" },
  },
];

const CRASHING = {
  phase: "Running",
  conditions: [
    { type: "PodScheduled", status: "True" },
    { type: "Ready", status: "False", reason: "ContainersNotReady", message: "not ready: [main]" },
  ],
  initContainerStatuses: [
    { name: "prepare", ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } },
  ],
  containerStatuses: [
    {
      name: "main",
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    },
    { name: "sidecar", ready: true, restartCount: 0, state: { running: {} } },
  ],
};

function podOf(name: string, status: object): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "ns" }, status };
}

function cluster(pods: readonly KubeObject[], logsAsked: LogOptions[] = []): Kube {
  const kube: Partial<Record<keyof Kube, unknown>> = {
    get: ({ name }: { name: string }) =>
      Promise.resolve(pods.find((pod) => pod.metadata.name === name)),
    list: ({ kind }: { kind: string }) =>
      Promise.resolve({
        items: kind === "Pod"
          ? [...pods]
          : EVENTS.map((event) => ({ apiVersion: "v1", kind, metadata: { name: "e" }, ...event })),
        resourceVersion: "1",
      }),
    async *logs(_pod: unknown, options: LogOptions) {
      logsAsked.push(options);
      yield "loading";
      yield "\u001b[31mCUDA out of memory\u001b[0m\r";
      await Promise.resolve();
      yield "x".repeat(1000);
    },
  };
  return kube as unknown as Kube;
}

Deno.test("a crashing pod is explained by conditions, events, containers and the last log", async () => {
  const asked: LogOptions[] = [];
  const lines = await explainPod(cluster([podOf("web", CRASHING)], asked), {
    name: "web",
    namespace: "ns",
  }, { logLines: 3 });
  assert.deepEqual(lines.slice(0, -1), [
    "pod web: Running, not ready",
    "  Ready is false: ContainersNotReady, not ready: [main]",
    "  Normal Scheduled: Assigned to g5",
    "  Normal Pulled ×2: Pulled",
    "  Warning BackOff ×7: Back-off",
    "  container main: waiting: CrashLoopBackOff, back-off 40s, 3 restarts; before that it ended with exit code 137 (OOMKilled)",
    "    loading",
    "    CUDA out of memory",
  ]);
  assert.equal(lines.at(-1)!.length, 300);
  assert.deepEqual(asked, [{ container: "main", tailLines: 3, previous: true }]);
});

Deno.test("a container that never ran has no log to ask for", async () => {
  const asked: LogOptions[] = [];
  const status = {
    phase: "Pending",
    containerStatuses: [
      {
        name: "main",
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: "ImagePullBackOff" } },
      },
    ],
  };
  const lines = await explainPod(cluster([podOf("web", status)], asked), {
    name: "web",
    namespace: "ns",
  });
  assert.equal(lines.at(-1), "  container main: waiting: ImagePullBackOff");
  assert.deepEqual(asked, []);
});

Deno.test("evidence shows troubled pods first, and counts the rest", async () => {
  const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  const pods = [podOf("fine", ready), ...["a", "b", "c"].map((name) => podOf(name, CRASHING))];
  const lines = await evidence(cluster(pods), { namespace: "ns", pods: 2, events: 0, logLines: 0 });
  assert.deepEqual(lines.filter((line) => !line.startsWith(" ")), [
    "pod a: Running, not ready",
    "pod b: Running, not ready",
    "1 more pods are not ready",
  ]);
  assert.deepEqual(await evidence(cluster([]), { namespace: "ns" }), ["no pods in ns"]);
});

Deno.test("nothing here throws", async () => {
  const away = () => Promise.reject(new Error("the server is away"));
  const kube = { get: away, list: away } as unknown as Kube;
  const pod = { name: "web", namespace: "ns" };
  assert.deepEqual(await explainPod(kube, pod), ["pod web cannot be read: the server is away"]);
  assert.deepEqual(await explainPod(cluster([]), pod), ["pod web: it is gone"]);
  const ref = { apiVersion: "v1", kind: "Pod", ...pod };
  assert.deepEqual(await evidence(kube, { namespace: "ns", objects: [ref] }), [
    "  events of web cannot be read: the server is away",
    "pods cannot be read: the server is away",
  ]);
  assert.equal((await eventLines(cluster([]), ref, { events: 1 })).length, 1);
});
