import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { parseGraph } from "./load.ts";
import { seededRandom } from "./testing.ts";
import type { Graph } from "./types.ts";
import { applyValues, parseValues, readValuesFiles } from "./values_file.ts";
import { lineOf } from "./values_file_lines.ts";

const AGGREGATED = parseGraph(
  `
name: agg
description: A test
engine: vllm
model: { id: Qwen/Qwen3-0.6B, servedName: small }
components:
  - { name: Frontend, role: frontend, env: { LOG: info } }
  - { name: VllmDecodeWorker, role: worker, gpus: 1, resources: { requests: { cpu: 2 } } }
`,
  "test",
);

const PAIR = parseGraph(
  "{name: p, description: x, engine: vllm, model: {id: a/b}, components: [" +
    "{name: Frontend, role: frontend}, {name: Decode, role: decode, gpus: 1}, " +
    "{name: Prefill, role: prefill, gpus: 1}]}",
  "test",
);

function apply(text: string, graph: Graph = AGGREGATED): Graph {
  return applyValues(graph, [parseValues(text, "my.yaml")]);
}

function failure(text: string, graph: Graph = AGGREGATED): TaskError {
  try {
    apply(text, graph);
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }
  assert.fail("no error");
}

Deno.test("our keys are merged over the example", () => {
  const before = JSON.stringify(AGGREGATED);
  const graph = apply(`
model:
  id: Qwen/Qwen3-8B
  maxLength: 8192
components:
  - name: VllmDecodeWorker
    gpus: 2
    resources:
      requests: { memory: 20Gi }
    args: { tensorParallel: 2 }
  - name: Frontend
    env: { LOG: null, MORE: "1" }
`);
  assert.equal(JSON.stringify(AGGREGATED), before);
  assert.deepEqual(graph.model, { id: "Qwen/Qwen3-8B", maxLength: 8192 });
  const [frontend, worker] = graph.components;
  assert.deepEqual(frontend?.env, { MORE: "1" });
  assert.deepEqual(worker?.requests, { cpu: "2", memory: "20Gi" });
  assert.deepEqual([worker?.gpus, worker?.args], [2, { tensorParallel: 2 }]);
});

Deno.test("components are a mapping as well, by name or role, new or gone", () => {
  const graph = apply(`
components:
  worker: { replicas: 3 }
  Frontend: null
  Planner: { role: planner, command: [sleep, inf] }
`);
  assert.deepEqual(graph.components.map((c) => [c.name, c.role, c.replicas]), [
    ["VllmDecodeWorker", "worker", 3],
    ["Planner", "planner", 1],
  ]);
});

Deno.test("the form of the service configurations", () => {
  const graph = apply(`
Common:
  model: deepseek-ai/DeepSeek-R1-Distill-Llama-70B
  max-model-len: 32768
  tensor-parallel-size: 4

Frontend:
  served_model_name: deepseek-ai/DeepSeek-R1-Distill-Llama-70B

VllmWorker:
  enforce-eager: true
  common-configs: [model]
  ServiceArgs:
    workers: 2
    resources:
      gpu: '4'
      cpu: '10'
      memory: 100Gi
`);
  assert.deepEqual(graph.model, {
    id: "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
    servedName: "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
    maxLength: 32768,
  });
  const worker = graph.components[1]!;
  assert.deepEqual([worker.gpus, worker.replicas], [4, 2]);
  assert.deepEqual(worker.args, { tensorParallel: 4, eager: true });
  assert.deepEqual(worker.requests, { cpu: "10", memory: "100Gi" });
  assert.equal(graph.components[0]?.gpus, 0);
});

Deno.test("GPUs follow the parallelism there too, and a section wins over Common", () => {
  const byTensor = apply("PrefillWorker: {tp: 4}\nCommon: {tensor-parallel-size: 2}", PAIR);
  assert.deepEqual(
    byTensor.components.map((c) => [c.name, c.gpus, c.args.tensorParallel]),
    [["Frontend", 0, undefined], ["Decode", 2, 2], ["Prefill", 4, 4]],
  );
  const byGpus = apply("VllmWorker: {ServiceArgs: {resources: {gpu: 8}}}", PAIR);
  assert.deepEqual(byGpus.components.map((c) => c.args.tensorParallel), [undefined, 8, undefined]);
});

