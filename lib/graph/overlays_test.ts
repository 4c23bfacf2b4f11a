import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { listExamples, loadExample } from "./examples.ts";
import { parseGraph } from "./load.ts";
import { manifestYaml } from "./manifest.ts";
import type { Overlays } from "./overlay_options.ts";
import { documentOf } from "./overlays_document.ts";
import { applyOverlays } from "./overlays.ts";
import { renderGraph } from "./render.ts";
import { renderedOrRefused, seededRandom, testRelease } from "./testing.ts";
import type { Component, Graph } from "./types.ts";
import { validateGraph } from "./validate.ts";
import { parseValues } from "./values_file.ts";

const PAIR = parseGraph(
  `
name: pair
description: A test
engine: vllm
model: { id: a/b, servedName: b }
components:
  - { name: Frontend, role: frontend }
  - { name: Decode, role: decode, gpus: 1 }
  - { name: Prefill, role: prefill, gpus: 1 }
`,
  "test",
);

const HELLO = parseGraph(
  "{name: h, description: x, engine: hello-world, components: [{name: C, role: client}, {name: W, role: worker}]}",
  "test",
);

function component(graph: Graph, name: string): Component {
  return graph.components.find((one) => one.name === name)!;
}

function failure(overlays: Overlays, graph: Graph = PAIR): TaskError {
  try {
    applyOverlays(graph, overlays);
  } catch (error) {
    assert.ok(error instanceof TaskError);
    assert.equal(error.exitCode, 2);
    return error;
  }
  assert.fail("no error");
}

Deno.test("nothing changes without overlays, and never the graph given", () => {
  const before = JSON.stringify(PAIR);
  assert.equal(applyOverlays(PAIR, {}), PAIR);
  assert.equal(applyOverlays(PAIR, { replicas: [], env: [] }), PAIR);
  applyOverlays(PAIR, {
    name: "x",
    model: "c/d",
    gpus: ["4"],
    env: ["A=1"],
    replicas: ["2"],
    image: ["x/y:1"],
  });
  assert.equal(JSON.stringify(PAIR), before);
});

Deno.test("another model does not answer under the old one's name", () => {
  assert.deepEqual(applyOverlays(PAIR, { model: "c/d" }).model, { id: "c/d" });
  assert.deepEqual(applyOverlays(PAIR, { model: "a/b" }).model, { id: "a/b", servedName: "b" });
  assert.deepEqual(
    applyOverlays(PAIR, { model: "c/d", servedModelName: "d", maxModelLen: 4096 }).model,
    {
      id: "c/d",
      servedName: "d",
      maxLength: 4096,
    },
  );
});

Deno.test("GPUs follow the parallelism and the parallelism follows the GPUs", () => {
  for (
    const overlays of [{ gpus: ["4"] }, { tensorParallel: ["4"] }, {
      gpus: ["4"],
      tensorParallel: ["4"],
    }]
  ) {
    const graph = applyOverlays(PAIR, overlays);
    for (const name of ["Decode", "Prefill"]) {
      assert.equal(component(graph, name).gpus, 4);
      assert.equal(component(graph, name).args.tensorParallel, 4);
    }
    assert.equal(component(graph, "Frontend").gpus, 0);
  }
  const both = applyOverlays(PAIR, { gpus: ["8"], tensorParallel: ["4"] });
  assert.deepEqual(
    [component(both, "Decode").gpus, component(both, "Decode").args.tensorParallel],
    [8, 4],
  );
});

Deno.test("a component is named by name or role, and wins over all", () => {
  const graph = applyOverlays(PAIR, {
    gpus: ["Decode=4", "2"],
    replicas: ["prefill=3", "Frontend=2"],
  });
  assert.equal(component(graph, "Decode").gpus, 4);
  assert.equal(component(graph, "Prefill").gpus, 2);
  assert.deepEqual(graph.components.map((c) => c.replicas), [2, 1, 3]);
});

Deno.test("node pool, image and environment", () => {
  const graph = applyOverlays(PAIR, {
    nodePool: ["g6-gpu-karpenter", "Frontend=cpu-karpenter"],
    image: ["x/y:1.4.2", "Frontend=x/f:1.4.2"],
    env: ["A=1=2", "decode:B=", "Frontend:A=3"],
  });
  assert.deepEqual(graph.components.map((c) => c.nodePool), [
    "cpu-karpenter",
    "g6-gpu-karpenter",
    "g6-gpu-karpenter",
  ]);
  assert.deepEqual(graph.components.map((c) => c.image), ["x/f:1.4.2", "x/y:1.4.2", "x/y:1.4.2"]);
  assert.deepEqual(graph.components.map((c) => c.env), [{ A: "3" }, { A: "1=2", B: "" }, {
    A: "1=2",
  }]);
});

