import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { listExamples, loadExample } from "./examples.ts";
import { parseGraph } from "./load.ts";
import { manifestYaml } from "./manifest.ts";
import type { Overlays } from "./overlay_options.ts";
import { applyOverlays } from "./overlays.ts";
import { renderGraph } from "./render.ts";
import { seededRandom, testRelease } from "./testing.ts";
import type { Component, Graph } from "./types.ts";

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
  const graphs = await Promise.all(names.map((name) => loadExample(test.ctx, name)));
  let rendered = 0;
  for (let i = 0; i < 600; i++) {
    const graph = pick(graphs);
    const release = testRelease(pick(["0.4.1", "0.7.0", "1.0.2", "1.2.0", "1.6.1"]));
    const target = pick(["", "", `${pick(graph.components).name}=`, "decode=", "Nobody="]);
    const overlays: Overlays = pick<Overlays>([
      { name: pick(["a", "b-2", "x".repeat(63), "x".repeat(40), "9a"]) },
      { model: pick(["org/other", "/models/x", "", "two words"]) },
      { servedModelName: "other" },
      { maxModelLen: pick([1, 4096]) },
      { tensorParallel: [`${target}${pick(["0", "2", "3", "16"])}`] },
      { gpus: [`${target}${pick(["0", "2", "8"])}`] },
      { replicas: [`${target}${pick(["0", "5", "-1", "1e9"])}`] },
      { nodePool: [`${target}${pick(["other", "UPPER", "x".repeat(64)])}`] },
      { image: [`${target}${pick(["x/y:1.2.3", "x/y:mine", "x", ":"])}`] },
      { env: [`${target.replace("=", ":")}${pick(["X=1", "X", "1X=1", "A_TOKEN=1"])}`] },
    ]);
    const options = { namespace: "dynamo-system" };
    const before = manifestYaml(renderGraph(graph, release, options));
    try {
      const after = manifestYaml(renderGraph(applyOverlays(graph, overlays), release, options));
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
  assert.ok(rendered > 150, `only ${rendered} of 600 were rendered`);
});
