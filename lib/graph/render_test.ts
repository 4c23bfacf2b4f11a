import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import type { KubeObject } from "../kube/types.ts";
import { listExamples, loadExample } from "./examples.ts";
import { parseGraph } from "./load.ts";
import { manifestYaml } from "./manifest.ts";
import { renderGraph, requiredSecrets } from "./render.ts";
import { GOLDEN_VERSIONS, renderedOrRefused, testRelease } from "./testing.ts";

const CACHED = parseGraph(
  `
name: cached
description: A test
engine: vllm
model: { id: a/b }
secrets: { huggingFace: hf-token-secret }
routing: { mode: kv }
cache:
  - { claim: models.v1, mountPath: /models, size: 100Gi, storageClass: efs-sc-dynamic }
  - { claim: there-already, mountPath: /data }
env: { A: all }
components:
  - { name: Frontend, role: frontend, nodePool: gpu-pool }
  - name: W
    role: worker
    replicas: 2
    gpus: 1
    nodePool: gpu-pool
    instanceType: g5.2xlarge
    sharedMemory: 16Gi
    tolerations: [{ key: team, operator: Equal, value: ml, effect: NoSchedule }]
    resources: { requests: { cpu: "2", ephemeral-storage: 50Gi }, limits: { vpc.amazonaws.com/efa: 1 } }
    env: { A: mine, TOKEN: { secret: other, key: k } }
`,
  "test",
);

// deno-lint-ignore no-explicit-any -- rendered objects are looked into by path
function render(version: string, options: { name?: string } = {}): any {
  return renderGraph(CACHED, testRelease(version), { namespace: "ns", ...options }).at(-1);
}

Deno.test("v1alpha1: every field has its place", () => {
  const { spec, metadata } = render("0.4.1", { name: "chat" });
  assert.equal(metadata.name, "chat");
  const worker = spec.services.W;
  assert.equal(worker.dynamoNamespace, "chat");
  assert.equal(worker.componentType, "worker");
  assert.deepEqual(worker.resources, {
    requests: { cpu: "2", custom: { "ephemeral-storage": "50Gi" } },
    limits: { custom: { "vpc.amazonaws.com/efa": "1" }, gpu: "1" },
  });
  assert.deepEqual(worker.sharedMemory, { size: "16Gi" });
  assert.equal(worker.envFromSecret, "hf-token-secret");
  const { mainContainer, ...pod } = worker.extraPodSpec;
  assert.deepEqual(pod.nodeSelector, {
    "karpenter.sh/nodepool": "gpu-pool",
    "node.kubernetes.io/instance-type": "g5.2xlarge",
  });
  assert.deepEqual(pod.tolerations.map((t: { key: string }) => t.key), ["nvidia.com/gpu", "team"]);
  assert.deepEqual(pod.volumes, [
    { name: "models-v1", persistentVolumeClaim: { claimName: "models.v1" } },
    { name: "there-already", persistentVolumeClaim: { claimName: "there-already" } },
  ]);
  assert.deepEqual(mainContainer.env, [
    { name: "DYNAMO_NAMESPACE", value: "chat" },
    { name: "HF_HOME", value: "/models" },
    { name: "A", value: "mine" },
    { name: "TOKEN", valueFrom: { secretKeyRef: { name: "other", key: "k" } } },
  ]);
});

Deno.test("v1beta1: every field has its place", () => {
  const [frontend, worker] = render("1.4.2").spec.components;
  assert.deepEqual(frontend.podTemplate.spec.containers[0].env, [
    { name: "DYN_ROUTER_MODE", value: "kv" },
    { name: "HF_HOME", value: "/models" },
    { name: "A", value: "all" },
  ]);
  assert.equal(worker.type, "worker");
  assert.equal(worker.sharedMemorySize, "16Gi");
  const main = worker.podTemplate.spec.containers[0];
  assert.equal(main.name, "main");
  assert.deepEqual(main.envFrom, [{ secretRef: { name: "hf-token-secret" } }]);
  assert.deepEqual(main.resources, {
    requests: { cpu: "2", "ephemeral-storage": "50Gi" },
    limits: { "vpc.amazonaws.com/efa": "1", "nvidia.com/gpu": "1" },
  });
});

Deno.test("a frontend in the workers' pool tolerates its taint", () => {
  assert.equal(
    render("0.4.1").spec.services.Frontend.extraPodSpec.tolerations[0].key,
    "nvidia.com/gpu",
  );
});

