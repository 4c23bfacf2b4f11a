import assert from "node:assert/strict";
import { type Context, withContext } from "../cli/context.ts";
import type { Plan } from "../cli/plan.ts";
import { testContext } from "../cli/testing.ts";
import { agree, agreeByName } from "./agree.ts";

const PLAN: Plan = { task: "cleanup", facts: {}, warnings: [], steps: [] };
const NAME = "dynamo-local";

/** At a terminal, with somebody who types this and says yes to what is asked. */
function typing(ctx: Context, typed: string): { readonly ctx: Context; readonly asked: string[] } {
  const asked: string[] = [];
  const answer = <T>(value: T) => (question: string) => {
    asked.push(question);
    return Promise.resolve(value);
  };
  const ui = { ...ctx.ui, interactive: true, text: answer(typed), confirm: answer(true) };
  return { ctx: withContext(ctx, { ui }), asked };
}

Deno.test("a whole cluster goes when its name was typed, the rest with a yes", async () => {
  await using made = await testContext();
  const right = typing(made.ctx, NAME);
  await agree(right.ctx, PLAN, { yes: false, name: NAME });
  await agreeByName(right.ctx, PLAN, { yes: false, name: NAME });
  await agree(right.ctx, PLAN, { yes: false });
  assert.deepEqual(right.asked, [
    `Type the cluster's name (${NAME}) to delete all this`,
    `Type the cluster's name (${NAME}) to delete all this`,
    "Remove all this?",
  ]);
  for (const typed of ["", "yes", "y", "dynamo", "dynamo-local2"]) {
    const { ctx } = typing(made.ctx, typed);
    await assert.rejects(agree(ctx, PLAN, { yes: false, name: NAME }), { code: "CONFIRM_NO" });
    await assert.rejects(agreeByName(ctx, PLAN, { yes: false, name: NAME }), {
      code: "CONFIRM_NO",
    });
  }
});

Deno.test("without a terminal --yes is needed, for a cluster in AWS with its name", async () => {
  await using made = await testContext();
  const { ctx, heard } = made;
  await agree(ctx, PLAN, { yes: true, name: NAME });
  assert.match(heard.talk.join("\n"), /Plan: cleanup/);
  await assert.rejects(agree(ctx, PLAN, { yes: false, name: NAME }), { code: "CONFIRM_MISSING" });
  await agreeByName(ctx, PLAN, { yes: true, cluster: "prod", name: "prod" });
  for (const cluster of [undefined, "prod-2", ""]) {
    const options = { yes: true, cluster, name: "prod" };
    await assert.rejects(agreeByName(ctx, PLAN, options), { code: "CONFIRM_CLUSTER" });
  }
});
