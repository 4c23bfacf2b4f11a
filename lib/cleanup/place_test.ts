import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { rememberTarget, type Target } from "../target/target.ts";
import { choosePlace, requireNamedTarget } from "./place.ts";

async function withStacks(
  stacks: readonly (readonly [name: string, region: string])[],
  body: (
    choose: (choice: Parameters<typeof choosePlace>[1]) => ReturnType<typeof choosePlace>,
  ) => Promise<void>,
): Promise<void> {
  await using test = await testContext();
  for (const [name, region] of stacks) {
    const folder = `${test.ctx.home}/terraform/${region}-${name}`;
    await Deno.mkdir(folder, { recursive: true });
    const note = { name, region, account: "123456789012", backend: { kind: "local" } };
    await Deno.writeTextFile(`${folder}/stack.json`, JSON.stringify(note));
  }
  await body((choice) => choosePlace(test.ctx, choice));
}

Deno.test("the one cluster that was installed from here is meant", async () => {
  await withStacks([["dynamo", "us-west-2"]], async (choose) => {
    const place = await choose({});
    assert.equal(place.cluster, "dynamo");
    assert.equal(place.region, "us-west-2");
    assert.equal(place.account, "123456789012");
  });
});

Deno.test("of several clusters one has to be named", async () => {
  await withStacks([["dynamo", "us-west-2"], ["dynamo", "us-east-1"]], async (choose) => {
    await assert.rejects(choose({ cluster: "dynamo" }), { code: "PLACE_SEVERAL" });
    assert.equal((await choose({ region: "us-east-1" })).region, "us-east-1");
  });
});

Deno.test("another region than the installed one is refused", async () => {
  await withStacks([["dynamo", "us-west-2"]], async (choose) => {
    await assert.rejects(choose({ region: "eu-west-1" }), { code: "PLACE_REGION" });
  });
});

Deno.test("without anything installed the blueprint tells, and no account is known", async () => {
  await withStacks([], async (choose) => {
    const place = await choose({ cluster: "other", region: "eu-west-1" });
    assert.deepEqual([place.cluster, place.region, place.account], [
      "other",
      "eu-west-1",
      undefined,
    ]);
  });
});

Deno.test("levels that work on the target refuse the name or region of another cluster", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const place = { kubeconfig: "/nowhere", namespace: "dynamo-cloud", release: "0.4.1" };
  const cluster = {
    name: "dynamo",
    region: "us-west-2",
    account: "123456789012",
    endpoint: "https://one.example",
  };
  const other = { code: "PLACE_OTHER_TARGET", exitCode: 3 };
  await requireNamedTarget(ctx, { cluster: "dynamo" });
  const eks: Target = { ...place, kind: "eks", cluster };
  await rememberTarget(ctx, eks);
  await requireNamedTarget(ctx, {});
  await requireNamedTarget(ctx, { cluster: "dynamo", region: "us-west-2" });
  await assert.rejects(requireNamedTarget(ctx, { cluster: "dynamo-2" }), other);
  await assert.rejects(requireNamedTarget(ctx, { cluster: "dynamo", region: "eu-west-1" }), other);
  await rememberTarget(ctx, { ...place, kind: "local" });
  await assert.rejects(requireNamedTarget(ctx, { cluster: "dynamo" }), other);
});
