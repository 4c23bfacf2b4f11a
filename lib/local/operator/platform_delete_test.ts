import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import type { Kube, KubeObject, ObjectRef } from "../../kube/types.ts";
import { deletePlatform } from "./platform_delete.ts";

const OURS = {
  "app.kubernetes.io/managed-by": "dynamo-eks",
  "app.kubernetes.io/instance": "dynamo-platform",
};

function object(kind: string, name: string, extra: Partial<KubeObject> = {}): KubeObject {
  const apiVersion = kind === "Deployment" ? "apps/v1" : "v1";
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: "ns", uid: name, labels: OURS },
    ...extra,
  };
}

function definition(name: string, group: string): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${name}.${group}`, labels: OURS },
    spec: { group, names: { kind: "X", plural: name }, versions: [{ name: "v1", storage: true }] },
  };
}

/** A cluster of these objects that honours label selectors. */
function clusterOf(objects: KubeObject[]): { kube: Kube; left: () => string[] } {
  let stored = [...objects];
  const kube = {
    list: ({ kind }: { kind: string }, options: { labelSelector?: string } = {}) => {
      const wanted = (options.labelSelector ?? "").split(",").filter((one) => one !== "")
        .map((one) => one.split("="));
      const items = stored.filter((one) =>
        one.kind === kind &&
        wanted.every(([key, value]) => one.metadata.labels?.[key!] === value)
      );
      return Promise.resolve({ items, resourceVersion: "1" });
    },
    get: ({ kind, name }: ObjectRef) =>
      Promise.resolve(stored.find((one) => one.kind === kind && one.metadata.name === name)),
    delete: ({ kind, name }: ObjectRef) => {
      const before = stored.length;
      stored = stored.filter((one) => one.kind !== kind || one.metadata.name !== name);
      return Promise.resolve(stored.length < before);
    },
  } as unknown as Kube;
  return { kube, left: () => stored.map((one) => `${one.kind} ${one.metadata.name}`) };
}

function everything(): KubeObject[] {
  const strange = { name: "theirs", namespace: "ns", labels: {} };
  return [
    object("Deployment", "operator"),
    { ...object("Deployment", "theirs"), metadata: strange },
    { ...object("Namespace", "ns"), metadata: { name: "ns", labels: OURS } },
    definition("dynamographdeployments", "nvidia.com"),
    definition("stages", "kwok.x-k8s.io"),
  ];
}

Deno.test("only what carries our labels goes; definitions only when told", async () => {
  await using test = await testContext();
  const cluster = clusterOf(everything());
  const deleted = await deletePlatform(test.ctx, cluster.kube, { namespace: "ns" });
  assert.deepEqual(deleted, ["Deployment operator", "Namespace ns"]);
  const options = { namespace: "ns", definitions: true };
  assert.deepEqual(await deletePlatform(test.ctx, cluster.kube, options), [
    "CustomResourceDefinition dynamographdeployments.nvidia.com",
  ]);
  assert.deepEqual(cluster.left(), [
    "Deployment theirs",
    "CustomResourceDefinition stages.kwok.x-k8s.io",
  ]);
});

Deno.test("a namespace that is not ours stays", async () => {
  await using test = await testContext();
  const cluster = clusterOf([
    object("Deployment", "operator"),
    { ...object("Namespace", "ns"), metadata: { name: "ns", labels: {} } },
  ]);
  await deletePlatform(test.ctx, cluster.kube, { namespace: "ns" });
  assert.deepEqual(cluster.left(), ["Namespace ns"]);
});

Deno.test("graphs keep the platform, and components that do not go are named", async () => {
  await using test = await testContext();
  const graph = object("DynamoGraphDeployment", "g");
  const busy = clusterOf([...everything(), graph]);
  await assert.rejects(
    deletePlatform(test.ctx, busy.kube, { namespace: "ns" }),
    { code: "PLATFORM_IN_USE", message: /ns\/g/ },
  );
  const stuck = clusterOf([...everything(), object("DynamoComponentDeployment", "g-worker")]);
  await assert.rejects(
    deletePlatform(test.ctx, stuck.kube, { namespace: "ns", timeoutMs: 1 }),
    { code: "PLATFORM_BUSY", exitCode: 4, message: /g-worker/ },
  );
  assert.ok(stuck.left().includes("Deployment operator"));
});