Deno.test("instance type, shared memory, token and cache", () => {
  const graph = applyOverlays(PAIR, {
    instanceType: ["g6e.12xlarge", "prefill=p5.48xlarge"],
    sharedMemory: ["Decode=16Gi"],
    hfTokenSecret: "my-token",
    cachePvc: "models",
  });
  assert.deepEqual(graph.components.map((c) => [c.instanceType, c.sharedMemory]), [
    [undefined, undefined],
    ["g6e.12xlarge", "16Gi"],
    ["p5.48xlarge", undefined],
  ]);
  assert.equal(graph.tokenSecret, "my-token");
  assert.deepEqual(graph.cache, [
    { claim: "models", mountPath: "/models", accessMode: "ReadWriteMany" },
  ]);
});

Deno.test("--cache-pvc takes the place of the graph's first cache, as a claim that is there", () => {
  const graph: Graph = {
    ...PAIR,
    cache: [
      { claim: "own", mountPath: "/own", size: "10Gi", accessMode: "ReadWriteOnce" },
      { claim: "second", mountPath: "/second", accessMode: "ReadWriteMany" },
    ],
  };
  assert.deepEqual(applyOverlays(graph, { cachePvc: "mine" }).cache, [
    { claim: "mine", mountPath: "/own", accessMode: "ReadWriteOnce" },
    graph.cache[1],
  ]);
  assert.equal(applyOverlays(graph, { cachePvc: "mine:/hf" }).cache[0]?.mountPath, "/hf");
  assert.match(failure({ cachePvc: "mine:/second" }, graph).message, /another cache/);
});

Deno.test("files come first, then the options, and --set last", () => {
  const file = parseValues("model: { id: f/f, maxLength: 100 }\nenv: { F: f }", "f.yaml");
  const graph = applyOverlays(
    PAIR,
    { values: ["f.yaml"], model: "o/o", maxModelLen: 200, set: ["model.maxLength=300"] },
    [file],
  );
  assert.deepEqual(graph.model, { id: "o/o", maxLength: 300 });
  assert.deepEqual(graph.env, { F: "f" });
  assert.throws(() => applyOverlays(PAIR, { values: ["f.yaml"] }), /1 files, 0 read/);
});

Deno.test("every example is the same after a way through its document", async () => {
  await using test = await testContext();
  for (const { name } of await listExamples(test.ctx)) {
    const graph = await loadExample(test.ctx, name);
    assert.deepEqual(parseGraph(JSON.stringify(documentOf(graph)), graph.source), graph);
  }
});

Deno.test("an overlay that matches nothing names what there is", () => {
  const unknown = failure({ replicas: ["Decoed=2"] });
  assert.equal(unknown.code, "COMPONENT_UNKNOWN");
  assert.equal(
    unknown.message,
    '--replicas: the graph "pair" has no component "Decoed". Did you mean "Decode"?',
  );
  assert.equal(
    unknown.hint,
    "Components: Frontend (frontend), Decode (decode), Prefill (prefill).",
  );
  assert.equal(failure({ env: ["Nope:A=1"] }).code, "COMPONENT_UNKNOWN");
  assert.equal(failure({ model: "a/b" }, HELLO).code, "OVERLAY_EMPTY");
  assert.match(
    failure({ maxModelLen: 100 }, HELLO).message,
    /^--max-model-len: the graph "h" serves no model/,
  );
  assert.match(failure({ gpus: ["1"] }, HELLO).message, /^--gpus: /);
  assert.equal(failure({ tensorParallel: ["Frontend=2"] }).code, "OVERLAY_EMPTY");
  const onlyClient = { ...HELLO, components: [component(HELLO, "C")] };
  assert.match(
    failure({ replicas: ["2"] }, onlyClient).message,
    /no component that runs an engine/,
  );
});

Deno.test("bad values are refused with the expectation", () => {
  assert.match(
    failure({ name: "Bad_Name" }).message,
    /--name: "Bad_Name" is not lower-case letters/,
  );
  assert.match(
    failure({ replicas: ["two"] }).message,
    /--replicas: "two" is not a whole number of at least 0/,
  );
  assert.match(
    failure({ tensorParallel: ["0"] }).message,
    /--tensor-parallel: "0" is not a whole number of at least 1/,
  );
  assert.match(failure({ replicas: ["Decode="] }).message, /is not \[component=\]value/);
  assert.match(failure({ image: ["a b"] }).message, /is not an image reference/);
  assert.match(failure({ nodePool: ["G5!"] }).message, /Karpenter node pool/);
  assert.match(failure({ env: ["novalue"] }).message, /NAME=value/);
  assert.match(failure({ instanceType: ["g5"] }).message, /EC2 instance type/);
  assert.match(failure({ sharedMemory: ["16"] }).message, /at least 1Mi/);
  assert.match(failure({ sharedMemory: ["lots"] }).message, /at least 1Mi/);
  assert.match(failure({ hfTokenSecret: "No_Name" }).message, /name of a Secret/);
  assert.match(failure({ cachePvc: "a:b" }).message, /claim\[:mountPath\]/);
  assert.equal(failure({ hfTokenSecret: "x" }, HELLO).code, "OVERLAY_EMPTY");
  assert.equal(failure({ cachePvc: "x" }, HELLO).code, "OVERLAY_EMPTY");
  const token = failure({ hfTokenSecret: "hf_abcdefghijkl" });
  assert.ok(!`${token.message} ${token.hint}`.includes("abcdefghijkl"));
  assert.match(
    failure({ model: "has blank" }).message,
    /--model: "has blank" is not a Hugging Face model name/,
  );
});

