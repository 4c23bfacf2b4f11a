import assert from "node:assert/strict";
import { resolveServicePod } from "./service_pod.ts";
import type { Kube, KubeObject } from "./types.ts";

interface PodOptions {
  readonly ready?: boolean;
  readonly created?: string;
  readonly ending?: boolean;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

function pod(name: string, options: PodOptions = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "ns",
      creationTimestamp: options.created ?? "2026-01-01T00:00:00Z",
      ...(options.ending ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {}),
    },
    spec: { containers: [{ name: "main", ports: options.ports ?? [] }] },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: options.ready === false ? "False" : "True" }],
    },
  };
}

/** A cluster with one Service and these pods; it remembers the selector. */
function cluster(spec: object, pods: readonly KubeObject[]): Pick<Kube, "get" | "list"> & {
  asked?: unknown;
} {
  const metadata = { name: "web", namespace: "ns" };
  const service = { apiVersion: "v1", kind: "Service", metadata, spec };
  return {
    // deno-lint-ignore no-explicit-any -- the type of the object is the caller's
    get: (ref) => Promise.resolve((ref.name === "web" ? service : undefined) as any),
    list(_kind, options) {
      this.asked = options;
      // deno-lint-ignore no-explicit-any -- the type of the objects is the caller's
      return Promise.resolve({ items: [...pods] as any[], resourceVersion: "1" });
    },
  };
}

const resolve = (kube: Pick<Kube, "get" | "list">, port: number | string, service = "web") =>
  resolveServicePod(kube as Kube, { namespace: "ns", service, port });

const SPEC = {
  selector: { app: "web", part: "front" },
  clusterIP: "10.0.0.1",
  ports: [{ name: "http", port: 80, targetPort: 8000 }],
};

Deno.test("the oldest ready pod is taken, with the Service's target port", async () => {
  const kube = cluster(SPEC, [
    pod("young", { created: "2026-01-05T00:00:00Z" }),
    pod("unready", { ready: false }),
    pod("ending", { ending: true }),
    pod("old", { created: "2026-01-03T00:00:00Z" }),
  ]);
  assert.deepEqual(await resolve(kube, 80), { namespace: "ns", name: "old", port: 8000 });
  assert.deepEqual(await resolve(kube, "http"), { namespace: "ns", name: "old", port: 8000 });
  assert.deepEqual(kube.asked, { namespace: "ns", labelSelector: "app=web,part=front" });
});

Deno.test("named target ports are looked up in the pod's containers", async () => {
  const spec = { ...SPEC, ports: [{ port: 80, targetPort: "web" }] };
  const ports = [{ containerPort: 9090 }, { name: "web", containerPort: 8123 }];
  assert.equal((await resolve(cluster(spec, [pod("a", { ports })]), 80)).port, 8123);
  await assert.rejects(resolve(cluster(spec, [pod("a", { ports: [{ containerPort: 1 }] })]), 80), {
    code: "SERVICE_PORT_UNKNOWN",
    message: /leads to the port "web", which pod a does not have/,
  });
});

Deno.test("without a target port, or headless, the port is the Service's", async () => {
  const plain = { ...SPEC, ports: [{ port: 80 }] };
  assert.equal((await resolve(cluster(plain, [pod("a")]), 80)).port, 80);
  const headless = { ...SPEC, clusterIP: "None" };
  assert.equal((await resolve(cluster(headless, [pod("a")]), 80)).port, 80);
});

Deno.test("what is missing is named", async () => {
  const ready = [pod("a")];
  await assert.rejects(resolve(cluster(SPEC, ready), 80, "none"), {
    code: "SERVICE_MISSING",
    exitCode: 3,
    message: "There is no Service ns/none",
  });
  await assert.rejects(resolve(cluster(SPEC, ready), 81), {
    code: "SERVICE_PORT_UNKNOWN",
    hint: "Its ports: 80 (http).",
  });
  await assert.rejects(resolve(cluster({ ...SPEC, selector: {} }, ready), 80), {
    code: "SERVICE_NO_SELECTOR",
  });
  await assert.rejects(resolve(cluster(SPEC, []), 80), {
    code: "SERVICE_NOT_READY",
    message: "There are no pods behind Service ns/web",
  });
  await assert.rejects(resolve(cluster(SPEC, [pod("a", { ready: false })]), 80), {
    code: "SERVICE_NOT_READY",
    evidence: ["a: Running"],
  });
});
