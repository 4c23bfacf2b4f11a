import assert from "node:assert/strict";
import { parseGraph } from "./load.ts";
import { problemText } from "./problems.ts";
import { testRelease } from "./testing.ts";
import type { Graph } from "./types.ts";
import { isSecretName, validateGraph } from "./validate.ts";

function graphOf(components: string, more = "engine: vllm, model: {id: a/b}"): Graph {
  return parseGraph(`{name: g, description: x, ${more}, components: [${components}]}`, "test");
}

function findings(graph: Graph, version = "1.6.1"): string[] {
  return validateGraph(graph, testRelease(version)).map((p) => `${p.severity} ${problemText(p)}`);
}

const FRONTEND = "{name: Frontend, role: frontend}";
const WORKER = "{name: W, role: worker, gpus: 1}";

Deno.test("a good graph has no findings in any release", () => {
  const graph = graphOf(`${FRONTEND}, ${WORKER}`);
  for (const version of ["0.4.1", "0.9.0", "1.6.1", "2.0.0"]) {
    assert.deepEqual(findings(graph, version), []);
  }
});

Deno.test("parallelism against GPUs, with the sum", () => {
  const few = graphOf(
    `${FRONTEND}, {name: W, role: worker, gpus: 2, args: {tensorParallel: 2, pipelineParallel: 2}}`,
  );
  assert.deepEqual(findings(few), [
    "error components[1].gpus: tensorParallel 2 × pipelineParallel 2 = 4, but W has 2 GPUs: too few. " +
    "Raise --gpus or lower --tensor-parallel.",
  ]);
  const many = graphOf(`${FRONTEND}, {name: W, role: worker, gpus: 4}`);
  assert.match(findings(many)[0] ?? "", /^warning .*4 GPUs: some stay unused/);
  const nodes = graphOf(
    `${FRONTEND}, {name: W, role: worker, gpus: 8, nodes: 2, args: {tensorParallel: 16}}`,
  );
  assert.deepEqual(findings(nodes), []);
  assert.match(findings(nodes, "0.4.1")[0] ?? "", /a model on 2 nodes comes with Dynamo 0\.5\.0/);
  assert.match(
    findings(graphOf(`${FRONTEND}, {name: W, role: worker}`))[0] ?? "",
    /^warning .*needs a GPU/,
  );
});

Deno.test("roles come in pairs, frontends alone", () => {
  assert.match(
    findings(graphOf(`${FRONTEND}, {name: P, role: prefill, gpus: 1}`))[0] ?? "",
    /prefill component and no decode/,
  );
  const pair = "{name: P, role: prefill, gpus: 1}, {name: D, role: decode, gpus: 1}";
  assert.deepEqual(findings(graphOf(`${FRONTEND}, ${pair}`)), []);
  assert.match(findings(graphOf(`${FRONTEND}, ${pair}, ${WORKER}`))[0] ?? "", /a graph has either/);
  assert.match(
    findings(graphOf(`${FRONTEND}, {name: F, role: frontend}, ${WORKER}`))[0] ?? "",
    /Frontend and F are both/,
  );
  assert.match(findings(graphOf(WORKER))[0] ?? "", /^warning .*no frontend/);
  assert.match(
    findings(graphOf(`${FRONTEND}, ${WORKER}, {name: C, role: client}`))[0] ?? "",
    /"client", which vllm does not know/,
  );
});

Deno.test("a release that lacks something is named with the first that has it", () => {
  const routed = graphOf(
    `${FRONTEND}, {name: W, role: worker, gpus: 1, replicas: 2}`,
    "engine: vllm, model: {id: a/b}, routing: {mode: least-loaded}",
  );
  assert.deepEqual(findings(routed), []);
  assert.deepEqual(findings(routed, "1.4.2"), [
    'error routing.mode: "least-loaded" comes with Dynamo 1.6.0, and this is 1.4.2. ' +
    "Set DYNAMO_VERSION=1.6.0 or later, or leave it out.",
  ]);
  const split = graphOf(
    `${FRONTEND}, {name: W, role: worker, gpus: 2, args: {tensorParallel: 2}}`,
    "engine: trtllm, model: {id: a/b}",
  );
  assert.deepEqual(findings(split, "0.5.1"), []);
  assert.match(
    findings(split, "0.4.1")[0] ?? "",
    /tensorParallel: 2 with trtllm comes with Dynamo 0\.5\.1/,
  );
});

