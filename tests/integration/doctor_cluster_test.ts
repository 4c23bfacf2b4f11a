import assert from "node:assert/strict";
import { loadBlueprint } from "../../lib/blueprint/blueprint.ts";
import { releaseOf } from "../../lib/blueprint/flags.ts";
import { type Context, withContext } from "../../lib/cli/context.ts";
import { fixedEnvironment } from "../../lib/cli/testing.ts";
import { diagnose } from "../../lib/doctor/doctor.ts";
import type { Line } from "../../lib/doctor/types.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { withCluster } from "./cluster.ts";
import { readyPods } from "./ready_pods.ts";

const DEFAULT = "storageclass.kubernetes.io/is-default-class";

function storageClass(name: string, isDefault: boolean): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name, annotations: { [DEFAULT]: String(isDefault) } },
    provisioner: "example.com/none",
  };
}

function operator(namespace: string, version: string): KubeObject {
  const labels = { app: "operator" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "dynamo-platform-dynamo-operator-controller-manager", namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            { name: "manager", image: `nvcr.io/nvidia/ai-dynamo/kubernetes-operator:${version}` },
          ],
        },
      },
    },
  };
}

const OPERATOR = (namespace: string): ObjectRef => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace,
  name: "dynamo-platform-dynamo-operator-controller-manager",
});

async function waitUntilReady(kube: Kube, namespace: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  const { apiVersion, kind } = OPERATOR(namespace);
  for await (const event of kube.watch({ apiVersion, kind }, { namespace, signal })) {
    const items = event.type === "SYNC" ? event.items : [event.object];
    if (items.some((one) => one["status"]?.readyReplicas === 1)) return;
  }
  throw new Error("the Deployment did not get ready within 30 s");
}

/** The doctor's lines about the cluster of a kubeconfig, which it reaches as any context. */
async function lines(
  ctx: Context,
  kubeconfig: string,
  options: { readonly namespace: string; readonly version: string },
): Promise<Record<string, Line>> {
  const own = withContext(ctx, {
    env: fixedEnvironment({ KUBECONFIG: kubeconfig, DYNAMO_BLUEPRINT: "/dev/null" }),
    net: {
      ...ctx.net,
      // Charts are looked for elsewhere; this test sends nothing there.
      fetch: ((input: string, init?: RequestInit) =>
        String(input).includes("helm.ngc.nvidia.com")
          ? Promise.reject(new TypeError("not here"))
          : fetch(input, init)) as typeof fetch,
    },
  });
  const blueprint = await loadBlueprint(own, {
    flags: { "dynamo-version": options.version, namespace: options.namespace },
  });
  const report = await diagnose(own, { kind: "context", blueprint, release: releaseOf(blueprint) });
  return Object.fromEntries(report.checks.map((line) => [line.id, line]));
}

Deno.test("doctor on a real API server: StorageClass, operator, definitions, driver", async () => {
  await withCluster(async ({ ctx, kube, cluster, namespace }) => {
    const look = (version: string, inNamespace = namespace) =>
      lines(ctx, cluster.layout.kubeconfig, { namespace: inNamespace, version });
    // The embedded cluster's own class steps back, and is put right at the end.
    const mark = (value: boolean) =>
      kube.patch({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", name: "gp3" }, "merge", {
        metadata: { annotations: { [DEFAULT]: String(value) } },
      });
    const made = [storageClass(`a-${namespace}`, false), storageClass(`b-${namespace}`, true)];
    const node: KubeObject = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: `gpu-${namespace}`, labels: { "nvidia.com/cuda.driver.major": "570" } },
    };
    try {
      await mark(false);
      let found = await look("1.6.1");
      assert.equal(found["cluster"]!.status, "ok");
      assert.match(found["cluster"]!.why, /answers, Kubernetes v1\./);
      assert.equal(found["storage-class"]!.status, "warn");
      assert.equal(
        (await look("0.4.1"))["storage-class"]!.status,
        "fail",
        "etcd and NATS need one",
      );
      assert.match(found["operator"]!.why, /not there yet/);
      assert.match(found["definitions"]!.why, /not there yet/);

      for (const one of made) await kube.apply(one);
      await kube.apply(operator(namespace, "1.5.1"));
      found = await look("1.6.1");
      assert.equal(found["storage-class"]!.why, `b-${namespace} is the default`);
      assert.equal(found["operator"]!.status, "fail");
      assert.match(found["operator"]!.why, /is not ready/);

      const stop = new AbortController();
      const kubelet = readyPods(kube, namespace, stop.signal);
      await kube.patch(OPERATOR(namespace), "merge", { spec: { replicas: 1 } });
      await waitUntilReady(kube, namespace);
      found = await look("1.6.1");
      assert.equal(found["operator"]!.status, "warn");
      assert.match(found["operator"]!.why, /kubernetes-operator:1\.5\.1, and .* wants 1\.6\.1/);
      assert.equal((await look("1.5.1"))["operator"]!.status, "ok");
      assert.match((await look("1.2.0"))["operator"]!.todo, /newer operator may refuse/);
      assert.match((await look("1.5.1", "elsewhere"))["operator"]!.todo, /Use --namespace test-/);
      await kube.delete(OPERATOR(namespace), { propagation: "Background" });
      stop.abort();
      await kubelet;

      await kube.create(node);
      await kube.patch(
        { apiVersion: "v1", kind: "Node", name: node.metadata.name },
        "merge",
        { status: { capacity: { "nvidia.com/gpu": "1" } } },
        "status",
      );
      found = await look("1.6.1");
      assert.equal(found["gpu-driver"]!.status, "fail");
      assert.match(found["gpu-driver"]!.why, new RegExp(`needs 580: .*gpu-${namespace} has 570`));
      assert.equal((await look("1.0.2"))["gpu-driver"]!.status, "ok");

      await kube.apply({ ...made[0]!, metadata: storageClass(`a-${namespace}`, true).metadata });
      assert.match((await look("1.6.1"))["storage-class"]!.why, /are all marked as default/);
    } finally {
      await mark(true);
      await kube.delete({ apiVersion: "v1", kind: "Node", name: node.metadata.name });
      for (const { metadata } of made) {
        const { name } = metadata;
        await kube.delete({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", name });
      }
    }
  });
});