Deno.test("secrets do not get in by --env, and are not repeated", () => {
  const error = failure({ env: ["HF_TOKEN=hf_abcdef"] });
  assert.match(error.message, /^--env HF_TOKEN: looks like a secret/);
  assert.ok(!`${error.message} ${error.hint}`.includes("hf_abcdef"));
});

Deno.test("an overlay changes what is rendered or is an error, and never gives a refused object", async () => {
  await using test = await testContext();
  const random = seededRandom(11);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const names = (await listExamples(test.ctx)).map((example) => example.name);
  const graphs = (await Promise.all(names.map((name) => loadExample(test.ctx, name))))
    .filter((graph) => graph.components.length > 0);
  let rendered = 0;
  for (let i = 0; i < 900; i++) {
    const graph = pick(graphs);
    const release = testRelease(pick(["0.4.1", "0.7.0", "1.0.2", "1.2.0", "1.6.1"]));
    // Requests have no components, and not every release has what every example needs.
    if (graph.components.length === 0 || renderedOrRefused(graph, release) === undefined) continue;
    const target = pick(["", "", `${pick(graph.components).name}=`, "decode=", "Nobody="]);
    const overlays: Overlays = pick<Overlays>([
      { name: pick(["a", "b-2", "x".repeat(63), "x".repeat(40), "9a"]) },
      { model: pick(["org/other", "/models/x", "", "two words"]) },
      { servedModelName: "other" },
      { maxModelLen: pick([1, 4096]) },
      { tensorParallel: [`${target}${pick(["0", "2", "3", "16"])}`] },
      { gpus: [`${target}${pick(["3", "5", "7"])}`] },
      { replicas: [`${target}${pick(["0", "5", "-1", "1e9"])}`] },
      { nodePool: [`${target}${pick(["other", "UPPER", "x".repeat(64)])}`] },
      { image: [`${target}${pick(["x/y:1.2.3", "x/y:mine", "x", ":"])}`] },
      { env: [`${target.replace("=", ":")}${pick(["X=1", "X", "1X=1", "A_TOKEN=1"])}`] },
      { instanceType: [`${target}${pick(["g6e.xlarge", "g5", "p5.48xlarge"])}`] },
      { sharedMemory: [`${target}${pick(["17Gi", "1", "many"])}`] },
      { hfTokenSecret: pick(["other-token", "Bad_", "x".repeat(254)]) },
      { cachePvc: pick(["other-claim", "c:/elsewhere", "c:relative", "C"]) },
      {
        set: [
          pick([
            ...Object.keys(graph.components[0]!.env).map((key) => `env.${key}=changed`),
            `components.${pick(graph.components).name}.${
              pick([
                "replicas=7",
                "gpus=1",
                "env.A=1",
                "extraArgs=[--a]",
                "nodes=2",
                "image=x/y:1.0.0",
              ])
            }`,
            "model.id=some/other",
            "model.maxLength=4097",
            "routing.mode=random",
            "cache[0]={claim: c, mountPath: /c, size: 1Gi}",
            graph.engine === "sglang" ? "engine=vllm" : "engine=sglang",
            "secrets.huggingFace=third",
            "nonsense=1",
          ]),
        ],
      },
      {
        values: [
          pick([
            "Common: { model: other/model, tp: 2 }",
            "Frontend: { ServiceArgs: { workers: 3 } }",
            "model: { maxLength: 4096 }",
            "env: { NEW: x }",
            "components: { worker: { replicas: 9 } }",
            "components: { Extra: { role: client, command: [sleep, '1'] } }",
          ]),
        ],
      },
    ]);
    const options = { namespace: "dynamo-system" };
    // Not every example fits every release.
    if (validateGraph(graph, release).some(({ severity }) => severity === "error")) continue;
    const before = manifestYaml(renderGraph(graph, release, options));
    try {
      const files = (overlays.values ?? []).map((text) => parseValues(text, "values.yaml"));
      const changed = applyOverlays(graph, overlays, files);
      const after = manifestYaml(renderGraph(changed, release, options));
      assert.notEqual(after, before, `${graph.name} ${JSON.stringify(overlays)}`);
      rendered++;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.ok(error instanceof TaskError, String(error));
      assert.notEqual(
        error.code,
        "RENDERED_INVALID",
        `${error.message} ${JSON.stringify(overlays)}`,
      );
    }
  }
  assert.ok(rendered > 250, `only ${rendered} of 900 were rendered`);
});
