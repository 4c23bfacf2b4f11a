/**
 * The stand-in operator as 0.4.1 on a real control plane: objects, owners, states, traps.
 *
 * @module
 */
import assert from "node:assert/strict";
import { LABEL } from "../../lib/local/operator/names.ts";
import type { Component, Deployment, Graph } from "../../lib/local/operator/types.ts";
import {
  exampleGraph,
  graphFrom,
  type OperatorTest,
  until,
  untilGone,
  withOperator,
} from "./operator_support.ts";

const GRAPH = "DynamoGraphDeployment";
const COMPONENT = "DynamoComponentDeployment";

function reasonOf(graph: Graph): string {
  const ready = graph.status?.conditions?.find((one) => one.type === "Ready");
  return `${ready?.status} ${ready?.reason}: ${ready?.message}`;
}

async function lifeOfAGraph(test: OperatorTest): Promise<void> {
  const { ctx, kube, namespace } = test;
  const states: string[] = [];
  const stop = new AbortController();
  const synced = Promise.withResolvers<void>();
  const watching = (async () => {
    const kind = { apiVersion: test.api, kind: GRAPH };
    for await (const event of kube.watch<Graph>(kind, { namespace, signal: stop.signal })) {
      synced.resolve();
      if (event.type === "SYNC") continue;
      const state = event.object.status?.state ?? "";
      if (states.at(-1) !== state) states.push(state);
    }
  })();
  await synced.promise;
  const graph = await test.applyGraph(await exampleGraph("0.4.1", "vllm"));
  const ready = await test.state("vllm", "successful");
  stop.abort();
  await watching;
  assert.deepEqual(states, ["", "pending", "successful"]);
  assert.equal(reasonOf(ready), "True all_resources_are_ready: All resources are ready");
  assert.equal(ready.status?.observedGeneration, undefined);
  assert.deepEqual(ready.metadata.finalizers, ["nvidia.com/finalizer"]);

  const name = "vllm-vllmdecodeworker";
  const component = await test.get<Component>(COMPONENT, name);
  const deployment = await test.get<Deployment>("Deployment", name);
  const service = await test.get("Service", "vllm-frontend");
  assert.equal(component?.metadata.ownerReferences?.[0]?.uid, graph.metadata.uid);
  assert.equal(deployment?.metadata.ownerReferences?.[0]?.uid, component?.metadata.uid);
  assert.deepEqual(component?.status?.conditions?.map((one) => [one.type, one.status]), [
    ["Available", "True"],
    ["DynamoComponentReady", "Unknown"],
  ]);
  assert.equal(deployment?.metadata.labels?.[LABEL.selector], name);
  assert.equal(deployment?.metadata.labels?.[LABEL.graph], undefined);
  assert.equal(await test.get("Service", name), undefined);
  assert.equal(service?.["spec"].ports[0].port, 8000);

  // A change: the old success stays visible at first, and nothing tells it from the new one.
  const patched = await kube.patch<Graph>(
    { apiVersion: test.api, kind: GRAPH, name: "vllm", namespace },
    "merge",
    { spec: { services: { VllmDecodeWorker: { replicas: 2 } } } },
  );
  assert.equal(reasonOf(patched).split(" ")[0], "True");
  await until(ctx, "two replicas", async () => {
    const found = await test.get<Deployment>("Deployment", name);
    return found?.status?.availableReplicas === 2 ? true : undefined;
  });
  await test.state("vllm", "successful");

  // By hand: scaling stays, deletion is made good.
  const ref = { apiVersion: "apps/v1", kind: "Deployment", name, namespace };
  await kube.patch(ref, "merge", { spec: { replicas: 3 } });
  await until(ctx, "three replicas", async () => {
    const found = await test.get<Deployment>("Deployment", name);
    return found?.status?.availableReplicas === 3 ? true : undefined;
  });
  assert.equal((await test.get<Component>(COMPONENT, name))?.spec.replicas, 2);
  const before = (await test.get("Service", "vllm-frontend"))?.metadata.uid;
  await kube.delete({ apiVersion: "v1", kind: "Service", name: "vllm-frontend", namespace });
  await until(ctx, "the Service to be back", async () => {
    const found = await test.get("Service", "vllm-frontend");
    return found !== undefined && found.metadata.uid !== before ? true : undefined;
  });

  // A removed service leaves its component behind.
  await kube.patch({ apiVersion: test.api, kind: GRAPH, name: "vllm", namespace }, "json", [
    { op: "remove", path: "/spec/services/VllmDecodeWorker" },
  ]);
  await ctx.clock.sleep(500);
  await test.state("vllm", "successful");
  assert.ok(await test.get("Deployment", name));

  await kube.delete({ apiVersion: test.api, kind: GRAPH, name: "vllm", namespace });
  for (const kind of [GRAPH, COMPONENT, "Deployment", "Service"]) {
    await untilGone(test, kind, kind === GRAPH ? "vllm" : "vllm-frontend");
  }
  await untilGone(test, "Deployment", name);
}

