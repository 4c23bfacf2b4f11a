import assert from "node:assert/strict";
import { withContext } from "./context.ts";
import type { TaskError } from "./errors.ts";
import { lockPath, withLock } from "./lock.ts";
import { testContext } from "./testing.ts";

Deno.test("withLock refuses a second holder and names the first", async () => {
  await using made = await testContext();
  const { ctx } = made;
  await withLock(ctx, "install", async () => {
    await assert.rejects(withLock(ctx, "cleanup", () => Promise.resolve()), (error: TaskError) => {
      assert.equal(error.code, "LOCKED");
      assert.equal(error.exitCode, 3);
      assert.match(error.message, new RegExp(`deno task install \\(process ${Deno.pid}, since 20`));
      return true;
    });
  });
});

Deno.test("withLock gives the lock back after an error, and returns what the body returns", async () => {
  await using made = await testContext();
  const { ctx } = made;
  await assert.rejects(withLock(ctx, "install", () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await withLock(ctx, "install", () => Promise.resolve(7)), 7);
  assert.equal((await Deno.stat(lockPath(ctx))).mode! & 0o777, 0o600);
});

Deno.test("a lock goes with the process that was killed", async () => {
  await using made = await testContext();
  const { ctx } = made;
  const script = `
    import { withLock } from "${new URL("./lock.ts", import.meta.url)}";
    import { testContext } from "${new URL("./testing.ts", import.meta.url)}";
    const { ctx } = await testContext({ home: ${JSON.stringify(ctx.home)} });
    await withLock(ctx, "deploy vllm", async () => { console.log("held"); await new Promise((r) => setTimeout(r, 60_000)); });
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", script],
    stdout: "piped",
    stderr: "inherit",
    cwd: ctx.root,
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await assert.rejects(
    withLock(ctx, "install", () => Promise.resolve()),
    /deno task deploy vllm \(process \d+/,
  );
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  assert.equal(await withLock(ctx, "install", () => Promise.resolve("free")), "free");
});

Deno.test("a state folder that cannot be made is named", async () => {
  await using made = await testContext();
  await Deno.mkdir(made.ctx.home, { recursive: true });
  await Deno.writeTextFile(`${made.ctx.home}/file`, "");
  const ctx = withContext(made.ctx, { home: `${made.ctx.home}/file/.dynamo` });
  await assert.rejects(withLock(ctx, "install", () => Promise.resolve()), (error: TaskError) => {
    assert.equal(error.code, "STATE_FOLDER");
    assert.equal(error.exitCode, 3);
    assert.match(error.hint ?? "", /DYNAMO_HOME/);
    return true;
  });
});
