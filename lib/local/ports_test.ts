import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { freePorts, isPortFree } from "./ports.ts";

Deno.test("freePorts gives different ports that are free", async () => {
  await using made = await testContext();
  const ports = freePorts(made.ctx, 5);
  assert.equal(new Set(ports).size, 5);
  for (const port of ports) assert.ok(isPortFree(made.ctx, port));
});

Deno.test("isPortFree sees a listener", async () => {
  await using made = await testContext();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.equal(isPortFree(made.ctx, listener.addr.port), false);
});
