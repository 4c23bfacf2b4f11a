import assert from "node:assert/strict";
import { openAws } from "../aws/session.ts";
import type { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { knownState, readKnownState, requireStatesCluster } from "./known_state.ts";

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

Deno.test("a state that was cut off is refused with the way back, and not quoted", async () => {
  await using made = await testContext();
  const { ctx } = made;
  await ctx.fs.mkdir(ctx.home, { recursive: true });
  await ctx.fs.writeTextFile(`${ctx.home}/terraform.tfstate`, '{"version": 4, "a": planted-secret');
  const aws = await openAws(ctx, { region: "us-west-2" });
  await assert.rejects(
    readKnownState(ctx, aws, { folder: ctx.home, backend: { kind: "local" } }),
    (error: TaskError) => {
      assert.deepEqual([error.code, error.exitCode], ["STATE_BROKEN", 3]);
      assert.match(error.hint!, /newest copy in .*\/backups/);
      assert.doesNotMatch(`${error.message}${error.cause}`, /planted/);
      return true;
    },
  );
});
