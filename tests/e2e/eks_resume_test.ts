/**
 * `deno task install --target eks` that breaks: whatever stops it leaves a state from which the
 * same command goes on to the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { recallTarget } from "../../lib/target/target.ts";
import { fault } from "../support/aws_front.ts";
import { type EksTest, withEks } from "./eks_support.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

Deno.test(
  "an install that breaks and is interrupted goes on to the end, and again changes nothing",
  relaxed,
  (t) =>
    withEks("eks-resume", async (test) => {
      await t.step("expired credentials are told before anything is made", () => expired(test));
      await t.step("an apply that fails says where, and keeps what was made", () => broken(test));
      await t.step("Ctrl-C lets terraform save its state", () => interrupted(test));
      await t.step("the same command finishes, though AWS asks to wait", () => finishes(test));
      await t.step("once more there is nothing to change", () => again(test));
    }),
);

async function expired({ answers, install, state }: EksTest): Promise<void> {
  answers["sts:GetCallerIdentity"] = fault("ExpiredToken", 403);
  const { code, stderr } = await install();
  delete answers["sts:GetCallerIdentity"];
  assert.equal(code, 3, stderr);
  assert.match(stderr, /expired/i);
  assert.deepEqual(await state(), []);
}

async function broken({ install, state }: EksTest): Promise<void> {
  const { code, stderr } = await install([], {
    env: { TFSTUB_FAIL: "create:helm_release:/karpenter/" },
  });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /helm_release\.karpenter/);
  const made = await state();
  assert.ok(made.some((address) => address.startsWith("module.vpc")), made.join());
  assert.ok(!made.includes("helm_release.karpenter"), made.join());
}

async function interrupted({ install, state }: EksTest): Promise<void> {
  const before = (await state()).length;
  const { code, stderr } = await install([], {
    env: { TFSTUB_DELAY: "create:helm_release=3s" },
    onStart: (child) => void interruptWhen(child, async () => (await state()).length > before),
  });
  assert.equal(code, 130, stderr);
  assert.ok((await state()).length >= before);
}

async function interruptWhen(
  child: Deno.ChildProcess,
  holds: () => Promise<boolean>,
): Promise<void> {
  for (let i = 0; i < 600 && !await holds(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGINT");
}

async function finishes({ answers, ctx, install, state, endpoint }: EksTest): Promise<void> {
  let left = 2;
  answers["sts:GetCallerIdentity"] = (call, n) =>
    left-- > 0 ? fault("Throttling", 429)(call, n) : undefined;
  const { code, stdout, stderr } = await install(["--output", "json"]);
  delete answers["sts:GetCallerIdentity"];
  assert.equal(code, 0, stderr);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.ok(events.length > 5, stdout);
  assert.ok((await state()).includes("helm_release.karpenter"));
  const target = await recallTarget(ctx);
  assert.equal(target?.kind, "eks");
  assert.ok(endpoint.accepted > 0);
  assert.deepEqual(endpoint.refused, []);
}

async function again({ install, state, task }: EksTest): Promise<void> {
  const before = await state();
  const { code, stderr } = await install();
  assert.equal(code, 0, stderr);
  assert.deepEqual(await state(), before);
  const output = await task(["infra", "output", "--output", "json"]);
  assert.equal(output.code, 0, output.stderr);
  assert.match(output.stdout, /"cluster_name"/);
}
