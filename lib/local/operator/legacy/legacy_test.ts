import assert from "node:assert/strict";
import { operatorFeatures } from "../features.ts";
import { ANNOTATION, LABEL } from "../names.ts";
import type { Component, Container, Graph, ServiceSpec } from "../types.ts";
import { legacyComponents } from "./components.ts";
import { legacyPodSpec, type Surroundings } from "./pod_spec.ts";
import { graphClaims, ownClaim } from "./volumes.ts";
import { legacyDeployment, legacyService } from "./workload.ts";

const FEATURES = operatorFeatures("0.4.1");
const ALONE: Surroundings = { pullSecrets: [] };

function graph(spec: Graph["spec"], annotations: Record<string, string> = {}): Graph {
  return {
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "g", namespace: "ns", uid: "u", annotations },
    spec: spec as NonNullable<Graph["spec"]>,
  };
}

function component(service: ServiceSpec, spec: Graph["spec"] = {}): Component {
  return legacyComponents(graph({ ...spec, services: { W: service } }), FEATURES)[0]!;
}

function main(service: ServiceSpec, around = ALONE): Container {
  return legacyPodSpec(component(service), FEATURES, around).containers![0]!;
}

function env(container: Container): Record<string, string | undefined> {
  return Object.fromEntries(container.env!.map((one) => [one.name, one.value]));
}

Deno.test("one component a service, named in lower case, labels of the service lost", () => {
  const made = component({ labels: { mine: "yes" }, dynamoNamespace: "d" });
  assert.equal(made.metadata.name, "g-w");
  assert.deepEqual(made.spec.labels, { [LABEL.component]: "W", [LABEL.namespace]: "d" });
  assert.equal(component({}).spec.dynamoNamespace, "dynamo-g");
  const later = legacyComponents(graph({ services: { W: {} } }), operatorFeatures("0.5.0"))[0]!;
  assert.equal(later.metadata.labels?.[LABEL.graph], "g");
});

Deno.test("services of two Dynamo namespaces are refused", () => {
  const services = { A: { dynamoNamespace: "one" }, B: {}, C: { dynamoNamespace: "two" } };
  assert.throws(
    () => legacyComponents(graph({ services }), FEATURES),
    /namespace mismatch for component C: graph uses namespace one but component specifies two/,
  );
});

Deno.test("environment: graph below service below operator below mainContainer below addresses", () => {
  const around = { ...ALONE, natsAddress: "nats://n:4222" };
  const made = legacyComponents(
    graph({
      envs: [{ name: "A", value: "graph" }, { name: "B", value: "graph" }],
      services: {
        W: {
          envs: [
            { name: "B", value: "service" },
            { name: "DYN_NAMESPACE", value: "service" },
            { name: "NATS_SERVER", value: "service" },
          ],
          extraPodSpec: {
            mainContainer: {
              env: [{ name: "DYN_PARENT_DGD_K8S_NAME", value: "own" }, {
                name: "NATS_SERVER",
                value: "own",
              }],
            },
          },
        },
      },
    }),
    FEATURES,
  )[0]!;
  const container = legacyPodSpec(made, FEATURES, around).containers![0]!;
  assert.deepEqual(env(container), {
    A: "graph",
    B: "service",
    DYN_NAMESPACE: "dynamo-g",
    DYN_PARENT_DGD_K8S_NAME: "own",
    DYN_PARENT_DGD_K8S_NAMESPACE: "ns",
    NATS_SERVER: "nats://n:4222",
  });
  const names = container.env!.map((one) => one.name);
  assert.deepEqual(names, [...names].sort());
});

Deno.test("GPUs come from limits only; a requested GPU is ignored", () => {
  const resources = (service: ServiceSpec) => main(service).resources;
  assert.deepEqual(resources({ resources: { requests: { gpu: "1", cpu: "2" } } }), {
    requests: { cpu: "2" },
  });
  assert.deepEqual(
    resources({ resources: { limits: { gpu: "2", custom: { "vpc.amazonaws.com/efa": "1" } } } }),
    { limits: { "nvidia.com/gpu": "2", "vpc.amazonaws.com/efa": "1" } },
  );
});

Deno.test("DYN_DEPLOYMENT_CONFIG sets replicas that are not set, and resources", () => {
  const config = JSON.stringify({ W: { ServiceArgs: { workers: 3, resources: { gpu: "2" } } } });
  const envs = [{ name: "DYN_DEPLOYMENT_CONFIG", value: config }];
  const made = component({}, { envs });
  assert.equal(made.spec.replicas, 3);
  assert.equal(component({ replicas: 1 }, { envs }).spec.replicas, 1);
  assert.deepEqual(legacyPodSpec(made, FEATURES, ALONE).containers![0]!.resources, {
    limits: { "nvidia.com/gpu": "2" },
  });
  assert.throws(
    () => component({}, { envs: [{ name: "DYN_DEPLOYMENT_CONFIG", value: "{" }] }),
    /not JSON/,
  );
});

