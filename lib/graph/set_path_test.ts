import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { schemaProblems } from "./json_schema.ts";
import { parseGraph } from "./load.ts";
import { documentOf, GRAPH_SCHEMA } from "./overlays_document.ts";
import { parseAssignment, parsePath, setPaths } from "./set_path.ts";
import { seededRandom } from "./testing.ts";
import type { Graph } from "./types.ts";

const PAIR = parseGraph(
  `
name: pair
description: A test
engine: vllm
model: { id: a/b, servedName: b }
routing: { mode: kv }
secrets: { huggingFace: hf-token-secret }
cache:
  - { claim: models, mountPath: /models, size: 10Gi }
env: { LOG: info }
components:
  - { name: Frontend, role: frontend, resources: { requests: { cpu: 1 } } }
  - { name: Decode, role: decode, gpus: 1 }
  - { name: Prefill, role: prefill, gpus: 1, extraArgs: [--a] }
`,
  "test.yaml",
);

function set(...texts: string[]): Graph {
  return setPaths(PAIR, texts);
}

function failure(...texts: string[]): TaskError {
  try {
    setPaths(PAIR, texts);
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }
  assert.fail("no error");
}

Deno.test("paths are read in steps", () => {
  assert.deepEqual(parsePath("model.maxLength"), ["model", "maxLength"]);
  assert.deepEqual(parsePath("cache[0].size"), ["cache", 0, "size"]);
  assert.deepEqual(parsePath('limits["a.b/c"]'), ["limits", "a.b/c"]);
  for (const bad of ["", ".", "a..b", "a.", ".a", "a[", "a[x]", 'a["', "a b"]) {
    assert.equal(parsePath(bad), undefined, bad);
  }
  assert.deepEqual(parseAssignment("env.A=b=c"), {
    path: "env.A",
    steps: ["env", "A"],
    value: "b=c",
  });
});

Deno.test("keys of all kinds are set, and the graph given stays", () => {
  const before = JSON.stringify(PAIR);
  const graph = set(
    "model.maxLength=8192",
    "components.Decode.replicas=2",
    "components.prefill.args.gpuMemoryFraction=0.8",
    "components[0].image=x/y:1.0.0",
    'components.Decode.resources.limits["vpc.amazonaws.com/efa"]=4',
    "components.Decode.resources.limits.memory=40Gi",
    "cache[0].size=100Gi",
    "cache[1]={claim: more, mountPath: /more}",
    "components.Prefill.extraArgs[1]=--b=2",
    "components.Decode.extraArgs=[--x, --y]",
    "routing.mode=round-robin",
    "secrets.huggingFace=other",
    "components.Frontend.env.DEBUG=1",
    "components.Decode.args.eager=true",
    'env.QUOTED="a: b"',
    "env.JSON=[1]",
    "env.EMPTY=",
    "env.K_TOKEN={secret: s, key: k}",
  );
  assert.equal(JSON.stringify(PAIR), before);
  assert.equal(graph.model?.maxLength, 8192);
  const [frontend, decode, prefill] = graph.components;
  assert.equal(decode?.replicas, 2);
  assert.equal(prefill?.args.gpuMemoryFraction, 0.8);
  assert.equal(frontend?.image, "x/y:1.0.0");
  assert.deepEqual(decode?.limits, { "vpc.amazonaws.com/efa": "4", memory: "40Gi" });
  assert.deepEqual(graph.cache.map((c) => [c.claim, c.size]), [["models", "100Gi"], [
    "more",
    undefined,
  ]]);
  assert.deepEqual(prefill?.extraArgs, ["--a", "--b=2"]);
  assert.deepEqual(decode?.extraArgs, ["--x", "--y"]);
  assert.equal(graph.routing, "round-robin");
  assert.equal(graph.tokenSecret, "other");
  assert.deepEqual(frontend?.env, { DEBUG: "1" });
  assert.equal(decode?.args.eager, true);
  assert.deepEqual(graph.env, {
    LOG: "info",
    QUOTED: "a: b",
    JSON: "[1]",
    EMPTY: "",
    K_TOKEN: { secret: "s", key: "k" },
  });
  assert.equal(graph.source, "test.yaml");
});

Deno.test("a role stands for all its components, and null takes away", () => {
  const two = parseGraph(
    "{name: x, description: x, engine: vllm, model: {id: a/b}, components: [" +
      "{name: A, role: worker, gpus: 1}, {name: B, role: worker, gpus: 1}]}",
    "test",
  );
  assert.deepEqual(
    setPaths(two, ["components.worker.gpus=2"]).components.map((c) => c.gpus),
    [2, 2],
  );
  const graph = set("cache[0]=null", "routing=null", "env.LOG=null", "model.servedName=null");
  assert.deepEqual([graph.cache, graph.routing, graph.env, graph.model], [[], undefined, {}, {
    id: "a/b",
  }]);
});