Deno.test("errors name file, line and what is known", () => {
  const section = failure("Common:\n  model: a/b\nVllmWroker:\n  ServiceArgs: {}\n");
  assert.match(
    section.message,
    /^my\.yaml:3: the graph "agg" has no component "VllmWroker"/,
  );
  const flag = failure("Common:\n  model: a/b\n  max-model-length: 5\n");
  assert.match(flag.message, /^my\.yaml:3: Common\.max-model-length is not known\. Did you mean/);
  assert.match(
    failure("Common:\n  model: a/b\n  max-model-len: many\n").message,
    /^my\.yaml:3: model\.maxLength: "many" is not a whole number/,
  );
  assert.match(
    failure("Common: {}\nVllmWorker:\n  ServiceArgs:\n    resources:\n      gpus: 1\n").message,
    /^my\.yaml:5: VllmWorker\.ServiceArgs\.resources\.gpus is not known\. Did you mean "gpu"\?/,
  );
  assert.match(
    failure("Frontend:\n  ServiceArgs:\n    workers: some\n").message,
    /^my\.yaml:3: .*"some" is not a whole number/,
  );
  assert.match(
    failure("Frontend:\n  tensor-parallel-size: 2\n").message,
    /Frontend\.tensor-parallel-size is not known/,
  );
  assert.match(failure("Common: {constructor: 1}").message, /is not known/);
  assert.match(
    failure("# a comment\nmodel:\n  maxLenght: 5\n").message,
    /^my\.yaml:3: model\.maxLenght: is not a known key\. Did you mean "maxLength"\?/,
  );
  assert.match(
    failure("components:\n  - name: Frontend\n  - name: VllmDecodeWorker\n    gpus: x\n").message,
    /^my\.yaml:4: components\[1\]\.gpus: "x" is not/,
  );
  assert.match(
    failure("components:\n  Frontent: {replicas: 2}\n").message,
    /^my\.yaml:2: .*Did you mean "Frontend"\?/,
  );
  assert.match(failure("components: [1]").message, /is not a component with a name/);
  assert.match(failure("description: other").message, /changes nothing that is deployed/);
  assert.equal(failure("a: [").code, "VALUES_SYNTAX");
  assert.equal(failure("- a").code, "VALUES_INVALID");
  assert.equal(failure("").code, "VALUES_INVALID");
  assert.equal(failure("a: &a [*a]").code, "VALUES_SYNTAX");
});

Deno.test("secrets in a file are refused and not repeated", () => {
  const error = failure("env:\n  HF_TOKEN: hf_abcdef\n");
  assert.match(error.message, /^my\.yaml:2: env\.HF_TOKEN: looks like a secret/);
  assert.ok(!`${error.message} ${error.hint}`.includes("hf_abcdef"));
});

Deno.test("files are read in their order, and a missing one is named", async () => {
  await using test = await testContext();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.yaml`, "model: { maxLength: 100 }\n");
    await Deno.writeTextFile(`${folder}/b.yaml`, "model: { maxLength: 200 }\n");
    const files = await readValuesFiles(test.ctx, [`${folder}/a.yaml`, `${folder}/b.yaml`]);
    assert.equal(applyValues(AGGREGATED, files).model?.maxLength, 200);
    await assert.rejects(
      readValuesFiles(test.ctx, [`${folder}/c.yaml`]),
      (error) => error instanceof TaskError && error.code === "VALUES_MISSING",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file is read where the caller says it is, and named as it was given", async () => {
  const read: string[] = [];
  const fs = {
    readTextFile: (path: string) => {
      read.push(path);
      return Promise.resolve("model: {id: a/b}");
    },
  } as unknown as Context["fs"];
  const [values] = await readValuesFiles({ fs }, ["v.yaml"], (file) => `/home/user/${file}`);
  assert.deepEqual([read, values?.file], [["/home/user/v.yaml"], "v.yaml"]);
});

Deno.test("lines of keys in block style, and the nearest parent's elsewhere", () => {
  const text = "a:\n  b: 1\n  c:\n    - name: x\n      d: 2\n    - name: y # not y2\n" +
    '      d: 3\n"e f": 4\nh: { i: 1 }\n';
  assert.equal(lineOf(text, ["a"]), 1);
  assert.equal(lineOf(text, ["a", "b"]), 2);
  assert.equal(lineOf(text, ["a", "c", "x", "d"]), 5);
  assert.equal(lineOf(text, ["a", "c", "y", "d"]), 7);
  assert.equal(lineOf(text, ["e f"]), 8);
  assert.equal(lineOf(text, ["h", "i"]), 9);
  assert.equal(lineOf(text, ["nothing"]), undefined);
  assert.equal(lineOf("l:\n- 1\n- k: 2\n", ["l", "1", "k"]), 3);
});

Deno.test("mutated files give a graph or an error, and never hang", () => {
  const random = seededRandom(3);
  const seeds = [
    "Common:\n  model: a/b\n  tp: 2\nFrontend:\n  served_model_name: x\nVllmWorker:\n  ServiceArgs:\n    resources: {gpu: '4', memory: 1Gi}\n",
    "model: {id: a/b}\ncomponents:\n  - name: Frontend\n    replicas: 2\n  - &x {name: worker, gpus: 2}\nenv: {A: b}\n",
  ];
  const bits = [
    "",
    " ",
    "\n",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "null",
    "'",
    '"',
    "#",
    "name: ",
    "Common",
    "ServiceArgs",
    "__proto__: ",
    "\t",
    "|",
    "!!x ",
    "1e9",
    "\u0000",
    "ä",
  ]; // deno-fmt-ignore
  let good = 0;
  for (let i = 0; i < 10_000; i++) {
    let text = seeds[random(seeds.length)]!;
    for (let n = random(2) + 1; n > 0; n--) {
      const at = random(text.length);
      text = text.slice(0, at) + bits[random(bits.length)] + text.slice(at + random(3));
    }
    try {
      apply(text);
      good++;
    } catch (error) {
      assert.ok(error instanceof TaskError, `${JSON.stringify(text)}: ${(error as Error).stack}`);
    }
  }
  assert.ok(good > 250, `only ${good} were read`);
});

Deno.test("what is empty would change nothing, and is refused", () => {
  for (
    const [text, key] of [
      ["components: []\n", "components"],
      ["model: {}\n", "model"],
      ["env: {A: b}\ncomponents: {Frontend: {}}\n", "components.Frontend"],
    ] as const
  ) {
    assert.throws(
      () => applyValues(AGGREGATED, [parseValues(text, "v.yaml")]),
      (error: Error) => error.message.includes(`${key} has nothing in it`),
      text,
    );
  }
});
