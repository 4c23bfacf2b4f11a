import assert from "node:assert/strict";
import { engineArguments, engineVariables, settingSupport, startOf } from "./engines.ts";
import { parseGraph } from "./load.ts";
import { testRelease } from "./testing.ts";
import type { Component, EngineName, EngineSettings, Graph, Role, RouterMode } from "./types.ts";

function graphOf(
  engine: EngineName,
  role: Role,
  args: EngineSettings = {},
  routing?: RouterMode,
): Graph {
  const graph = parseGraph(
    `{name: g, description: x, engine: ${engine}, model: {id: org/m}, components: [{name: W, role: ${role}}]}`,
    "test",
  );
  return {
    ...graph,
    ...(routing === undefined ? {} : { routing }),
    components: graph.components.map((component): Component => ({ ...component, args })),
  };
}

function argsOf(
  version: string,
  engine: EngineName,
  role: Role,
  args: EngineSettings = {},
  routing?: RouterMode,
): string {
  const graph = graphOf(engine, role, args, routing);
  return engineArguments(graph, graph.components[0]!, testRelease(version)).join(" ");
}

Deno.test("vllm: the same words for one worker in all releases", () => {
  for (const version of ["0.4.1", "1.0.2", "1.6.1"]) {
    assert.equal(argsOf(version, "vllm", "worker"), "--model org/m");
  }
  assert.equal(
    argsOf("1.6.1", "vllm", "worker", { tensorParallel: 4, gpuMemoryFraction: 0.8, eager: true }),
    "--model org/m --tensor-parallel-size 4 --gpu-memory-utilization 0.8 --enforce-eager",
  );
});

Deno.test("vllm: how prefill and decode are told apart changes with the release", () => {
  assert.equal(argsOf("0.9.0", "vllm", "prefill"), "--model org/m --is-prefill-worker");
  assert.equal(argsOf("0.9.0", "vllm", "decode"), "--model org/m");
  assert.equal(argsOf("1.4.2", "vllm", "decode"), "--model org/m --disaggregation-mode decode");
  assert.equal(
    argsOf("1.5.1", "vllm", "prefill"),
    '--model org/m --disaggregation-mode prefill --kv-transfer-config {"kv_connector":"NixlConnector","kv_role":"kv_both"}',
  );
  assert.match(argsOf("1.6.1", "vllm", "prefill"), /"kv_role":"kv_producer"/);
});

Deno.test("KV routing makes workers publish their cache", () => {
  assert.equal(argsOf("0.9.0", "vllm", "worker", {}, "kv"), "--model org/m");
  assert.match(
    argsOf("1.0.2", "vllm", "worker", {}, "kv"),
    /--kv-events-config .*tcp:\/\/\*:20080/,
  );
  assert.doesNotMatch(argsOf("1.0.2", "vllm", "worker", {}, "random"), /kv-events/);
  assert.match(
    argsOf("0.7.0", "sglang", "worker", {}, "kv"),
    /--kv-events-config .*tcp:\/\/\*:5557/,
  );
  assert.match(argsOf("0.4.1", "trtllm", "worker", {}, "kv"), /--publish-events-and-metrics$/);
});

Deno.test("sglang", () => {
  assert.equal(
    argsOf("0.4.1", "sglang", "worker", { kvBlockSize: 16, trustRemoteCode: true }),
    "--model-path org/m --served-model-name org/m --page-size 16 --tp 1 --trust-remote-code --skip-tokenizer-init",
  );
  assert.equal(
    argsOf("1.6.1", "sglang", "decode", { kvBlockSize: 16, trustRemoteCode: true }),
    "--model-path org/m --served-model-name org/m --page-size 16 --tp 1 --trust-remote-code " +
      "--disaggregation-mode decode --disaggregation-transfer-backend nixl " +
      "--disaggregation-bootstrap-port 12345 --host 0.0.0.0",
  );
});

Deno.test("trtllm: settings files by release and role", () => {
  const common = "--model-path org/m --served-model-name org/m --extra-engine-args";
  assert.equal(argsOf("0.4.1", "trtllm", "worker"), `${common} engine_configs/agg.yaml`);
  assert.equal(
    argsOf("0.4.1", "trtllm", "decode"),
    `${common} engine_configs/decode.yaml --disaggregation-mode decode --disaggregation-strategy decode_first`,
  );
  const folder = "./examples/backends/trtllm/engine_configs/qwen3";
  assert.equal(
    argsOf("1.4.2", "trtllm", "prefill"),
    `${common} ${folder}/prefill.yaml --disaggregation-mode prefill`,
  );
  assert.equal(
    argsOf("1.6.1", "trtllm", "prefill"),
    `${common} ${folder}/prefill.yaml --disaggregation-mode prefill --publish-kv-events`,
  );
  assert.equal(
    argsOf("1.4.2", "trtllm", "worker", { engineConfig: "/x.yaml" }),
    `${common} /x.yaml`,
  );
});

