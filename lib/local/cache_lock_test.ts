import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { withCacheLock } from "./cache_lock.ts";

Deno.test("withCacheLock lets makers in one after the other and tells who waits", async () => {
  await using made = await testContext();
  const { ctx } = made;
  const folder = `${ctx.home}/cache`;
  const order: string[] = [];
  let release = () => {};
  const first = withCacheLock(ctx, folder, () => order.push("first waits"), async () => {
    order.push("first in");
    await new Promise<void>((resolve) => release = resolve);
    order.push("first out");
  });
  while (order.length === 0) await ctx.clock.sleep(5);
  const second = withCacheLock(ctx, folder, () => {
    order.push("second waits");
    release();
  }, () => Promise.resolve(order.push("second in")));
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first in", "second waits", "first out", "second in"]);
});
