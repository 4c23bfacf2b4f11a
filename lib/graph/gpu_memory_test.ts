import assert from "node:assert/strict";
import { gpuMemoryNeed, modelParameters, usableGiB, weightBits } from "./gpu_memory.ts";
import { parseGraph } from "./load.ts";
import type { Graph } from "./types.ts";

function graph(model: string, args = "{}", engine = "vllm"): Graph {
  return parseGraph(
    `{name: x, description: x, engine: ${engine}, model: {id: ${model}}, components: [` +
      `{name: F, role: frontend, gpus: 1}, {name: W, role: worker, gpus: 1, args: ${args}}]}`,
    "test",
  );
}

Deno.test("parameters from names", () => {
  const cases: [string, number | undefined, number?][] = [
    ["Qwen/Qwen3-0.6B", 0.6],
    ["meta-llama/Llama-3.1-8B-Instruct", 8],
    ["deepseek-ai/DeepSeek-R1-Distill-Llama-70B", 70],
    ["HuggingFaceTB/SmolLM2-135M-Instruct", 0.135],
    ["Qwen/Qwen3-30B-A3B", 30, 3],
    ["Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", 235, 22],
    ["deepseek-ai/DeepSeek-R1", 671, 37],
    ["meta-llama/Llama-4-Scout-17B-16E-Instruct", 109, 17],
    ["/models/llama-7b", 7],
    ["microsoft/phi-4", undefined],
    ["org/model-v2", undefined],
    ["org/model-4bit", undefined],
  ];
  for (const [id, total, active] of cases) {
    const found = modelParameters(id);
    assert.deepEqual([found?.total, found?.active], [total, active ?? total], id);
  }
  // Published: 46.7B and 12.9B; 141B.
  const mixtral = modelParameters("mistralai/Mixtral-8x7B-Instruct-v0.1")!;
  assert.ok(Math.abs(mixtral.total - 46.7) < 2 && Math.abs(mixtral.active - 12.9) < 1);
  assert.ok(Math.abs(modelParameters("mistralai/Mixtral-8x22B-v0.1")!.total - 141) < 5);
});

Deno.test("bits of a weight by setting, name, and model", () => {
  const bits = (model: string, args = "{}") => {
    const of = graph(model, args);
    return weightBits(model, of.components[1]!).bits;
  };
  assert.equal(bits("a/b-8B"), 16);
  assert.equal(bits("a/b-8B", "{dtype: float32}"), 32);
  assert.equal(bits("a/b-8B", "{quantization: fp8}"), 8);
  assert.equal(bits("a/b-8B", "{quantization: awq_marlin}"), 4.5);
  assert.equal(bits("a/b-8B-FP8"), 8);
  assert.equal(bits("a/b-8B-AWQ"), 4.5);
  assert.equal(bits("a/b-8B-GPTQ-Int8"), 8);
  assert.equal(bits("a/b-8B-NVFP4"), 4.5);
  assert.equal(bits("openai/gpt-oss-20b"), 4.25);
  assert.equal(bits("deepseek-ai/DeepSeek-R1"), 8);
  assert.equal(bits("deepseek-ai/DeepSeek-R1-Distill-Llama-8B"), 16);
});

Deno.test("the need of one GPU is the sum of its parts, split over the GPUs", () => {
  const one = graph("a/b-8B");
  const alone = gpuMemoryNeed(one, one.components[1]!)!;
  assert.ok(Math.abs(alone.weights - 8e9 * 2 / 2 ** 30) < 1e-9);
  assert.equal(alone.total, alone.weights + alone.overhead + alone.kvCache);
  const split = graph("a/b-8B", "{tensorParallel: 2, pipelineParallel: 2, eager: true}");
  const quarter = gpuMemoryNeed(split, split.components[1]!)!;
  assert.equal(quarter.weights, alone.weights / 4);
  assert.equal(quarter.kvCache, alone.kvCache / 4);
  assert.equal(quarter.overhead, 1);
  assert.match(
    quarter.arithmetic,
    /8B parameters × 2 bytes \(16-bit\) = 14\.9 GiB, ÷ 4 GPUs = 3\.7 GiB/,
  );
  const long = { ...one, model: { id: "a/b-8B", maxLength: 131072 } };
  assert.ok(Math.abs(gpuMemoryNeed(long, long.components[1]!)!.kvCache - 17) < 2);
});

Deno.test("nothing is said where nothing is known", () => {
  const one = graph("a/b-8B");
  assert.equal(gpuMemoryNeed(one, one.components[0]!), undefined);
  const unnamed = graph("a/b");
  assert.equal(gpuMemoryNeed(unnamed, unnamed.components[1]!), undefined);
});

Deno.test("TensorRT-LLM's share is of what the weights leave", () => {
  const args = "{gpuMemoryFraction: 0.5}";
  const vllm = graph("a/b-8B", args);
  const trtllm = graph("a/b-8B", args, "trtllm");
  const need = gpuMemoryNeed(vllm, vllm.components[1]!)!;
  assert.equal(usableGiB(need, vllm, 24 * 1024), 12);
  assert.ok(usableGiB(need, trtllm, 24 * 1024) > 22);
});