Deno.test("trtllm: what its file would overrule goes into the override", () => {
  assert.match(
    argsOf("1.4.2", "trtllm", "worker", { tensorParallel: 4, gpuMemoryFraction: 0.5 }),
    /--override-engine-args {"tensor_parallel_size":4,"kv_cache_config":{"free_gpu_memory_fraction":0\.5}}$/,
  );
  assert.match(
    argsOf("1.4.2", "trtllm", "worker", { maxSequences: 8 }),
    /--override-engine-args {"max_batch_size":8}$/,
  );
  const graph = graphOf("trtllm", "worker");
  assert.equal(settingSupport(graph, "maxSequences", testRelease("0.4.1")), true);
  assert.match(
    argsOf("0.4.1", "trtllm", "worker", { maxSequences: 8 }),
    /--max-batch-size 8 --extra/,
  );
  assert.deepEqual(settingSupport(graph, "tensorParallel", testRelease("0.4.1")), [0, 5, 1]);
  assert.equal(settingSupport(graph, "tensorParallel", testRelease("0.5.1")), true);
  assert.equal(settingSupport(graph, "quantization", testRelease("1.6.1")), false);
});

Deno.test("trtllm: without a file the flags hold, in all releases", () => {
  const args = {
    engineConfig: "none",
    tensorParallel: 4,
    maxSequences: 64,
    gpuMemoryFraction: 0.9,
  };
  const common = "--model-path org/m --served-model-name org/m --tensor-parallel-size 4 " +
    "--max-batch-size 64 --free-gpu-memory-fraction 0.9";
  assert.equal(argsOf("0.4.1", "trtllm", "worker", args), common);
  assert.equal(argsOf("1.6.1", "trtllm", "worker", args), `${common} --publish-kv-events`);
  const graph = graphOf("trtllm", "worker");
  assert.equal(settingSupport(graph, "tensorParallel", testRelease("0.4.1"), args), true);
});

Deno.test("mocker", () => {
  assert.equal(
    argsOf("1.6.1", "mocker", "worker", { kvBlockSize: 32 }),
    "--model-path org/m --model-name org/m --block-size 32 --speedup-ratio 1.0",
  );
});

Deno.test("LoRA and the KV cache's second tier bring arguments and variables", () => {
  const graph: Graph = {
    ...graphOf("vllm", "worker", { kvOffloadGiB: 20 }),
    lora: { maxRank: 32, adapters: [] },
  };
  const worker = graph.components[0]!;
  const args = engineArguments(graph, worker, testRelease("1.6.1")).join(" ");
  assert.match(args, /^--model org\/m --enable-lora --max-lora-rank 32 --kv-transfer-config {/);
  assert.match(args, /"DynamoConnector"/);
  assert.deepEqual(engineVariables(graph, worker, testRelease("1.6.1")), {
    DYN_KVBM_CPU_CACHE_GB: "20",
    DYN_LORA_ENABLED: "true",
    DYN_LORA_PATH: "/tmp/dynamo_loras",
    DYN_SYSTEM_ENABLED: "true",
    DYN_SYSTEM_PORT: "9090",
  });
  assert.deepEqual(
    engineVariables(graph, { ...worker, role: "frontend" }, testRelease("1.6.1")),
    {},
  );
  assert.deepEqual(engineVariables(graphOf("vllm", "worker"), worker, testRelease("0.7.0")), {});
});

Deno.test("a frontend is started by the operator until 1.6", () => {
  const graph = graphOf("vllm", "frontend");
  const frontend = graph.components[0]!;
  assert.deepEqual(startOf(graph, frontend, testRelease("1.5.1")), {});
  assert.deepEqual(startOf(graph, frontend, testRelease("1.6.1")), {
    command: ["python3"],
    args: ["-m", "dynamo.frontend"],
  });
  assert.deepEqual(startOf(graph, { ...frontend, extraArgs: ["--x"] }, testRelease("0.4.1")), {
    command: ["python3", "-m", "dynamo.frontend"],
    args: ["--x"],
  });
});

Deno.test("no command leaves room for the operator's default arguments", () => {
  const graph = graphOf("vllm", "worker");
  const worker = { ...graph.components[0]!, command: ["sleep", "1", "2"] };
  assert.deepEqual(startOf(graph, worker, testRelease("0.4.1")), {
    command: ["sleep"],
    args: ["1", "2"],
    workingDir: "/workspace/components/backends/vllm",
  });
});
