import assert from "node:assert/strict";
import type { Status } from "./status.ts";
import { statusLines, tableLines } from "./status_text.ts";

const pod = { restarts: 2 };
const status = {
  target: {
    kind: "eks",
    server: `https://${"0123456789ABCDEF".repeat(2)}.gr7.us-west-2.eks.amazonaws.com`,
    kubernetes: "v1.36.3-eks-0123456",
    namespace: "dynamo-cloud",
    release: "1.6.1",
  },
  operator: {
    name: "o",
    image: `123456789012.dkr.ecr.us-west-2.amazonaws.com/${"ai-dynamo/".repeat(4)}operator:1`,
    ready: true,
  },
  graphs: [{
    name: "vllm-disaggregated-router-with-a-long-name",
    createdAt: "2026-01-01T00:00:00Z",
    state: "pending",
    ready: false,
    endpoint: "http://vllm-frontend.dynamo-cloud:8000",
    usdPerHour: 131.5,
    components: [{
      name: "VllmPrefillWorkerOfSeveralNodes",
      phrase: "0 of 2 ready, not scheduled: 0/5 nodes are available: 2 Insufficient nvidia.com/gpu",
      pods: [pod, pod],
    }],
  }],
  requests: [],
  nodes: [{
    name: "ip-10-0-123-145.us-west-2.compute.internal",
    nodePool: "g6-gpu-karpenter",
    instanceType: "g6.12xlarge",
    ready: true,
    gpus: 4,
    gpusUsed: 1,
    usdPerHour: null,
  }],
  cost: null,
} as unknown as Status;

Deno.test("a status fits 80 columns and 64, and keeps what matters", () => {
  const now = Date.parse("2026-01-01T02:05:00Z");
  for (const width of [80, 64]) {
    const lines = statusLines(status, { now, width });
    for (const line of lines) assert.ok([...line].length <= width, `${width}: ${line}`);
  }
  const text = statusLines(status, { now, width: 80 }).join("\n");
  assert.match(text, /2 h 5 min .*131\.50 /);
  assert.match(text, /Insufficient/);
  assert.match(text, /^ip-10-0-123-145 +g6-gpu-karpenter +g6\.12xlarge +yes +- +1 of 4$/m);
});

Deno.test("short tables are not stretched", () => {
  assert.deepEqual(tableLines([["A", "B"], ["x", "y z"]], 80), ["A  B", "x  y z"]);
});
