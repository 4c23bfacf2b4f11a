import assert from "node:assert/strict";
import { DEFAULT_NODE_POOLS } from "../blueprint/node_pools.ts";
import { testContext } from "../cli/testing.ts";
import { costPerHour, costText } from "./cost.ts";
import { listExamples, loadExample } from "./examples.ts";
import { allocatable, instanceType, instanceTypes } from "../aws/instance_types.ts";
import { parseGraph } from "./load.ts";
import { totalGpus } from "./types.ts";

function cost(components: string) {
  const graph = parseGraph(
    `{name: x, description: x, engine: vllm, model: {id: a/b}, components: [${components}]}`,
    "test",
  );
  return costPerHour(graph, DEFAULT_NODE_POOLS);
}

const FRONTEND = "{name: F, role: frontend, nodePool: cpu-karpenter, " +
  "resources: {requests: {cpu: 1, memory: 2Gi}}}";

Deno.test("each pod goes on the cheapest node of its pool", () => {
  const result = cost(`${FRONTEND}, {name: W, role: worker, gpus: 1, nodePool: g5-gpu-karpenter}`);
  assert.deepEqual(result.nodes, [
    { instanceType: "g5.2xlarge", count: 1, pricePerHour: 1.212 },
    { instanceType: "m5.xlarge", count: 1, pricePerHour: 0.192 },
  ]);
  assert.equal(result.perHour, 1.4);
  assert.equal(
    costText(result),
    "1 × g5.2xlarge + 1 × m5.xlarge ≈ 1.40 USD an hour (on-demand, us-east-1, 2026-07-20)",
  );
});

Deno.test("pods share a node that has room, and take another when it has none", () => {
  const four = cost("{name: W, role: worker, gpus: 2, replicas: 3, nodePool: g6-gpu-karpenter}");
  assert.deepEqual(four.nodes, [{ instanceType: "g6.12xlarge", count: 2, pricePerHour: 4.6016 }]);
  const frontends = cost(FRONTEND.replace("role", "replicas: 4, role"));
  assert.deepEqual(frontends.nodes.map((node) => [node.instanceType, node.count]), [
    ["m5.xlarge", 2],
  ]);
});

Deno.test("requests, limits and the instance type decide as well", () => {
  const large = cost(
    "{name: W, role: worker, gpus: 1, nodePool: g5-gpu-karpenter, resources: {limits: {memory: 40Gi}}}",
  );
  assert.equal(large.nodes[0]?.instanceType, "g5.4xlarge");
  const typed = cost(
    "{name: W, role: worker, gpus: 1, nodePool: g5-gpu-karpenter, instanceType: g5.12xlarge}",
  );
  assert.equal(typed.nodes[0]?.instanceType, "g5.12xlarge");
});

Deno.test("what nothing is known about is named", () => {
  const result = cost(
    `${FRONTEND}, {name: W, role: worker, gpus: 1, nodePool: other}, ` +
      "{name: X, role: worker, gpus: 16, nodePool: g5-gpu-karpenter}, " +
      "{name: Off, role: worker, gpus: 16, replicas: 0}",
  );
  assert.deepEqual(result.unknown.toSorted(), ["W", "X"]);
  assert.equal(result.perHour, 0.19);
  assert.match(costText(result), /, without X, W\)$|, without W, X\)$/);
  assert.equal(costText(cost("{name: W, role: worker, nodePool: other}")), "unknown");
});

Deno.test("every example on built-in pools has as many GPUs as it asks for, at a price", async () => {
  await using test = await testContext();
  let priced = 0;
  for (const { name } of await listExamples(test.ctx)) {
    const graph = await loadExample(test.ctx, name);
    const result = costPerHour(graph, DEFAULT_NODE_POOLS);
    if (result.unknown.length > 0) continue;
    const gpus = result.nodes.reduce(
      (sum, node) => sum + node.count * instanceType(node.instanceType)!.gpus,
      0,
    );
    assert.ok(gpus >= totalGpus(graph), name);
    priced++;
  }
  assert.ok(priced >= 9, `only ${priced}`);
});

Deno.test("the table is whole", () => {
  const types = instanceTypes();
  assert.ok(types.length > 50);
  for (const type of types) {
    assert.deepEqual(instanceType(type.name), type);
    assert.equal(type.gpus > 0, type.gpuMemoryMiB > 0, type.name);
    const room = allocatable(type);
    assert.ok(room.cpus > 0.8 * type.vcpus && room.memoryGiB > 0.8 * type.memoryGiB, type.name);
  }
  assert.equal(instanceType("g5.3xlarge"), undefined);
  assert.equal(instanceType("constructor.name"), undefined);
  assert.equal(instanceType(""), undefined);
  assert.deepEqual(instanceType("p5.48xlarge"), {
    name: "p5.48xlarge",
    gpu: "H100",
    gpus: 8,
    gpuMemoryMiB: 81920,
    vcpus: 192,
    memoryGiB: 2048,
    pricePerHour: 55.04,
  });
});
