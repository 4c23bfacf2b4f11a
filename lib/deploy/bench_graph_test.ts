import assert from "node:assert/strict";
import { resolveRelease } from "../blueprint/release.ts";
import { startApiServer } from "../kube/testing.ts";
import { readMeasuredGraph } from "./bench_graph.ts";
import type { ComponentState, GraphState } from "./graph_state.ts";
import { podState } from "./pod_state.ts";
import type { GraphSession } from "./session.ts";

const NAMESPACE = "dynamo-cloud";

function node(name: string, labels: Record<string, string>, allocatable: Record<string, string>) {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "topology.kubernetes.io/region": "us-west-2", ...labels },
    },
    status: { allocatable, capacity: allocatable, nodeInfo: { kubeletVersion: "v1.33.1" } },
  };
}

const NODES = [
  // As Karpenter labels it, and as EKS's own node groups are.
  node("gpu-1", {
    "node.kubernetes.io/instance-type": "g5.12xlarge",
    "karpenter.sh/capacity-type": "spot",
    "nvidia.com/gpu.product": "NVIDIA-A10G",
  }, { cpu: "47", memory: "180Gi", "nvidia.com/gpu": "4" }),
  node("cpu-1", {
    "node.kubernetes.io/instance-type": "m5.xlarge",
    "eks.amazonaws.com/capacityType": "ON_DEMAND",
  }, { cpu: "4", memory: "16Gi" }),
  node("elsewhere", { "node.kubernetes.io/instance-type": "p5.48xlarge" }, { cpu: "190" }),
];

function pod(name: string, nodeName: string, resources: unknown, args: string[]) {
  const image = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName,
      containers: [{ name: "main", image, command: ["python3"], args, resources }],
    },
  };
}

const PODS = [
  pod("frontend-1", "cpu-1", { requests: { cpu: "1", memory: "2Gi" } }, ["-m", "dynamo.frontend"]),
  pod("worker-1", "gpu-1", { limits: { "nvidia.com/gpu": "1", cpu: "8" } }, [
    "-m",
    "dynamo.vllm",
    "--hf-token",
    "not-to-be-seen",
  ]),
  pod("worker-2", "gpu-1", { limits: { "nvidia.com/gpu": "1", cpu: "8" } }, ["-m", "dynamo.vllm"]),
  pod("of-another-graph", "elsewhere", { limits: { "nvidia.com/gpu": "8" } }, []),
];

function component(name: string, type: string, pods: readonly string[]): ComponentState {
  return {
    name,
    type,
    replicas: pods.length,
    image: undefined,
    ready: pods.length,
    updated: pods.length,
    settled: true,
    phrase: "",
    pods: PODS.filter(({ metadata }) => pods.includes(metadata.name)).map(podState),
  };
}

const GRAPH: GraphState = {
  name: "vllm",
  namespace: NAMESPACE,
  apiVersion: "nvidia.com/v1beta1",
  createdAt: undefined,
  state: "successful",
  reason: "",
  message: "",
  ready: true,
  components: [
    component("Frontend", "frontend", ["frontend-1"]),
    component("Worker", "worker", ["worker-1", "worker-2"]),
  ],
  ours: true,
};

Deno.test("nodes, shares, prices and arguments of a graph, and none of what others run", async () => {
  await using api = await startApiServer((_request, url) => {
    if (url.pathname === "/version") return Response.json({ gitVersion: "v1.33.4" });
    if (url.pathname === `/api/v1/namespaces/${NAMESPACE}/pods`) {
      return Response.json({ apiVersion: "v1", kind: "PodList", metadata: {}, items: PODS });
    }
    const name = /^\/api\/v1\/nodes\/(.+)$/.exec(url.pathname)?.[1];
    const found = NODES.find(({ metadata }) => metadata.name === name);
    return found === undefined ? undefined : Response.json(found);
  });
  const session: GraphSession = {
    target: { kind: "context", namespace: NAMESPACE, release: "1.6.1" },
    release: resolveRelease("1.6.1"),
    kube: api.kube,
    list: () => Promise.resolve([GRAPH]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const { environment, nodes, prices } = await readMeasuredGraph(api.ctx, session, "vllm");
  assert.deepEqual(nodes, [
    {
      name: "cpu-1",
      instanceType: "m5.xlarge",
      capacityType: "on-demand",
      share: 0.25,
      pricePerHour: 0.192,
    },
    {
      name: "gpu-1",
      instanceType: "g5.12xlarge",
      capacityType: "spot",
      share: 0.5,
      pricePerHour: 5.672,
    },
  ]);
  assert.equal(prices.source, "table");
  assert.match(prices.date!, /^\d{4}-\d\d-\d\d$/);
  assert.equal(environment.kubernetes, "v1.33.4");
  assert.equal(environment.operator, null);
  assert.equal(environment.simulated, false);
  assert.deepEqual(environment.nodes.map(({ gpus, gpus_used }) => [gpus, gpus_used]), [[0, 0], [
    4,
    2,
  ]]);
  assert.deepEqual(environment.graph.components[1]?.args, [
    "python3",
    "-m",
    "dynamo.vllm",
    "--hf-token",
    "***",
  ]);
});