Deno.test("another model drops the old one's name unless it is set as well", () => {
  assert.deepEqual(set("model.id=c/d").model, { id: "c/d" });
  assert.deepEqual(set("model.id=c/d", "model.servedName=b").model, {
    id: "c/d",
    servedName: "b",
  });
  assert.deepEqual(set("model={id: c/d, servedName: b}").model, { id: "c/d", servedName: "b" });
});

Deno.test("what is unknown gets a suggestion", () => {
  const key = failure("components.Decode.replicsa=2");
  assert.equal(key.code, "SET_UNKNOWN");
  assert.equal(
    key.message,
    '--set components.Decode.replicsa: "replicsa" is not a key of graph.yaml. ' +
      'Did you mean "replicas"?',
  );
  assert.match(failure("modle.id=x").message, /Did you mean "model"\?/);
  assert.match(failure("model.id.x=1").message, /has no keys/);
  const component = failure("components.Decoed.replicas=2");
  assert.match(component.message, /no component "Decoed". Did you mean "Decode"\?/);
  assert.match(failure("cache[7].size=1Gi").message, /7 is not an index of a list with 1 entries/);
  assert.match(failure("cache.size=1Gi").message, /is not an index of a list/);
  assert.match(failure("description=x").message, /changes nothing that is deployed/);
  assert.match(failure("constructor=x").message, /is not a key/);
  assert.match(failure("env.__proto__.x=1").message, /SET|__proto__/);
});

Deno.test("a value that does not fit is refused with path and expectation", () => {
  const error = failure("components.Decode.replicas=two");
  assert.equal(error.code, "SET_INVALID");
  assert.match(
    error.message,
    /^--set components\.Decode\.replicas: components\[1\]\.replicas: "two" is not a whole number/,
  );
  assert.match(failure("model.maxLength=1").message, /must be at least 16/);
  assert.match(failure("components.Decode.gpus=99").message, /at most 16/);
  assert.match(failure("engine=vlm").message, /Did you mean "vllm"\?/);
  assert.match(failure("model.id=null").message, /model\.id: is missing/);
  assert.match(failure("cache[0].size=lots").message, /Kubernetes quantity/);
  assert.match(failure("model=5").message, /is not/);
  assert.equal(failure("nonsense").code, "SET_SYNTAX");
});

Deno.test("secrets are refused and not repeated", () => {
  const texts = [
    "env.HF_TOKEN=hf_abcdef",
    "components.Decode.env.HF_TOKEN=hf_abcdef",
    "env={HF_TOKEN: hf_abcdef}",
    "env={HF_TOKEN: [hf_abcdef]}",
    "components.Decode={name: Decode, role: decode, env: {HF_TOKEN: hf_abcdef}}",
    "HF TOKEN=hf_abcdef",
  ];
  for (const text of texts) {
    const error = failure(text);
    assert.ok(!`${error.message} ${error.hint} ${error.evidence}`.includes("hf_abcdef"), text);
  }
});

Deno.test("whatever is set, the result is a graph or an error with exit code 2", () => {
  const random = seededRandom(5);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  // deno-fmt-ignore
  const steps = [
    "components",
    "Decode",
    "worker",
    "prefill",
    "model",
    "id",
    "args",
    "env",
    "cache",
    "resources",
    "limits",
    "cpu",
    "[0]",
    "[1]",
    "[9]",
    '["a.b/c"]',
    "replicas",
    "__proto__",
    "toString",
    "extraArgs",
    "tolerations",
    "name",
    "engine",
    "X",
    "",
  ]; // deno-fmt-ignore
  // deno-fmt-ignore
  const values = ["1", "-1", "x", "null", "[]", "{}", "[1, {a: b}]", "{a: {b: c}}", "", "'", "*a",
    "&a [*a]", "!!binary x", "1e999", "true", "{__proto__: {x: 1}}", "10Gi", "a/b"];
  let good = 0;
  for (let i = 0; i < 20_000; i++) {
    let path = "";
    for (let n = random(4) + 1; n > 0; n--) {
      const step = pick(steps);
      path += path === "" || step.startsWith("[") ? step : `.${step}`;
    }
    try {
      const graph = setPaths(PAIR, [`${path}=${pick(values)}`]);
      assert.deepEqual(schemaProblems(GRAPH_SCHEMA, documentOf(graph)), [], path);
      good++;
    } catch (error) {
      assert.ok(error instanceof TaskError, `${path}: ${error}`);
    }
  }
  assert.ok(good > 100, `only ${good} were set`);
  assert.equal(({} as { x?: number }).x, undefined);
});
