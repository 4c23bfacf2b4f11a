import assert from "node:assert/strict";
import { DEFAULT_NODE_POOLS, withOptionalPools } from "../lib/blueprint/node_pools.ts";
import { testContext } from "../lib/cli/testing.ts";
import { costText } from "../lib/graph/cost.ts";
import { catalogue, knownReleases, releaseRange } from "./examples.ts";

Deno.test("releases are said in as few words as they allow", () => {
  const known = ["1", "2", "3", "4"];
  assert.equal(releaseRange(known, known), "all");
  assert.equal(releaseRange(["2", "3", "4"], known), "2 and later");
  assert.equal(releaseRange(["1", "2"], known), "1 to 2");
  assert.equal(releaseRange(["2"], known), "2");
  assert.equal(releaseRange(["1", "3"], known), "1 3");
  assert.equal(releaseRange([], known), "none");
});

Deno.test("the catalogue judges every example by every known release", async () => {
  await using test = await testContext();
  const entries = await catalogue(test.ctx, withOptionalPools(DEFAULT_NODE_POOLS));
  const vllm = entries.find((entry) => entry.name === "vllm");
  assert.deepEqual(vllm?.releases, knownReleases());
  assert.equal(vllm?.gpus, 1);
  for (const entry of entries) {
    assert.equal(entry.problem, undefined, `${entry.name}: ${entry.problem}`);
    assert.ok(entry.releases.length > 0, `${entry.name} runs nowhere`);
  }
});

Deno.test("every example's README says what it costs, as the table does", async () => {
  await using test = await testContext();
  for (const { name, cost } of await catalogue(test.ctx, withOptionalPools(DEFAULT_NODE_POOLS))) {
    const readme = await Deno.readTextFile(`${test.ctx.root}/examples/${name}/README.md`);
    const text = cost!.nodes.length === 0 ? "what the planner decides" : costText(cost!);
    assert.ok(
      readme.replaceAll(/\s+/g, " ").includes(` Cost: ${text}. `),
      `examples/${name}/README.md does not say "Cost: ${text}."`,
    );
  }
});