Deno.test("own ports and probes replace the defaults whole", () => {
  const container = main({
    componentType: "worker",
    livenessProbe: { exec: { command: ["true"] } },
    extraPodSpec: {
      mainContainer: {
        ports: [{ name: "mine", containerPort: 1 }],
        startupProbe: { exec: { command: ["x"] } },
      },
    },
  });
  assert.deepEqual(container.ports, [{ name: "mine", containerPort: 1 }]);
  assert.deepEqual(container.livenessProbe, { exec: { command: ["true"] } });
  assert.deepEqual(container.startupProbe, { exec: { command: ["x"] } });
});

Deno.test("side containers: only the first by name is kept", () => {
  const names = (side: string) =>
    legacyPodSpec(
      component({ extraPodSpec: { containers: [{ name: side, image: "s" }] } }),
      FEATURES,
      ALONE,
    ).containers!.map((one) => one.name);
  assert.deepEqual(names("side"), ["main"]);
  assert.deepEqual(names("aside"), ["aside"]);
});

Deno.test("account, pull secrets, shared memory and the pod's own fields", () => {
  const around: Surroundings = {
    componentAccount: "dynamo-platform-dynamo-operator-component",
    pullSecrets: [{ name: "ngc", registries: ["nvcr.io"] }],
  };
  const pod = legacyPodSpec(
    component({
      sharedMemory: { disabled: true },
      extraPodSpec: {
        nodeSelector: { a: "b" },
        terminationGracePeriodSeconds: 5,
        mainContainer: { image: "nvcr.io/a/b:1" },
      },
    }),
    FEATURES,
    around,
  );
  assert.equal(pod.serviceAccountName, "dynamo-platform-dynamo-operator-component");
  assert.deepEqual(pod.imagePullSecrets, [{ name: "ngc" }]);
  assert.equal(pod.volumes, undefined);
  assert.equal(pod.terminationGracePeriodSeconds, 5);
  assert.deepEqual(pod["nodeSelector"], { a: "b" });
  const planner = component({ componentType: "planner" });
  assert.equal(planner.spec.extraPodSpec?.serviceAccountName, "planner-serviceaccount");
});

Deno.test("claims: the service's own up to 0.5, the graph's since 0.6", () => {
  const pvc = { name: "data", mountPoint: "/data", create: true, size: "1Gi", storageClass: "gp3" };
  const old = component({ pvc });
  assert.deepEqual(ownClaim(old)?.["spec"], {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "gp3",
    resources: { requests: { storage: "1Gi" } },
  });
  const pod = legacyPodSpec(old, FEATURES, ALONE);
  assert.deepEqual(pod.containers![0]!.volumeMounts?.[0], { name: "data", mountPath: "/data" });
  const newer = operatorFeatures("0.6.1");
  const owner = graph({
    pvcs: [{ ...pvc, name: "cache" }, { name: "existing" }],
    services: { W: { volumeMounts: [{ name: "cache", useAsCompilationCache: true }] } },
  });
  assert.deepEqual(graphClaims(owner).map((one) => one.metadata.name), ["cache"]);
  const mounted = legacyPodSpec(legacyComponents(owner, newer)[0]!, newer, ALONE);
  assert.deepEqual(mounted.containers![0]!.volumeMounts?.[0], {
    name: "cache",
    mountPath: "/root/.cache/vllm",
  });
});

Deno.test("labels, metrics switch, strategy and Service selector", () => {
  const made = component({
    componentType: "frontend",
    annotations: { [ANNOTATION.enableMetrics]: "false", [ANNOTATION.strategy]: "Recreate" },
    extraPodMetadata: { labels: { team: "a" }, annotations: { note: "b" } },
  });
  const deployment = legacyDeployment(made, FEATURES, ALONE);
  assert.deepEqual(deployment.spec.strategy, { type: "Recreate" });
  assert.equal(deployment.metadata.labels?.[LABEL.metrics], undefined);
  assert.deepEqual(deployment.metadata.annotations, { note: "b" });
  const service = legacyService(made);
  assert.deepEqual(service?.["spec"].selector, deployment.spec.template.metadata?.labels);
  assert.equal(service?.["spec"].selector.team, "a");
});

Deno.test("another engine than configured is refused", () => {
  const service: ServiceSpec = {
    componentType: "worker",
    extraPodSpec: { mainContainer: { args: ["python3 -m dynamo.sglang"] } },
  };
  assert.throws(
    () => legacyPodSpec(component(service, { backendFramework: "vllm" }), FEATURES, ALONE),
    /backend framework mismatch: detected "sglang" .* configured as "vllm"/,
  );
});
