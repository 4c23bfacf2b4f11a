/**
 * The stand-in operator as the newest release on a real control plane: discovery objects,
 * worker hashes, rolling updates, refusals.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/kube/types.ts";
import { ANNOTATION, LABEL } from "../../lib/local/operator/names.ts";
import type { Component, Deployment, Graph } from "../../lib/local/operator/types.ts";
import {
  exampleGraph,
  graphFrom,
  type OperatorTest,
  until,
  untilGone,
  withOperator,
} from "./operator_support.ts";

const VERSION = "1.6.1";
const GRAPH = "DynamoGraphDeployment";
const COMPONENT = "DynamoComponentDeployment";

function workerOf(graph: Graph): { hash: string; name: string } {
  const hash = graph.metadata.annotations?.[ANNOTATION.workerHash] ?? "";
  assert.match(hash, /^[0-9a-f]{8}$/);
  return { hash, name: `${graph.metadata.name}-vllmdecodeworker-${hash}` };
}

async function settled(test: OperatorTest, name: string): Promise<Graph> {
  await test.state(name, "successful");
  // The hash is noted right after the status.
  return await until(test.ctx, "the worker hash", async () => {
    const graph = await test.get<Graph>(GRAPH, name);
    return graph?.metadata.annotations?.[ANNOTATION.workerHash] === undefined ? undefined : graph;
  });
}

function patchGraph(test: OperatorTest, name: string, operations: unknown[]): Promise<KubeObject> {
  const { api, namespace } = test;
  return test.kube.patch({ apiVersion: api, kind: GRAPH, name, namespace }, "json", operations);
}

async function lifeOfAGraph(test: OperatorTest): Promise<void> {
  const { ctx, kube, namespace } = test;
  const applied = await test.applyGraph(await exampleGraph(VERSION, "vllm"));
  const graph = await settled(test, "vllm");
  assert.equal(graph.metadata.generation, 1);
  assert.equal(graph.metadata.annotations?.[ANNOTATION.originVersion], VERSION);
  const { hash, name } = workerOf(graph);
  const component = await test.get<Component>(COMPONENT, name);
  const deployment = await test.get<Deployment>("Deployment", name);
  assert.equal(component?.metadata.ownerReferences?.[0]?.uid, applied.metadata.uid);
  assert.equal(deployment?.metadata.ownerReferences?.[0]?.uid, component?.metadata.uid);
  assert.equal(deployment?.spec.template.metadata?.labels?.[LABEL.workerHash], hash);
  assert.equal(deployment?.spec.template.metadata?.labels?.[LABEL.graph], "vllm");
  assert.equal((await test.get("Service", name))?.["spec"].ports[0].port, 9090);
  assert.equal((await test.get("Service", "vllm-frontend"))?.["spec"].ports[0].port, 8000);
  for (
    const [kind, suffix] of [["ServiceAccount", ""], ["Role", "-role"], ["RoleBinding", "-binding"]]
  ) {
    const found = await test.get(kind!, `vllm-k8s-service-discovery${suffix}`);
    assert.equal(found?.metadata.ownerReferences?.[0]?.uid, applied.metadata.uid, kind ?? "");
  }
  const counts = graph.status?.components?.["VllmDecodeWorker"];
  assert.deepEqual(counts, {
    availableReplicas: 1,
    componentKind: "Deployment",
    componentNames: [name],
    readyReplicas: 1,
    replicas: 1,
    runtimeNamespace: `${namespace}-vllm-${hash}`,
    updatedReplicas: 1,
  });

  // Replicas keep the hash; the observed generation tells an old success from a new one.
  const at = graph.spec?.components?.findIndex((one) => one.name === "VllmDecodeWorker");
  await patchGraph(test, "vllm", [
    { op: "replace", path: `/spec/components/${at}/replicas`, value: 2 },
  ]);
  const scaled = await test.state("vllm", "successful");
  assert.equal(scaled.status?.observedGeneration, 2);
  assert.equal(workerOf(scaled).hash, hash);
  assert.equal((await test.get<Deployment>("Deployment", name))?.status?.availableReplicas, 2);

  // What is changed or deleted by hand comes back.
  const ref = { apiVersion: "apps/v1", kind: "Deployment", name, namespace };
  await kube.patch(ref, "merge", { spec: { replicas: 4 } });
  await until(ctx, "the scaling to be undone", async () => {
    const found = await test.get<Deployment>("Deployment", name);
    return found?.spec.replicas === 2 && found.metadata.generation !== 2 ? true : undefined;
  });
  await kube.delete({ apiVersion: test.api, kind: COMPONENT, name, namespace });
  await until(ctx, "the component to be back", async () => {
    const found = await test.get<Component>(COMPONENT, name);
    return found !== undefined && found.metadata.uid !== component?.metadata.uid ? true : undefined;
  });
  await test.state("vllm", "successful");

  await kube.delete({ apiVersion: test.api, kind: GRAPH, name: "vllm", namespace });
  await untilGone(test, GRAPH, "vllm");
  await untilGone(test, COMPONENT, name);
  await untilGone(test, "Deployment", name);
  await untilGone(test, "Service", name);
  // The planners' account is nobody's and stays, as with the real operator.
  assert.ok(await test.get("ServiceAccount", "planner-serviceaccount"));
}

async function rollingUpdate(test: OperatorTest): Promise<void> {
  const { ctx, kube, namespace } = test;
  const graph = await exampleGraph(VERSION, "vllm");
  const at = graph["spec"].components.findIndex((one: { type: string }) => one.type === "worker");
  graph["spec"].components[at].replicas = 2;
  await test.applyGraph(graph);
  const before = workerOf(await settled(test, "vllm"));
  const frontend = await test.get<Deployment>("Deployment", "vllm-frontend");

  const seen: string[] = [];
  const stop = new AbortController();
  const synced = Promise.withResolvers<void>();
  const watching = (async () => {
    const replicas = new Map<string, number>();
    const kind = { apiVersion: test.api, kind: COMPONENT };
    for await (const event of kube.watch<Component>(kind, { namespace, signal: stop.signal })) {
      synced.resolve();
      const list = event.type === "SYNC" ? event.items : [event.object];
      for (const one of list) {
        if (one.metadata.labels?.[LABEL.component] !== "VllmDecodeWorker") continue;
        if (event.type === "DELETED") replicas.delete(one.metadata.name);
        else replicas.set(one.metadata.name, one.spec.replicas ?? 0);
      }
      const old = replicas.get(before.name) ?? 0;
      const fresh = [...replicas].filter(([name]) => name !== before.name)
        .reduce((sum, [, count]) => sum + count, 0);
      const line = `old ${old} new ${fresh}`;
      if (seen.at(-1) !== line) seen.push(line);
    }
  })();
  await synced.promise;
  await patchGraph(test, "vllm", [{
    op: "add",
    path: `/spec/components/${at}/podTemplate/spec/containers/0/env`,
    value: [{ name: "CHANGED", value: "yes" }],
  }]);
  const after = await until(ctx, "the rolling update to end", async () => {
    const found = await test.get<Graph>(GRAPH, "vllm");
    const done = found?.status?.rollingUpdate?.phase === "Completed" &&
      found.status.state === "successful" &&
      found.metadata.annotations?.[ANNOTATION.workerHash] !== before.hash;
    return done ? found : undefined;
  });
  await untilGone(test, COMPONENT, before.name);
  await untilGone(test, "Deployment", before.name);
  stop.abort();
  await watching;
  assert.deepEqual(seen, [
    "old 2 new 0",
    "old 2 new 1",
    "old 1 new 1",
    "old 1 new 2",
    "old 0 new 2",
  ]);
  assert.deepEqual(after.status?.rollingUpdate?.updatedComponents, ["VllmDecodeWorker"]);
  const now = await test.get<Deployment>("Deployment", "vllm-frontend");
  assert.equal(now?.metadata.generation, frontend?.metadata.generation);
}

async function refusals(test: OperatorTest): Promise<void> {
  const graph = await exampleGraph(VERSION, "vllm");
  const changed = (change: (spec: KubeObject["spec"]) => void): KubeObject => {
    const copy = structuredClone(graph);
    change(copy["spec"]);
    return copy;
  };
  const refused = (change: (spec: KubeObject["spec"]) => void, problem: RegExp) =>
    assert.rejects(test.applyGraph(changed(change)), problem);
  const image = (text: string) => (spec: KubeObject["spec"]) => {
    spec.components[0].podTemplate.spec.containers[0].image = text;
  };
  for (const bad of ["a/b:my-tag", "a/b", "a/b@sha256:0123", "host:5000/a"]) {
    await refused(
      image(bad),
      /components\[0\]\.runtimeVersionOverride: Required value: is required when the specified main container image has no parseable semantic-version tag/,
    );
  }
  await refused((spec) => spec.components = [], /components: Required value: must have at least/);
  await refused((spec) => delete spec.components[0].podTemplate, /Required value: is required/);
  await refused((spec) => spec.components[0].type = "main", /Unsupported value: "main"/);
  await refused((spec) => spec.components[0].name = "a_b", /should match/);
  await refused(
    (spec) => spec.components.push({ ...spec.components[0], name: "FRONTEND" }),
    /must be unique case-insensitively/,
  );
  await refused((spec) => spec.restart = { id: "1" }, /spec\.restart must be unset on create/);

  for (const good of ["a/b:1.6.1", "a/b:v1.6.1-cuda13", "host:5000/a/b:1.5.0@sha256:0123"]) {
    await test.kube.apply(
      { ...changed(image(good)), metadata: { name: "good", namespace: test.namespace } },
      { dryRun: true },
    );
  }
  await test.applyGraph(graph);
  await test.state("vllm", "successful");
  const added = changed((spec) => spec.components.push({ ...spec.components[0], name: "Extra" }));
  await assert.rejects(
    test.applyGraph(added),
    /Forbidden: component topology is immutable and cannot be modified after creation: components added/,
  );
  await assert.rejects(
    patchGraph(test, "vllm", [{ op: "remove", path: "/spec/components/1" }]),
    /components removed/,
  );
  await assert.rejects(
    patchGraph(test, "vllm", [{ op: "replace", path: "/spec/backendFramework", value: "sglang" }]),
    /backendFramework: Invalid value: .*is immutable/,
  );
  await assert.rejects(
    patchGraph(test, "vllm", [
      { op: "add", path: "/spec/components/1/multinode", value: { nodeCount: 2 } },
    ]),
    /cannot change node topology/,
  );
}

async function multinode(test: OperatorTest): Promise<void> {
  await test.applyGraph(graphFrom(`
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: wide}
spec:
  components:
    - name: Worker
      type: worker
      multinode: {nodeCount: 2}
      podTemplate: {spec: {containers: [{name: main, image: "a/b:1.6.1"}]}}
`));
  const graph = await test.state("wide", "failed");
  assert.deepEqual(
    graph.status?.conditions?.map((one) => [one.reason, one.message]),
    [["no_multinode_orchestrator_available", "no multinode orchestrator available"]],
  );
  assert.ok(await test.get("ServiceAccount", "wide-k8s-service-discovery"));
  assert.equal(await test.get(COMPONENT, "wide-worker"), undefined);
}

async function componentErrors(test: OperatorTest): Promise<void> {
  // Accepted, and refused only when the Deployment is made: more requested than the limit.
  await test.applyGraph(graphFrom(`
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: greedy}
spec:
  components:
    - name: Frontend
      type: frontend
      podTemplate:
        spec:
          containers:
            - name: main
              image: a/b:1.6.1
              resources: {requests: {cpu: "2"}, limits: {cpu: "1"}}
`));
  const component = await until(test.ctx, "the component to say why", async () => {
    const found = await test.get<Component>(COMPONENT, "greedy-frontend");
    return found?.status?.conditions === undefined ? undefined : found;
  });
  const available = component.status?.conditions?.find((one) => one.type === "Available");
  assert.match(
    `${available?.status} ${available?.reason} ${available?.message}`,
    /^False Reconciling Failed to reconcile DynamoComponentDeployment: .*must be less than or equal to cpu limit/,
  );
  const graph = await test.state("greedy", "pending");
  assert.match(
    graph.status?.conditions?.[0]?.message ?? "",
    /greedy-frontend: spec not yet processed: generation=1, observedGeneration=0/,
  );
}

Deno.test("1.6.1: a graph's life, from pending to nothing left", () =>
  withOperator(VERSION, lifeOfAGraph));

Deno.test("1.6.1: a changed worker is replaced step by step", () =>
  withOperator(VERSION, rollingUpdate));

Deno.test("1.6.1: the schema refuses what the real webhook refuses", () =>
  withOperator(VERSION, refusals));

Deno.test("1.6.1: several nodes without an orchestrator fail", () =>
  withOperator(VERSION, multinode));

Deno.test("1.6.1: an error of a component is in the component", () =>
  withOperator(VERSION, componentErrors));

Deno.test("1.0.2: v1alpha1 graphs with the current behaviour", () =>
  withOperator("1.0.2", async (test) => {
    await test.applyGraph(await exampleGraph("1.0.2", "vllm"));
    const graph = await settled(test, "vllm");
    const { hash, name } = workerOf(graph);
    const deployment = await test.get<Deployment>("Deployment", name);
    assert.equal(deployment?.spec.template.metadata?.labels?.[LABEL.workerHash], hash);
    assert.equal(graph.status?.services?.["VllmDecodeWorker"]?.componentName, name);
    const gpus = deployment?.spec.template.spec?.containers?.[0]?.resources?.limits;
    assert.equal(gpus?.["nvidia.com/gpu"], "1");
    const service = await test.get("Service", name);
    assert.equal(service?.["spec"].ports[0].port, 9090);
  }));
