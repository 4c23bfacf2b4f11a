import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { hfToken } from "./secrets.ts";

Deno.test("HF_TOKEN is checked for its form and never shown", async () => {
  await using good = await testContext({ env: { HF_TOKEN: "hf_abcDEF123456" } });
  assert.equal(hfToken(good.ctx), "hf_abcDEF123456");
  good.ctx.ui.info("token: hf_abcDEF123456");
  assert.deepEqual(good.heard.talk, ["token: ***"]);

  await using none = await testContext();
  assert.equal(hfToken(none.ctx), undefined);

  await using bad = await testContext({ env: { HF_TOKEN: "my secret password" } });
  assert.throws(
    () => hfToken(bad.ctx),
    (error) =>
      error instanceof TaskError && error.exitCode === 3 && !error.message.includes("password"),
  );
});
