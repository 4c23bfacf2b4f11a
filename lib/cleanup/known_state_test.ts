import assert from "node:assert/strict";
import { knownState, requireStatesCluster } from "./known_state.ts";

const STATE = JSON.stringify({
  version: 4,
  resources: [
    { mode: "data", type: "aws_region", name: "here", instances: [{}] },
    { mode: "managed", type: "helm_release", name: "karpenter", instances: [{}] },
    { mode: "managed", type: "kubectl_manifest", name: "node_pool", instances: [{}, {}] },
    {
      mode: "managed",
      module: "module.eks",
      type: "aws_eks_cluster",
      name: "this",
      instances: [{ attributes: { endpoint: "https://a.example" } }],
    },
  ],
});

Deno.test("a state tells what is inside the cluster, and which cluster it is", () => {
  const state = knownState(STATE);
  assert.equal(state.resources, 4);
  assert.deepEqual(state.inside, ["helm_release.karpenter", "kubectl_manifest.node_pool"]);
  assert.equal(state.hasCluster, true);
  assert.equal(state.endpoint, "https://a.example");
});

Deno.test("another cluster under the name is refused", () => {
  const state = knownState(STATE);
  const found = { name: "dynamo", region: "us-west-2", endpoint: "https://a.example" };
  requireStatesCluster(state, found);
  requireStatesCluster(state, undefined);
  requireStatesCluster(undefined, found);
  assert.throws(
    () => requireStatesCluster(state, { ...found, endpoint: "https://b.example" }),
    { code: "STATE_OTHER_CLUSTER" },
  );
});
