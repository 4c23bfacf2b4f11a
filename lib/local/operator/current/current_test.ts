import assert from "node:assert/strict";
import { operatorFeatures } from "../features.ts";
import { ANNOTATION, LABEL } from "../names.ts";
import type { ComponentSpec, Deployment, Graph } from "../types.ts";
import { graphComponents } from "./components.ts";
import { planRollout, stepCounts } from "./rollout.ts";
import { currentDeployment, currentService } from "./workload.ts";

const FEATURES = operatorFeatures("1.6.1");
const ALONE = { pullSecrets: [] };

function graph(components: ComponentSpec[], spec: Partial<Graph["spec"]> = {}): Graph {
  return {
    apiVersion: "nvidia.com/v1beta1",
    kind: "DynamoGraphDeployment",
    metadata: {
      name: "g",
      namespace: "ns",
      uid: "u",
      annotations: { [ANNOTATION.originVersion]: "1.6.1" },
    },
    spec: { ...spec, components } as NonNullable<Graph["spec"]>,
  };
}

function worker(args: string[], fields: Partial<ComponentSpec> = {}): ComponentSpec {
  return {
    name: "W",
    type: "worker",
    podTemplate: { spec: { containers: [{ name: "main", image: "a:1.6.1", args }] } },
    ...fields,
  };
}

function hashOf(...components: ComponentSpec[]): string | undefined {
  return graphComponents(graph(components), FEATURES).hash;
}

function deploymentOf(component: ComponentSpec, spec: Partial<Graph["spec"]> = {}): Deployment {
  const made = graphComponents(graph([component], spec), FEATURES).objects[0]!;
  return currentDeployment(made, FEATURES, ALONE);
}

Deno.test("the hash follows workers' templates, not their replicas, nor other components", () => {
  const one = hashOf(worker(["x"]));
  assert.match(one ?? "", /^[0-9a-f]{8}$/);
  assert.equal(hashOf(worker(["x"], { replicas: 5 })), one);
  assert.equal(hashOf(worker(["x"]), { name: "F", type: "frontend" }), one);
  assert.notEqual(hashOf(worker(["y"])), one);
  assert.notEqual(hashOf(worker(["x"]), worker(["x"], { name: "P", type: "prefill" })), one);
  assert.equal(hashOf({ name: "F", type: "frontend" }), undefined);
  const elsewhere = graph([worker(["x"])]);
  elsewhere.metadata.namespace = "other";
  assert.notEqual(graphComponents(elsewhere, FEATURES).hash, one);
  const before = operatorFeatures("0.9.0");
  const made = graphComponents(graph([worker(["x"])]), before);
  assert.deepEqual([made.hash, made.objects[0]!.metadata.name], [undefined, "g-w"]);
});

Deno.test("labels and environment of the graph reach the pods, below their own", () => {
  const made = deploymentOf(
    worker(["x"], {
      podTemplate: {
        metadata: { labels: { team: "own", more: "yes" } },
        spec: {
          containers: [
            { name: "side", image: "s" },
            { name: "main", image: "a:1.6.1", env: [{ name: "A", value: "own" }] },
          ],
        },
      },
    }),
    {
      labels: { team: "graph", all: "yes" },
      annotations: { note: "graph" },
      env: [{ name: "A", value: "graph" }, { name: "B", value: "graph" }],
    },
  );
  const template = made.spec.template;
  const labels = template.metadata?.labels ?? {};
  assert.deepEqual([labels["team"], labels["more"], labels["all"]], ["own", "yes", "yes"]);
  assert.equal(made.metadata.labels?.["all"], "yes");
  assert.deepEqual(template.metadata?.annotations, { note: "graph" });
  const [side, main] = template.spec?.containers ?? [];
  assert.deepEqual(side, { name: "side", image: "s" });
  const env = Object.fromEntries(main!.env!.map((one) => [one.name, one.value]));
  assert.deepEqual([env["A"], env["B"]], ["own", "graph"]);
});