Deno.test("settings that an engine does not have", () => {
  const graph = graphOf(
    `${FRONTEND}, {name: W, role: worker, gpus: 1, args: {engineConfig: x.yaml}}`,
  );
  assert.match(
    findings(graph)[0] ?? "",
    /args\.engineConfig: is a setting that vllm does not have/,
  );
  assert.match(
    findings(graphOf(`{name: F, role: frontend, args: {eager: true}}, ${WORKER}`))[0] ?? "",
    /for components that run the engine, and F does not/,
  );
});

Deno.test("routing with nothing to choose from is a warning", () => {
  const more = "engine: vllm, model: {id: a/b}, routing: {mode: kv}";
  assert.match(
    findings(graphOf(`${FRONTEND}, ${WORKER}`, more))[0] ?? "",
    /^warning routing\.mode/,
  );
  assert.match(
    findings(graphOf(WORKER, more)).join(),
    /error routing\.mode: is "kv", but there is no frontend/,
  );
});

Deno.test("names: twice without regard to case, and too long for the operator", () => {
  assert.match(
    findings(graphOf(`${FRONTEND}, ${WORKER}, {name: w, role: worker, gpus: 1}`))[0] ?? "",
    /there already as "W"/,
  );
  const long = { ...graphOf(`${FRONTEND}, ${WORKER}`), name: "a".repeat(53) };
  assert.deepEqual(findings(long, "0.9.0"), []);
  assert.match(findings(long, "1.0.0")[0] ?? "", /has 64 characters/);
});

Deno.test("requests above limits, secrets in the open, images", () => {
  assert.match(
    findings(
      graphOf(
        `${FRONTEND}, {name: W, role: worker, gpus: 1, resources: {requests: {memory: 2Gi}, limits: {memory: 1024Mi}}}`,
      ),
    )[0] ?? "",
    /requests\.memory: is 2Gi, more than its limit 1024Mi/,
  );
  assert.match(
    findings(graphOf(`${FRONTEND}, {name: W, role: worker, gpus: 1, env: {HF_TOKEN: hf_x}}`))[0] ??
      "",
    /env\.HF_TOKEN: looks like a secret/,
  );
  assert.deepEqual(
    findings(
      graphOf(
        `${FRONTEND}, {name: W, role: worker, gpus: 1, env: {HF_TOKEN: {secret: s, key: k}}}`,
      ),
    ),
    [],
  );
  const image = (name: string) =>
    graphOf(`${FRONTEND}, {name: W, role: worker, gpus: 1, image: "${name}"}`);
  assert.match(findings(image("a b"))[0] ?? "", /is not an image reference/);
  assert.match(findings(image("x/y:mine"), "1.0.2")[0] ?? "", /^warning .*no version in its tag/);
  assert.deepEqual(findings(image("x/y:mine"), "1.4.2"), []);
  assert.match(findings(image("x/vllm-runtime:0.8.1-cuda13"), "0.8.1")[0] ?? "", /does not start/);
});

Deno.test("a model where none is served, and none where one is", () => {
  assert.match(
    findings(graphOf(`${FRONTEND}, ${WORKER}`, "engine: vllm"))[0] ?? "",
    /model: is missing/,
  );
  assert.match(
    findings(graphOf("{name: W, role: worker}", "engine: hello-world, model: {id: a/b}"))[0] ?? "",
    /hello-world serves none/,
  );
});

Deno.test("names of secrets", () => {
  for (const name of ["HF_TOKEN", "NGC_API_KEY", "AWS_SECRET_ACCESS_KEY", "db_password"]) {
    assert.ok(isSecretName(name), name);
  }
  for (const name of ["MAX_TOKENS", "TOKENIZERS_PARALLELISM", "KEY", "DYN_ROUTER_MODE"]) {
    assert.ok(!isSecretName(name), name);
  }
});
