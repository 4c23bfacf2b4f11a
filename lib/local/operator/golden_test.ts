/**
 * What is generated, against objects of the real operators.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseAll } from "@std/yaml";
import type { KubeObject } from "../../kube/types.ts";
import { componentStatus } from "./component_status.ts";
import { graphComponents } from "./current/components.ts";
import { currentDeployment, currentService } from "./current/workload.ts";
import { operatorFeatures } from "./features.ts";
import { legacyComponents } from "./legacy/components.ts";
import type { Surroundings } from "./legacy/pod_spec.ts";
import { legacyDeployment, legacyService } from "./legacy/workload.ts";
import { LABEL } from "./names.ts";
import { graphStatus } from "./graph_status.ts";
import type { Component, Deployment, Graph } from "./types.ts";

async function fixture(name: string): Promise<KubeObject[]> {
  const url = new URL(`../../../tests/fixtures/operator/${name}`, import.meta.url);
  return parseAll(await Deno.readTextFile(url)) as KubeObject[];
}

function find<T extends KubeObject>(objects: readonly KubeObject[], kind: string, name: string): T {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  assert.ok(found, `${kind} ${name} in the fixture`);
  return found as T;
}

/** As in the fixtures: no status, finalizers, operator's annotations, or uids. */
function bare(object: KubeObject): KubeObject {
  const copy = structuredClone(object);
  delete copy["status"];
  delete copy.metadata.finalizers;
  delete copy.metadata.uid;
  copy.metadata.ownerReferences?.forEach((ref) => delete (ref as { uid?: string }).uid);
  return copy;
}

function sortByName(objects: KubeObject[]): KubeObject[] {
  return objects.sort((a, b) => a.metadata.name < b.metadata.name ? -1 : 1);
}

Deno.test("0.4.1: components, Deployments and the Service equal the real operator's", async () => {
  const real = await fixture("0.4.1-vllm-agg.yaml");
  const features = operatorFeatures("0.4.1");
  const around: Surroundings = {
    natsAddress: "nats://dynamo-platform-nats.dynamo-system:4222",
    etcdAddress: "dynamo-platform-etcd.dynamo-system:2379",
    pullSecrets: [],
  };
  const graph = find<Graph>(real, "DynamoGraphDeployment", "vllm-agg");
  const components = legacyComponents(graph, features);
  assert.deepEqual(components.map((one) => one.metadata.name), [
    "vllm-agg-frontend",
    "vllm-agg-vllmdecodeworker",
  ]);
  assert.deepEqual(
    bare(components[1]!),
    bare(find(real, "DynamoComponentDeployment", "vllm-agg-vllmdecodeworker")),
  );
  for (const component of components) {
    assert.deepEqual(
      bare(legacyDeployment(component, features, around)),
      bare(find(real, "Deployment", component.metadata.name)),
    );
  }
  assert.deepEqual(
    bare(legacyService(components[0]!)!),
    bare(find(real, "Service", "vllm-agg-frontend")),
  );
  assert.equal(legacyService(components[1]!), undefined);
});

Deno.test("1.5: components, Deployments and Services equal the real operator's", async () => {
  const real = await fixture("1.5-vllm-agg.yaml");
  // The state observed was before the worker's liveness probe was relaxed.
  const features = { ...operatorFeatures("1.5.0"), workerLivenessFailures: 1 };
  const graph = find<Graph>(real, "DynamoGraphDeployment", "vllm-agg");
  const { objects, hash } = graphComponents(graph, features);
  assert.match(hash ?? "", /^[0-9a-f]{8}$/);
  const around: Surroundings = { pullSecrets: [] };
  const generated: KubeObject[] = objects.flatMap((one) => [
    currentDeployment(one, features, around),
    currentService(one),
  ]);
  const withRealHash = (object: KubeObject): KubeObject =>
    JSON.parse(JSON.stringify(bare(object)).replaceAll(hash!, "2b649e55"));
  for (const kind of ["Deployment", "Service"]) {
    assert.deepEqual(
      sortByName(generated.filter((one) => one.kind === kind).map(withRealHash)),
      sortByName(real.filter((one) => one.kind === kind).map(bare)),
    );
  }
  const worker = objects.find((one) => one.metadata.labels?.[LABEL.workerHash] !== undefined);
  assert.deepEqual(
    withRealHash(worker!),
    bare(find(real, "DynamoComponentDeployment", "vllm-agg-vllmdecodeworker-2b649e55")),
  );
});

const NOW = Date.parse("2026-11-24T11:15:52Z");

function readyDeployment(deployment: Deployment): Deployment {
  const replicas = deployment.spec.replicas ?? 1;
  return {
    ...deployment,
    metadata: { ...deployment.metadata, generation: 1 },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      conditions: [{ type: "Available", status: "True" }],
    },
  };
}

Deno.test("both: status of a ready graph equals the real operator's", async () => {
  const old = await fixture("0.4.1-vllm-agg.yaml");
  const legacy = operatorFeatures("0.4.1");
  const oldGraph = find<Graph>(old, "DynamoGraphDeployment", "vllm-agg");
  const around: Surroundings = { pullSecrets: [] };
  const oldComponents = legacyComponents(oldGraph, legacy).map((one): Component => ({
    ...one,
    status: componentStatus(
      one,
      readyDeployment(legacyDeployment(one, legacy, around)),
      legacy,
      NOW,
    ),
  }));
  const { status: _old, ...fresh } = oldGraph;
  assert.deepEqual(
    graphStatus(fresh, { wanted: oldComponents, all: oldComponents }, legacy, NOW),
    oldGraph.status,
  );

  const real = await fixture("1.5-vllm-agg.yaml");
  const features = operatorFeatures("1.5.0");
  const graph = find<Graph>(real, "DynamoGraphDeployment", "vllm-agg");
  const { status: _new, ...rest } = graph;
  const unseen: Graph = { ...rest, metadata: { ...rest.metadata, generation: 1 } };
  const wanted = graphComponents(unseen, features);
  const components = wanted.objects.map((one): Component => {
    const stored = { ...one, metadata: { ...one.metadata, generation: 1 } };
    const deployment = readyDeployment(currentDeployment(stored, features, around));
    return { ...stored, status: componentStatus(stored, deployment, features, NOW) };
  });
  const status = graphStatus(unseen, { wanted: components, all: components }, features, NOW);
  assert.deepEqual(
    JSON.parse(JSON.stringify(status).replaceAll(wanted.hash!, "2b649e55")),
    graph.status,
  );
});