const WORKER = `
    Worker:
      componentType: worker
      dynamoNamespace: bad
      extraPodSpec: {mainContainer: {image: "a/b:1", args: ["python3 -m dynamo.sglang"]}}
`;

async function failures(test: OperatorTest): Promise<void> {
  const apply = (name: string, services: string) =>
    test.applyGraph(graphFrom(`
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: ${name}}
spec:
  services:${services}`));

  await apply(
    "mismatch",
    `${WORKER}
    Another:
      dynamoNamespace: other
      extraPodSpec: {mainContainer: {image: "a/b:1"}}`,
  );
  const failed = await test.state("mismatch", "failed");
  assert.match(
    reasonOf(failed),
    /^False failed_to_reconcile_the_resources: namespace mismatch for component/,
  );
  assert.equal(await test.get(COMPONENT, "mismatch-worker"), undefined);

  // An error of a component leaves the graph pending; only the component says why.
  await apply(
    "no-claim",
    `${WORKER}      pvc: {name: missing, mountPoint: /data}
`,
  );
  const component = await until(test.ctx, "the component to say why", async () => {
    const found = await test.get<Component>(COMPONENT, "no-claim-worker");
    return found?.status?.conditions?.some((one) => /PVC missing/.test(one.message))
      ? found
      : undefined;
  });
  assert.equal(
    component.status?.conditions?.find((one) => one.type === "Available")?.status,
    "False",
  );
  assert.match(
    reasonOf(await test.state("no-claim", "pending")),
    /some_resources_are_not_ready: 1 resources not ready: \[no-claim-worker\]/,
  );

  // Several nodes without an orchestrator: one pod, and success.
  await apply(
    "wide",
    `${WORKER}      multinode: {nodeCount: 2}
`,
  );
  await test.state("wide", "successful");
  const wide = await test.get<Deployment>("Deployment", "wide-worker");
  assert.match(String(wide?.spec.template.spec?.containers?.[0]?.args?.[0]), /--nnodes 2/);

  await apply("empty", " {}");
  await test.state("empty", "successful");
}

async function refusals(test: OperatorTest): Promise<void> {
  const refused = async (service: string, problem: RegExp) => {
    const graph = graphFrom(`
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: refused}
spec: ${service}`);
    await assert.rejects(test.applyGraph(graph), problem, service);
  };
  await refused("{backendFramework: tgi}", /backendFramework: Unsupported value: "tgi"/);
  await refused("{services: {A: {resources: {limits: {gpu: 1}}}}}", /gpu/);
  await refused("{services: {A: {multinode: {nodeCount: 1}}}}", /greater than or equal to 2/);
  await refused("{services: {A: {replica: 1}}}", /replica/);
  await refused(
    "{services: {A: {extraPodSpec: {tolerance: []}}}}",
    /tolerance/,
  );
  await refused("{components: []}", /components/);
}

Deno.test("0.4.1: a graph's life, from pending to nothing left", () =>
  withOperator("0.4.1", lifeOfAGraph));

Deno.test("0.4.1: failed, pending and falsely successful graphs", () =>
  withOperator("0.4.1", failures));

Deno.test("0.4.1: the schema refuses what the real one refuses", () =>
  withOperator("0.4.1", refusals));
