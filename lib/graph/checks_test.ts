import assert from "node:assert/strict";
import { DEFAULT_NODE_POOLS } from "../blueprint/node_pools.ts";
import type { NodePool } from "../blueprint/types.ts";
import { testContext } from "../cli/testing.ts";
import { checkFit, type CheckOptions, isGated } from "./checks.ts";
import { listExamples, loadExample } from "./examples.ts";
import { parseGraph } from "./load.ts";
import { type Problem, problemText } from "./problems.ts";
import type { Graph } from "./types.ts";

const POOLS: readonly NodePool[] = [
  ...DEFAULT_NODE_POOLS,
  {
    name: "p5",
    instanceFamilies: ["p5"],
    instanceSizes: [],
    capacityTypes: ["on-demand"],
    gpu: "H100",
    taints: [],
    efaInterfaces: 32,
  },
];

function graph(model: string, worker: string, rest = ""): Graph {
  return parseGraph(
    `{name: x, description: x, engine: vllm, model: {id: ${model}}, ${rest} components: [` +
      `{name: Frontend, role: frontend, nodePool: cpu-karpenter}, {name: W, ${worker}}]}`,
    "test",
  );
}

function problems(of: Graph, options: Partial<CheckOptions> = {}): Problem[] {
  return checkFit(of, { nodePools: POOLS, ...options });
}

function only(of: Graph, options: Partial<CheckOptions> = {}): Problem {
  const list = problems(of, options);
  assert.equal(list.length, 1, list.map(problemText).join("\n"));
  return list[0]!;
}

const SMALL = "Qwen/Qwen3-0.6B";

Deno.test("a small model on a small GPU is well", () => {
  assert.deepEqual(problems(graph(SMALL, "role: worker, gpus: 1, nodePool: g5-gpu-karpenter")), []);
  assert.deepEqual(problems(graph(SMALL, "role: worker, gpus: 1")), []);
});

Deno.test("GPUs of a pod against the pool's nodes", () => {
  const many = only(graph(SMALL, "role: worker, gpus: 16, nodePool: g5-gpu-karpenter"));
  assert.deepEqual([many.severity, many.path], ["error", "components[1].gpus"]);
  assert.equal(
    many.message,
    "a pod of W asks for 16 GPUs, and a node of g5-gpu-karpenter has at most 8",
  );
  const cpu = only(graph(SMALL, "role: worker, gpus: 1, nodePool: cpu-karpenter"));
  assert.match(cpu.message, /cpu-karpenter has no nodes with GPUs/);
  assert.equal(cpu.hint, "Give --node-pool W=g5-gpu-karpenter.");
  const type = only(
    graph(SMALL, "role: worker, gpus: 4, nodePool: g5-gpu-karpenter, instanceType: g5.2xlarge"),
  );
  assert.match(type.message, /a node of g5\.2xlarge has at most 1$/);
});

Deno.test("an instance type has to be one of the pool, and the pool one of the blueprint", () => {
  const wrong = only(
    graph(SMALL, "role: worker, gpus: 1, nodePool: g5-gpu-karpenter, instanceType: p5.48xlarge"),
  );
  assert.deepEqual([wrong.severity, wrong.hint], ["error", "Give --node-pool W=p5."]);
  assert.match(wrong.message, /g5-gpu-karpenter does not offer p5\.48xlarge/);
  const nowhere = only(graph(SMALL, "role: worker, gpus: 1, instanceType: g6e.xlarge"));
  assert.match(nowhere.message, /no node pool offers g6e\.xlarge/);
  const pool = only(graph(SMALL, "role: worker, gpus: 1, nodePool: g5-gpu-karpentr"));
  assert.equal(pool.severity, "warning");
  assert.match(pool.message, /Did you mean "g5-gpu-karpenter"\?/);
});

Deno.test("CPU and memory of a pod against the largest node", () => {
  const memory = only(
    graph(
      SMALL,
      "role: worker, gpus: 1, instanceType: g5.2xlarge, resources: {requests: {memory: 64Gi}}",
    ),
  );
  assert.match(memory.message, /64\.0 GiB of memory, and a g5\.2xlarge/);
  assert.equal(memory.severity, "error");
  assert.match(
    only(
      graph(
        SMALL,
        "role: worker, gpus: 1, instanceType: g5.2xlarge, resources: {limits: {cpu: 9}}",
      ),
    )
      .message,
    /asks for 9 CPUs/,
  );
});

Deno.test("a model that is too large is refused, with the arithmetic and what would do", () => {
  const problem = only(
    graph("Qwen/Qwen3-32B", "role: worker, gpus: 1, nodePool: g5-gpu-karpenter"),
  );
  assert.equal(problem.severity, "error");
  assert.equal(
    problem.message,
    "Qwen/Qwen3-32B does not fit: 32B parameters × 2 bytes (16-bit) = 59.6 GiB; + 2.0 GiB for " +
      "activations + 1.0 GiB KV cache for 4096 tokens = 62.6 GiB a GPU, and a GPU of " +
      "g5-gpu-karpenter (A10G) has 22.4 GiB, of which 20.1 GiB can be used",
  );
  assert.equal(problem.hint, "Give --tensor-parallel W=4.");
  assert.deepEqual(
    problems(
      graph(
        "Qwen/Qwen3-32B",
        "role: worker, gpus: 4, args: {tensorParallel: 4}, nodePool: g5-gpu-karpenter",
      ),
    ),
    [],
  );
  const close = only(
    graph(
      "a/model-9B",
      "role: worker, gpus: 1, args: {gpuMemoryFraction: 0.8}, nodePool: g5-gpu-karpenter",
    ),
  );
  assert.equal(close.severity, "warning");
  const huge = only(graph("a/model-1000B", "role: worker, gpus: 1, nodePool: g5-gpu-karpenter"));
  assert.match(huge.hint!, /^Take GPUs with more memory/);
});