Deno.test("a long name of a blueprint is cut to a label's value", () => {
  const partOf = `${"a".repeat(61)}-_${"b".repeat(30)}`;
  const [object] = renderGraph(CACHED, testRelease("1.6.1"), { namespace: "ns", partOf });
  assert.equal(object?.metadata.labels?.["app.kubernetes.io/part-of"], "a".repeat(61));
});

Deno.test("claims come first, carry the labels, and only where a size is given", () => {
  const objects = renderGraph(CACHED, testRelease("1.6.1"), { namespace: "ns", partOf: "mine" });
  assert.deepEqual(objects.map((o) => [o.kind, o.metadata.name]), [
    ["PersistentVolumeClaim", "models.v1"],
    ["DynamoGraphDeployment", "cached"],
  ]);
  assert.deepEqual(objects[0]?.spec, {
    accessModes: ["ReadWriteMany"],
    resources: { requests: { storage: "100Gi" } },
    storageClassName: "efs-sc-dynamic",
  });
  for (const object of objects) {
    assert.equal(object.metadata.namespace, "ns");
    assert.equal(object.metadata.labels?.["app.kubernetes.io/managed-by"], "dynamo-eks");
    assert.equal(object.metadata.labels?.["app.kubernetes.io/part-of"], "mine");
  }
});

Deno.test("DYNAMO_NAMESPACE, dynamoNamespace and subComponentType come and go with the release", () => {
  const has = (version: string) => {
    const { services } = render(version).spec;
    const names = services.W.extraPodSpec.mainContainer.env.map((e: { name: string }) => e.name);
    return [names.includes("DYNAMO_NAMESPACE"), services.W.dynamoNamespace !== undefined];
  };
  assert.deepEqual(["0.4.1", "0.5.1", "0.6.1", "0.7.0"].map(has), [
    [true, true],
    [false, true],
    [false, true],
    [false, false],
  ]);
});

Deno.test("admission is told the version of an image that does not say it", () => {
  const override = (image: string, version: string) => {
    const graph = { ...CACHED, components: CACHED.components.map((c) => ({ ...c, image })) };
    const object: KubeObject = renderGraph(graph, testRelease(version), { namespace: "ns" }).at(
      -1,
    )!;
    return object.spec.components[0].runtimeVersionOverride;
  };
  assert.equal(override("x/y:mine", "1.5.1"), "1.5.1");
  assert.equal(override("x/y:1.5.1", "1.5.1"), undefined);
  assert.equal(override("x/y:mine", "1.2.0"), undefined);
});

Deno.test("a graph that does not fit the release is refused before anything is rendered", () => {
  const graph = { ...CACHED, routing: "least-loaded" as const };
  assert.throws(
    () => renderGraph(graph, testRelease("0.4.1"), { namespace: "ns" }),
    (error) => error instanceof TaskError && error.code === "GRAPH_UNFIT" && error.exitCode === 3,
  );
});

Deno.test("the Secrets a graph needs", () => {
  assert.deepEqual(requiredSecrets(CACHED), ["hf-token-secret", "other"]);
});

Deno.test("all examples for all releases take less than a second of CPU", async () => {
  await using test = await testContext();
  const start = cpuUsage();
  for (const { name } of await listExamples(test.ctx)) {
    const graph = await loadExample(test.ctx, name);
    for (const version of GOLDEN_VERSIONS) {
      const objects = renderedOrRefused(graph, testRelease(version));
      if (objects !== undefined) manifestYaml(objects);
    }
  }
  const { user, system } = cpuUsage(start);
  assert.ok(user + system < 1e6, `${(user + system) / 1000} ms`);
});

// The table of instance types is data; the rest of the AWS room brings its SDK along.
Deno.test("this folder depends on nothing but cli, blueprint, types, tables and YAML", async () => {
  const allowed =
    /^(\.\/|\.\.\/(cli|blueprint)\/|\.\.\/kube\/types\.ts$|\.\.\/aws\/instance_types\.ts$|\.\.\/\.\.\/examples\/.*\.json$|@std\/yaml$|js-yaml$)/;
  const folder = new URL(".", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, from] of text.matchAll(/^(?:import|export)[^;]*? from "([^"]+)"/gm)) {
      assert.match(from!, allowed, `${name} imports ${from}`);
    }
    assert.doesNotMatch(text, /\bimport\(/, name);
  }
});
