import assert from "node:assert/strict";
import { withContext } from "../cli/context.ts";
import type { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { freeBytes, isDiskFull, requireSpace, type SpaceNeed } from "./disk_space.ts";

const NEED: SpaceNeed = {
  path: "/cache",
  bytes: 4e9,
  purpose: "Building",
  variable: "XDG_CACHE_HOME",
};

Deno.test("freeBytes looks at the nearest folder that exists", async () => {
  await using made = await testContext();
  const free = await freeBytes(made.ctx, `${made.ctx.home}/not/there/yet`);
  assert.ok(free !== undefined && free > 1e6, `free: ${free}`);
});

Deno.test("requireSpace names path, need and what is free", async () => {
  await using made = await testContext();
  const stdout = "Filesystem 1024-blocks Used Available Capacity Mounted on\n" +
    "/dev/sda1 10000000 9900000 100000 99% /\n";
  const run = () => Promise.resolve({ code: 0, stdout, stderr: "" });
  const ctx = withContext(made.ctx, { processes: { ...made.ctx.processes, run } });
  await requireSpace(ctx, { ...NEED, bytes: 90e6 });
  await assert.rejects(requireSpace(ctx, NEED), (error: TaskError) => {
    assert.equal(error.code, "DISK_FULL");
    assert.equal(error.exitCode, 3);
    assert.match(error.hint ?? "", /another disk with XDG_CACHE_HOME/);
    assert.equal(error.message, "Building needs 4000 MB at /cache, and only 102 MB are free");
    return true;
  });
});

Deno.test("a machine without df is given the benefit of the doubt", async () => {
  await using made = await testContext();
  const run = () => Promise.reject(new Deno.errors.NotFound("df"));
  const ctx = withContext(made.ctx, { processes: { ...made.ctx.processes, run } });
  await requireSpace(ctx, { ...NEED, bytes: 1e15 });
});

Deno.test("a full disk is recognised in errors and in what programs say", () => {
  assert.ok(isDiskFull(new Error("No space left on device (os error 28)")));
  assert.ok(isDiskFull("write /tmp/x: no space left on device"));
  assert.ok(isDiskFull("ERROR: Could not install packages due to an OSError: [Errno 28] x"));
  assert.ok(isDiskFull(Object.assign(new Error("x"), { code: "ENOSPC" })));
  assert.ok(!isDiskFull(new Error("Permission denied (os error 13)")));
});