Deno.test("claims by mounting, compilation cache, no shared memory, own security", () => {
  const made = deploymentOf({
    name: "W",
    type: "worker",
    sharedMemorySize: "0",
    compilationCache: { pvcName: "cache" },
    podTemplate: {
      spec: {
        securityContext: { runAsUser: 1 },
        containers: [{
          name: "main",
          image: "a:1.6.1",
          command: ["python3", "-m", "dynamo.vllm"],
          volumeMounts: [{ name: "models", mountPath: "/models" }],
        }],
      },
    },
  });
  const pod = made.spec.template.spec!;
  assert.deepEqual(pod.volumes, [
    { name: "cache", persistentVolumeClaim: { claimName: "cache" } },
    { name: "models", persistentVolumeClaim: { claimName: "models" } },
  ]);
  assert.deepEqual(pod.securityContext, { runAsUser: 1 });
  const env = pod.containers![0]!.env!.find((one) => one.name === "VLLM_CACHE_ROOT");
  assert.equal(env?.value, "/root/.cache/vllm");
});

Deno.test("a component without a type: bare container, Service that selects nothing", () => {
  const object = graphComponents(graph([{ name: "My.Job" }]), FEATURES).objects[0]!;
  const made = currentDeployment(object, FEATURES, ALONE);
  const main = made.spec.template.spec!.containers![0]!;
  assert.deepEqual([main.name, main.command, main.ports], ["main", ["/bin/sh", "-c"], undefined]);
  assert.equal(made.spec.template.metadata?.labels?.[LABEL.componentType], undefined);
  const service = currentService(object);
  assert.equal(service.metadata.name, "g-my-job");
  assert.equal(service["spec"].selector[LABEL.componentType], "");
});

Deno.test("liveness of workers is relaxed from 1.5.0", () => {
  const failures = (version: string) => {
    const features = operatorFeatures(version);
    const object = graphComponents(graph([worker(["x"])]), features).objects[0]!;
    const main = currentDeployment(object, features, ALONE).spec.template.spec!.containers![0]!;
    return main.livenessProbe?.["failureThreshold"];
  };
  assert.deepEqual([failures("1.4.2"), failures("1.5.1")], [1, 3]);
});

Deno.test("a rollout moves replicas a quarter at a time", () => {
  const walk = (desired: number) => {
    const steps: string[] = [];
    let fresh = 0;
    let old = desired;
    for (let turn = 0; turn < 50 && (old > 0 || fresh < desired); turn++) {
      const next = stepCounts({ desired, started: fresh, available: fresh, old: [old] });
      fresh = next.replicas;
      old = next.old[0]!;
      steps.push(`${fresh}/${old}`);
    }
    return steps.join(" ");
  };
  assert.equal(walk(1), "1/1 1/0");
  assert.equal(walk(2), "1/2 1/1 2/1 2/0");
  assert.equal(walk(4), "1/3 2/2 3/1 4/0");
  // Nothing goes while nothing new is available.
  assert.deepEqual(stepCounts({ desired: 2, started: 1, available: 0, old: [2] }), {
    replicas: 1,
    old: [2],
  });
  assert.deepEqual(stepCounts({ desired: 0, started: 0, available: 0, old: [2, 1] }), {
    replicas: 0,
    old: [0, 0],
  });
});

Deno.test("a finished rollout deletes the old components and notes the hash", () => {
  const before = graphComponents(graph([worker(["x"])]), FEATURES).objects[0]!;
  const wanted = graphComponents(graph([worker(["y"])]), FEATURES);
  const fresh = { ...wanted.objects[0]!, spec: { ...wanted.objects[0]!.spec, replicas: 1 } };
  const old = { ...before, spec: { ...before.spec, replicas: 0 } };
  const ready: Deployment = {
    ...currentDeployment(fresh, FEATURES, ALONE),
    status: {
      updatedReplicas: 1,
      availableReplicas: 1,
      conditions: [{ type: "Available", status: "True" }],
    },
  };
  const plan = planRollout({
    graph: graph([worker(["y"])]),
    wanted,
    existing: [old, fresh],
    deploymentOf: (one) => one === fresh ? ready : undefined,
    now: 0,
  });
  assert.deepEqual(plan.obsolete, [before.metadata.name]);
  assert.equal(plan.settledHash, wanted.hash);
  assert.equal(plan.rollout?.phase, "Completed");
  const early = planRollout({
    graph: graph([worker(["y"])]),
    wanted,
    existing: [{ ...before, spec: { ...before.spec, replicas: 1 } }],
    deploymentOf: () => undefined,
    now: 0,
  });
  assert.deepEqual([early.obsolete, early.settledHash, early.rollout?.phase], [
    [],
    undefined,
    "InProgress",
  ]);
});
