import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { parseGraph } from "./load.ts";
import { seededRandom } from "./testing.ts";

const SMALL = `
name: small
description: A test
engine: vllm
model: { id: a/b }
components:
  - name: Frontend
    role: frontend
  - name: Worker
    role: worker
    gpus: 1
    resources: { requests: { cpu: 2, memory: 1.5Gi, vpc.amazonaws.com/efa: 1 } }
`;

function failure(text: string): TaskError {
  try {
    parseGraph(text, "x/graph.yaml");
  } catch (error) {
    assert.ok(error instanceof TaskError);
    return error;
  }
  assert.fail("no error");
}

Deno.test("what the file leaves out has a value", () => {
  const graph = parseGraph(SMALL, "x/graph.yaml");
  assert.equal(graph.stage, "stable");
  assert.equal(graph.source, "x/graph.yaml");
  assert.deepEqual(graph.cache, []);
  const [frontend, worker] = graph.components;
  assert.deepEqual([frontend?.replicas, frontend?.gpus, frontend?.nodes], [1, 0, 1]);
  assert.deepEqual(worker?.requests, { cpu: "2", memory: "1.5Gi", "vpc.amazonaws.com/efa": "1" });
});

Deno.test("an unknown key names file, path and the likely key", () => {
  const error = failure(SMALL.replace("gpus: 1", "gpu: 1"));
  assert.equal(error.code, "GRAPH_INVALID");
  assert.equal(error.exitCode, 3);
  assert.equal(
    error.message,
    'x/graph.yaml: components[1].gpu: is not a known key. Did you mean "gpus"?',
  );
});

Deno.test("a wrong value names value and expectation", () => {
  assert.match(
    failure(SMALL.replace("gpus: 1", "gpus: one")).message,
    /components\[1\]\.gpus: "one" is not a whole number/,
  );
  assert.match(
    failure(SMALL.replace("role: worker", "role: wroker")).message,
    /components\[1\]\.role: "wroker" is not known .* Did you mean "worker"\?/,
  );
  assert.match(
    failure(SMALL.replace("1.5Gi", "1.5 Gi")).message,
    /requests\.memory: "1\.5 Gi" is not a Kubernetes quantity such as 500m, 4 or 16Gi/,
  );
  assert.match(
    failure(SMALL.replace("cpu: 2", "nvidia.com/gpu: 2")).message,
    /GPUs are given as gpus of the component/,
  );
});

Deno.test("all problems are told at once, the first as the message", () => {
  const error = failure(SMALL.replace("gpus: 1", "gpus: -1").replace("name: small", "name: Small"));
  assert.match(error.message, /name: "Small" is not lower-case letters, digits and '-'/);
  assert.deepEqual(error.evidence, ["components[1].gpus: is -1, and must be at least 0"]);
});

Deno.test("broken YAML says line and column", () => {
  const error = failure("name: [a\nengine: b");
  assert.equal(error.code, "GRAPH_SYNTAX");
  assert.match(error.message, /^x\/graph\.yaml is not YAML: .* line \d+, column \d+/);
});

Deno.test("empty and odd documents are refused, not crashed on", () => {
  for (const text of ["", "null", "[]", "3", "a: &x [*x]", "__proto__: { name: a }", "name: ~"]) {
    const error = failure(text);
    assert.ok(["GRAPH_INVALID", "GRAPH_SYNTAX"].includes(error.code), text);
  }
});

Deno.test("mutated files give a graph or a TaskError, never anything else", () => {
  const random = seededRandom(7);
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "-",
    "&a",
    "*a",
    "!!",
    "|",
    ">",
    "\t",
    "\0",
    "#",
    '"',
    "0x",
    "~",
    "<<",
    "",
  ];
  for (let i = 0; i < 2000; i++) {
    const at = random(SMALL.length);
    const text = SMALL.slice(0, at) + pieces[random(pieces.length)] + SMALL.slice(at + random(4));
    try {
      parseGraph(text, "x");
    } catch (error) {
      assert.ok(error instanceof TaskError, `${error}\n${text}`);
    }
  }
});
