import assert from "node:assert/strict";
import type { KubeObject } from "../kube/types.ts";
import { graphState, wantedComponents } from "./graph_state.ts";
import { pickGraph } from "./graphs.ts";
import { remains } from "./remove.ts";
import { greetingIn } from "./hello_world.ts";
import { podState } from "./pod_state.ts";

const owner = (kind: string, name: string) => ({
  apiVersion: "nvidia.com/v1alpha1",
  kind,
  name,
  uid: `uid-${name}`,
});

function graph(status: unknown = {}, services: unknown = undefined): KubeObject {
  return {
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "vllm", namespace: "d", uid: "uid-vllm", generation: 2 },
    spec: {
      services: services ?? {
        Frontend: { componentType: "frontend", replicas: 1 },
        Worker: {
          componentType: "worker",
          replicas: 2,
          extraPodSpec: { mainContainer: { image: "img:2" } },
        },
      },
    },
    status,
  };
}

function component(name: string): KubeObject {
  return {
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoComponentDeployment",
    metadata: {
      name: `vllm-${name.toLowerCase()}`,
      uid: `uid-vllm-${name.toLowerCase()}`,
      labels: { "nvidia.com/dynamo-component": name },
      ownerReferences: [owner("DynamoGraphDeployment", "vllm")],
    },
  };
}

function deployment(name: string, replicas: number, ready: number, image = "img:2"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: `vllm-${name}`,
      generation: 1,
      ownerReferences: [owner("DynamoComponentDeployment", `vllm-${name}`)],
    },
    spec: { replicas, template: { spec: { containers: [{ name: "main", image }] } } },
    status: { observedGeneration: 1, updatedReplicas: ready, readyReplicas: ready },
  };
}

function pod(
  name: string,
  component: string,
  ready: boolean,
  more: Partial<KubeObject> = {},
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "nvidia.com/selector": `vllm-${component}` },
    },
    spec: {
      nodeName: "node-1",
      containers: [{ name: "main", env: [{ name: "DYN_PARENT_DGD_K8S_NAME", value: "vllm" }] }],
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
    ...more,
  };
}

const ready = { state: "successful", conditions: [{ type: "Ready", status: "True" }] };

const complete = () => ({
  graph: graph(ready),
  componentDeployments: [component("Frontend"), component("Worker")],
  deployments: [deployment("frontend", 1, 1), deployment("worker", 2, 2)],
  pods: [pod("f", "frontend", true), pod("w1", "worker", true), pod("w2", "worker", true)],
});

Deno.test("a graph is ready when operator, Deployments and pods agree", () => {
  const state = graphState(complete());
  assert.equal(state.ready, true);
  assert.deepEqual(state.components.map((c) => c.phrase), ["1 of 1 ready", "2 of 2 ready"]);
});

Deno.test("Ready from before a change does not count", () => {
  const scaled = complete();
  scaled.deployments[1] = deployment("worker", 1, 1);
  assert.equal(graphState(scaled).ready, false, "replicas not yet taken over");

  const image = complete();
  image.deployments[1] = deployment("worker", 2, 2, "img:1");
  assert.equal(graphState(image).ready, false, "old image");

  const observed = complete();
  observed.graph = graph({ ...ready, observedGeneration: 1 });
  assert.equal(graphState(observed).ready, false, "old generation");

  const behind = complete();
  behind.deployments[1]!.metadata.generation = 5;
  assert.equal(graphState(behind).ready, false, "Deployment not yet observed");
});

Deno.test("a rolling update is not over while the old pod holds the place of the new one", () => {
  const rolling = complete();
  // One of one ready: the old one. The new one is there and starts.
  rolling.deployments[0]!.status.replicas = 2;
  assert.equal(graphState(rolling).ready, false);
});

