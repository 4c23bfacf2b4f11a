import assert from "node:assert/strict";
import type { KubeObject } from "../../kube/types.ts";
import { diagnose } from "./diagnose.ts";
import { makePatience } from "./patience.ts";
import { testFacts } from "./testing.ts";
import type { ComponentObjects, Diagnosis } from "./types.ts";

function graph(status: unknown): KubeObject {
  return {
    apiVersion: "nvidia.com/v1beta1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "vllm", generation: 2 },
    status,
  };
}

const down = [{ name: "dynamo-cloud/dynamo-platform-dynamo-operator", ready: 0 }];
const codes = (status: unknown, more = {}) =>
  diagnose(testFacts([], { graph: graph(status), components: [], ...more })).map((one) => [
    one.code,
    one.final,
  ]);

Deno.test("nobody looks after the graph", () => {
  assert.deepEqual(codes({}, { operators: down }), [["OPERATOR_DOWN", true]]);
  assert.deepEqual(codes({}, { operators: [] }), [["OPERATOR_DOWN", true]]);
  assert.deepEqual(codes({ state: "pending", observedGeneration: 1 }, { operators: down }), [[
    "OPERATOR_DOWN",
    true,
  ]]);
  // It has made what is to be made; what is left is the cluster's business.
  assert.deepEqual(codes({ state: "pending", observedGeneration: 2 }, { operators: down }), [[
    "OPERATOR_DOWN",
    false,
  ]]);
  assert.deepEqual(codes({}, { operators: undefined }), [], "nobody has looked yet");
  assert.deepEqual(codes({}, { operators: [{ name: "a", ready: 1 }] }), []);
});

Deno.test("the operator refuses the graph, in this generation", () => {
  const message = "failed to reconcile the resources: must be no more than 63 characters";
  const failed = (observedGeneration: number) => ({
    state: "failed",
    conditions: [{ type: "Ready", status: "False", observedGeneration, message }],
  });
  assert.deepEqual(codes(failed(2)), [["GRAPH_REFUSED", true]]);
  assert.deepEqual(codes(failed(1)), []);
});

function component(message: string, replicaFailure?: string): ComponentObjects {
  return {
    name: "Worker",
    pods: [],
    componentDeployments: [{
      apiVersion: "nvidia.com/v1beta1",
      kind: "DynamoComponentDeployment",
      metadata: { name: "vllm-worker" },
      status: {
        conditions: [{ type: "Available", status: "False", reason: "Reconciling", message }],
      },
    }],
    deployments: replicaFailure === undefined ? [] : [{
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "vllm-worker" },
      status: {
        conditions: [{ type: "ReplicaFailure", status: "True", message: replicaFailure }],
      },
    }],
  };
}

Deno.test("the operator cannot make a component, and says so only there", () => {
  const of = (message: string) => diagnose(testFacts([], { components: [component(message)] }));
  const [missing] = of(
    "Failed to reconcile DynamoComponentDeployment: failed to generate: PVC model-cache not found",
  );
  assert.deepEqual([missing?.code, missing?.final], ["COMPONENT_REFUSED", true]);
  assert.match(missing!.cause, /PVC model-cache not found/);
  assert.deepEqual(of("Deployment is not ready"), []);
  const conflict = "Failed to reconcile DynamoComponentDeployment: the object has been modified; " +
    "please apply your changes to the latest version and try again";
  assert.deepEqual(of(conflict), []);
});

Deno.test("pods that may not be made", () => {
  const said = 'pods "vllm-worker-1" is forbidden: exceeded quota: gpus, requested: 1, limited: 0';
  const [found] = diagnose(
    testFacts([], { components: [component("Deployment is not ready", said)] }),
  );
  assert.deepEqual([found?.code, found?.final], ["PODS_REFUSED", true]);
  assert.match(found!.hint, /resourcequota/);
});

const trouble = (code: string, graceMs: number, final = true): Diagnosis => ({
  code,
  component: "Worker",
  cause: "",
  hint: "",
  final,
  graceMs,
});

Deno.test("patience: only what has stood for its grace ends a wait", () => {
  const patience = makePatience();
  const slow = trouble("SLOW", 1_000);
  assert.equal(patience.judge([trouble("AT_ONCE", 0)], 0)?.code, "AT_ONCE");
  assert.equal(patience.judge([slow, trouble("MAYBE", 0, false)], 10_000), undefined);
  assert.equal(patience.dueInMs(10_400), 600);
  assert.equal(patience.judge([slow], 10_999), undefined);
  assert.equal(patience.judge([slow], 11_000)?.code, "SLOW");
  // It was gone in between.
  assert.equal(patience.judge([], 12_000), undefined);
  assert.equal(patience.dueInMs(12_000), undefined);
  assert.equal(patience.judge([slow], 13_000), undefined);
  patience.pause();
  assert.equal(patience.judge([slow], 14_000), undefined, "nobody saw whether it stood");
});
