import assert from "node:assert/strict";
import type { KubeObject } from "../kube/types.ts";
import { servedTraits } from "./served_traits.ts";

const options = { release: "1.6.1", simulated: false, adapters: [] };

Deno.test("a router with workers for prefill and decode, in both API versions", () => {
  const args = ["-m", "dynamo.vllm", "--disaggregation-mode", "prefill"];
  const beta: KubeObject = {
    apiVersion: "nvidia.com/v1beta1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "g" },
    spec: {
      components: [
        container("Frontend", "frontend", {
          command: ["python3", "-m", "dynamo.frontend"],
          env: [{ name: "DYN_ROUTER_MODE", value: "kv" }],
        }),
        container("Prefill", "prefill", { command: ["python3"], args }),
      ],
    },
  };
  const traits = servedTraits(beta, options);
  assert.equal(traits.kvRouter, true);
  assert.equal(traits.disaggregated, true);
  assert.equal(traits.tools, false);
  assert.equal(traits.meaningless, undefined);
  const alpha: KubeObject = {
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "g" },
    spec: {
      services: {
        Frontend: {
          componentType: "frontend",
          envs: [{ name: "DYN_ROUTER_MODE", value: "kv" }],
        },
        Worker: {
          componentType: "worker",
          extraPodSpec: {
            mainContainer: { args: ["python3 -m dynamo.vllm --dyn-tool-call-parser hermes"] },
          },
        },
      },
    },
  };
  const old = servedTraits(alpha, { ...options, simulated: true });
  assert.equal(old.kvRouter, true);
  assert.equal(old.disaggregated, false);
  assert.equal(old.tools, true);
  assert.match(old.meaningless ?? "", /embedded cluster/);
});

function container(name: string, type: string, main: Record<string, unknown>) {
  return { name, type, podTemplate: { spec: { containers: [{ name: "main", ...main }] } } };
}