Deno.test("an operator that names no generation is not believed while arguments differ", () => {
  const worker = (args: string[], env: unknown[]) => ({
    Worker: {
      replicas: 2,
      extraPodSpec: { mainContainer: { image: "img:2", args, env } },
    },
  });
  const main = (objects: ReturnType<typeof complete>) =>
    objects.deployments[1]!.spec.template.spec.containers[0];
  const changed = complete();
  changed.graph = graph(ready, worker(["--model", "new"], [{ name: "A", value: "1" }]));
  changed.deployments = changed.deployments.slice(1);
  changed.deployments.unshift(deployment("frontend", 1, 1));
  main(changed).args = ["--model", "old"];
  main(changed).env = [{ name: "A", value: "1" }];
  assert.equal(graphState(changed).ready, false, "old arguments");
  main(changed).args = ["--model", "new", "--of-the-operator"];
  assert.equal(graphState(changed).ready, true);
  main(changed).env = [{ name: "A", value: "2" }];
  assert.equal(graphState(changed).ready, false, "old environment");
  changed.graph = graph({ ...ready, observedGeneration: 2 }, changed.graph.spec.services);
  assert.equal(graphState(changed).ready, true, "the operator has seen this very generation");
});

Deno.test("the operator's word alone is not enough, nor is the pods' alone", () => {
  const unready = complete();
  unready.pods[2] = pod("w2", "worker", false);
  assert.equal(graphState(unready).ready, false);
  const pending = complete();
  pending.graph = graph({ state: "pending" });
  assert.equal(graphState(pending).ready, false);
});

Deno.test("replicas 0 is ready without pods", () => {
  const none = complete();
  none.graph = graph(ready, { Frontend: { componentType: "frontend", replicas: 0 } });
  none.deployments = [deployment("frontend", 0, 0)];
  none.pods = [];
  assert.equal(graphState(none).ready, true);
});

Deno.test("v1beta1 components are read like v1alpha1 services", () => {
  const beta: KubeObject = {
    apiVersion: "nvidia.com/v1beta1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "vllm" },
    spec: {
      components: [
        {
          name: "Frontend",
          type: "frontend",
          podTemplate: { spec: { containers: [{ name: "main", image: "i" }] } },
        },
      ],
    },
  };
  assert.deepEqual(wantedComponents(beta), [
    {
      name: "Frontend",
      type: "frontend",
      replicas: 1,
      image: "i",
      container: { name: "main", image: "i" },
    },
  ]);
});

Deno.test("pods say why they are not ready", () => {
  const phrase = (status: unknown, spec: unknown = { nodeName: "n" }) =>
    podState({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec, status }).phrase;
  assert.equal(
    phrase({
      conditions: [{
        type: "PodScheduled",
        status: "False",
        message: "0/5 nodes are available: 5 Insufficient nvidia.com/gpu. preemption: 0/5 nodes",
      }],
    }, {}),
    "not scheduled: 0/5 nodes are available: 5 Insufficient nvidia.com/gpu",
  );
  assert.equal(
    phrase({ containerStatuses: [{ state: { waiting: { reason: "ContainerCreating" } } }] }),
    "starting",
  );
  assert.equal(
    phrase({
      containerStatuses: [{
        state: { waiting: { reason: "ImagePullBackOff", message: "no such tag" } },
      }],
    }),
    "ImagePullBackOff: no such tag",
  );
  assert.equal(
    phrase({ containerStatuses: [{ state: { terminated: { exitCode: 137 } } }] }),
    "ended with code 137",
  );
});

Deno.test("remains finds what belongs to a graph and nothing else", () => {
  const objects = complete();
  const foreign: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "other" },
    spec: { containers: [{}] },
  };
  assert.deepEqual(
    remains("vllm", {
      graphs: [],
      componentDeployments: [],
      deployments: [],
      pods: [...objects.pods, foreign],
    }),
    ["Pod/f", "Pod/w1", "Pod/w2"],
  );
  assert.deepEqual(
    remains("other", { ...objects, graphs: [objects.graph], pods: [foreign] }),
    [],
  );
});

Deno.test("pickGraph takes the only one, and names what is there otherwise", () => {
  const one = graphState(complete());
  assert.equal(pickGraph([one], undefined), one);
  assert.throws(() => pickGraph([], undefined), /No graph is deployed/);
  assert.throws(() => pickGraph([one], "vlm"), /Did you mean "vllm"/);
  assert.throws(() => pickGraph([one, { ...one, name: "b" }], undefined), /name one/);
});

Deno.test("a greeting is found in log lines with and without a prefix", () => {
  assert.equal(greetingIn("2026-01-01 INFO client: Hello world!"), "Hello world!");
  assert.equal(greetingIn("connected"), undefined);
});
