import assert from "node:assert/strict";
import { openAws } from "../aws/session.ts";
import { testContext } from "../cli/testing.ts";
import { planInside } from "./inside.ts";

Deno.test("a cluster that has no API server yet, or never got one, is not asked", async () => {
  await using made = await testContext();
  const { ctx } = made;
  const open = {
    aws: await openAws(ctx, { region: "us-west-2" }),
    who: { account: "123456789012", arn: "", userId: "" },
    place: {
      cluster: "dynamo",
      region: "us-west-2",
      account: undefined,
      profile: undefined,
      from: "",
    },
  };
  const cluster = {
    name: "dynamo",
    region: "us-west-2",
    account: "123456789012",
    endpoint: "",
    status: "FAILED",
    version: "1.33",
    authority: "",
    tags: {},
  };
  assert.equal(await planInside(ctx, open, { cluster }), "it is FAILED, and has no API server");
});
