import assert from "node:assert/strict";
import { withContext } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import { inStage, readStages } from "./stages.ts";

Deno.test("the project's stages: each builds on the one before, the last is everything", async () => {
  await using made = await testContext();
  const [vpc, eks, addons] = await readStages(made.ctx);
  assert.ok(vpc!.targets.length > 0 && eks!.targets.length > 0);
  assert.deepEqual(addons!.targets, []);
  assert.ok(inStage(eks!, { address: "module.eks.aws_eks_cluster.this[0]" }));
  assert.ok(!inStage(vpc!, { address: "module.eks.aws_eks_cluster.this[0]" }));
  assert.ok(inStage(vpc!, { address: "module.vpc.aws_vpc.this[0]" }));
  assert.ok(inStage(addons!, { address: "anything.at_all" }));
});

Deno.test("an address belongs to a stage as a whole name, not as the start of one", () => {
  const stage = { name: "vpc", title: "", targets: ["module.vpc", "aws_subnet.pods"] } as const;
  const isIn = (address: string) => inStage(stage, { address });
  assert.ok(isIn("module.vpc.aws_vpc.this") && isIn("module.vpc[0].aws_vpc.this"));
  assert.ok(isIn('aws_subnet.pods["us-west-2a"]') && isIn("aws_subnet.pods"));
  assert.ok(!isIn("module.vpc_endpoints.aws_x.y") && !isIn("aws_subnet.pods_too"));
});

Deno.test("stages that cannot be read are told with their file", async () => {
  await using made = await testContext();
  const ctx = withContext(made.ctx, { root: made.ctx.home });
  await Deno.mkdir(`${ctx.root}/terraform`, { recursive: true });
  await assert.rejects(readStages(ctx), { code: "TERRAFORM_SOURCES" });
  for (const text of ["{", '{"vpc": []}', '{"vpc": [1], "eks": [], "addons": []}']) {
    await Deno.writeTextFile(`${ctx.root}/terraform/stages.json`, text);
    await assert.rejects(readStages(ctx), { code: "TERRAFORM_SOURCES" }, text);
  }
});