Deno.test("a pool of several GPUs where only some are large enough", () => {
  const mixed: NodePool = { ...POOLS[1]!, name: "mixed", instanceFamilies: ["g6", "g6e"] };
  const problem = only(graph("a/model-14B", "role: worker, gpus: 1, nodePool: mixed"), {
    nodePools: [...POOLS, mixed],
  });
  assert.equal(problem.severity, "warning");
  assert.match(problem.message, /^mixed also has g6\.2xlarge, whose GPUs are too small/);
  assert.match(problem.hint!, /^Give --instance-type W=g6e\.2xlarge/);
});

Deno.test("an odd number of parts is told: heads have to be divided by it", () => {
  const odd = only(graph(SMALL, "role: worker, gpus: 3, args: {tensorParallel: 3}"));
  assert.deepEqual([odd.severity, odd.path], ["warning", "components[1].args.tensorParallel"]);
  assert.match(odd.message, /^3 divides the attention heads of few models/);
  for (const parts of [1, 2, 4, 8]) {
    const even = `role: worker, gpus: ${parts}, args: {tensorParallel: ${parts}}`;
    assert.deepEqual(problems(graph(SMALL, even)), []);
  }
});

Deno.test("an instance type with a slip gets a suggestion, one that is known does not", () => {
  const at = (type: string) =>
    only(graph(SMALL, `role: worker, gpus: 1, nodePool: g5-gpu-karpenter, instanceType: ${type}`));
  assert.match(at("g5.12xlarg").hint!, /^Did you mean "g5\.12xlarge"\? Add a pool/);
  assert.match(at("p4d.24xlarge").hint!, /^Add a pool/);
});

Deno.test("gated models want a token", () => {
  const worker = "role: worker, gpus: 1, nodePool: g5-gpu-karpenter";
  const secret = "secrets: {huggingFace: s},";
  const none = only(graph("meta-llama/Llama-3.1-8B", worker));
  assert.deepEqual([none.severity, none.path], ["error", "model.id"]);
  assert.match(none.hint!, /^Give --hf-token-secret/);
  const gated = graph("meta-llama/Llama-3.1-8B", worker, secret);
  const unset = only(gated, { tokenGiven: false });
  assert.equal(unset.severity, "warning");
  assert.match(unset.hint!, /^Set HF_TOKEN unless Secret s is there/);
  assert.deepEqual(problems(gated, { tokenGiven: true }), []);
  assert.deepEqual(problems(gated), []);
  const cached = {
    ...gated,
    cache: [{ claim: "c", mountPath: "/c", accessMode: "ReadWriteMany" }],
  };
  assert.equal(only(cached as Graph, { tokenGiven: false }).severity, "warning");
  assert.equal(only(graph("mistralai/Mistral-7B-v0.1", worker)).severity, "warning");
  assert.deepEqual(
    ["google/gemma-2-9b-it", "google/gemma-7b", "google/codegemma-2b", "google/gemma-4-9b", SMALL]
      .map(isGated),
    ["yes", "yes", "yes", "no", "no"],
  );
});

Deno.test("half a pair without pods, and blocks of different sizes", () => {
  const pair = (decode: string, prefill: string) =>
    parseGraph(
      `{name: x, description: x, engine: vllm, model: {id: ${SMALL}}, components: [` +
        `{name: D, role: decode, gpus: 1, ${decode}}, {name: P, role: prefill, gpus: 1, ${prefill}}]}`,
      "test",
    );
  assert.deepEqual(problems(pair("replicas: 1", "replicas: 1")), []);
  assert.deepEqual(problems(pair("replicas: 0", "replicas: 0")), []);
  assert.match(only(pair("replicas: 1", "replicas: 0")).message, /no prefill component has a pod/);
  assert.match(only(pair("replicas: 0", "replicas: 1")).message, /no decode component has a pod/);
  assert.match(
    only(pair("args: {kvBlockSize: 16}", "args: {kvBlockSize: 32}")).message,
    /D 16, P 32/,
  );
});

Deno.test("no example has an error on the built-in pools", async () => {
  await using test = await testContext();
  for (const { name } of await listExamples(test.ctx)) {
    const example = await loadExample(test.ctx, name);
    const found = checkFit(example, { nodePools: DEFAULT_NODE_POOLS, tokenGiven: true });
    const errors = found.filter((problem) => problem.severity === "error");
    assert.deepEqual(errors.map(problemText), [], name);
  }
});
