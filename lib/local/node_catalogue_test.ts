import assert from "node:assert/strict";
import { describeNodePools, simulatedNodes } from "./node_catalogue.ts";

const NODES = simulatedNodes("1.36.3");

Deno.test("there are two CPU nodes, three with A10G and one with L4", () => {
  const pools = NODES.map(({ node }) => node.metadata.labels?.["karpenter.sh/nodepool"]);
  assert.deepEqual(pools, [
    "cpu-karpenter",
    "cpu-karpenter",
    "g5-gpu-karpenter",
    "g5-gpu-karpenter",
    "g5-gpu-karpenter",
    "g6-gpu-karpenter",
  ]);
  assert.equal(new Set(NODES.map(({ node }) => node.metadata.name)).size, NODES.length);
  assert.deepEqual(describeNodePools(), [
    "2 × cpu-karpenter (m5.2xlarge, no GPU)",
    "2 × g5-gpu-karpenter (g5.12xlarge, 4 simulated GPUs each)",
    "1 × g5-gpu-karpenter (g5.48xlarge, 8 simulated GPUs each)",
    "1 × g6-gpu-karpenter (g6.12xlarge, 4 simulated GPUs each)",
  ]);
});

Deno.test("GPU nodes have the taint, the labels and the capacity that go together", () => {
  for (const { node, status } of NODES) {
    const labels = node.metadata.labels ?? {};
    const { capacity } = status as { capacity: Record<string, string> };
    const taints: { key: string }[] = node.spec.taints ?? [];
    const gpu = labels["karpenter.sh/nodepool"] !== "cpu-karpenter";
    assert.equal(labels["nvidia.com/gpu.present"] === "true", gpu);
    assert.equal(taints.some(({ key }) => key === "nvidia.com/gpu"), gpu);
    assert.equal(capacity["nvidia.com/gpu"], gpu ? labels["nvidia.com/gpu.count"] : undefined);
    assert.equal(labels["app.kubernetes.io/managed-by"], "dynamo-eks");
  }
});

Deno.test("allocatable follows EKS' reservations", () => {
  const { allocatable, capacity } = NODES[0]!.status as Record<string, Record<string, string>>;
  // m5.2xlarge: 60 + 10 + 5 + 5 + 4 × 2.5 = 90 thousandths; 255 + 11 × 58 + 100 = 993 MiB.
  assert.equal(allocatable!.cpu, "7910m");
  assert.equal(capacity!.memory, "30310Mi");
  assert.equal(allocatable!.memory, `${30310 - 993}Mi`);
});
