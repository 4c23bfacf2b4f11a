/**
 * `deno task cleanup --all` that is broken off while terraform destroys: the real terraform on its
 * built-in resources, the state in S3 (moto) and on this machine. The same command again finishes.
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { exists } from "../../lib/cli/files.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { type Backend, s3Backend, writeStackNote } from "../../lib/terraform/backend.ts";
import { findTerraform, terraformEnvironment } from "../../lib/terraform/program.ts";
import { applyPlan, initStack, makePlan } from "../../lib/terraform/stack.ts";
import { workFolder } from "../../lib/terraform/work_folder.ts";
import { type Moto, withMoto } from "../support/moto.ts";
import { runTaskProcess, type TaskResult } from "../support/task.ts";
import { signalWhen, type TaskSignal } from "../support/task_signals.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

const REF = { name: "small", region: "us-west-2" };
const ACCOUNT = "123456789012";

// They go from the last to the first; how long that takes is up to the test.
const CONFIGURATION = ["network", "cluster", "nodes", "pods"].map((name, index, all) => `
resource "terraform_data" "${name}" {
  depends_on = [${index === 0 ? "" : `terraform_data.${all[index - 1]}`}]
  provisioner "local-exec" {
    when    = destroy
    command = "sleep $\${TEST_DRAIN_SECONDS:-0}"
  }
}
`).join("");

Deno.test(
  "cleanup that is broken off while terraform destroys is finished by the same command (DYNAMO_FUZZ=full: on this machine as well as in S3)",
  relaxed,
  async (t) => {
    await withMoto(async (moto) => {
      await using made = await testContext({ env: { ...moto.env } });
      const { ctx } = made;
      const program = await findTerraform(ctx).catch((error) => {
        // deno-lint-ignore no-console -- a test that cannot run says so
        console.log(`SKIPPED: ${error.message}`);
      });
      if (program === undefined) return;
      const backends: readonly Backend[] = Deno.env.get("DYNAMO_FUZZ") === "full"
        ? [s3Backend(ACCOUNT, REF), { kind: "local" }]
        : [s3Backend(ACCOUNT, REF)];
      for (const backend of backends) {
        await t.step(`the state is ${backend.kind}`, () => breakOff(ctx, moto, backend));
      }
    });
  },
);

async function breakOff(ctx: Context, moto: Moto, backend: Backend): Promise<void> {
  const folder = workFolder(ctx, REF);
  const locks = async () => {
    if (backend.kind !== "s3") return [];
    const s3 = await (await moto.aws(ctx)).s3();
    // The bucket may go with the last state in it.
    const listed = s3.listObjectsV2({ Bucket: backend.bucket }).catch((error) => {
      if (error.code !== "AWS_NOT_FOUND") throw error;
    });
    const { Contents = [] } = await listed ?? {};
    return Contents.map(({ Key = "" }) => Key).filter((key) => key.endsWith(".tflock"));
  };
  await apply(ctx, moto, backend);

  const stopped = await cleanup(ctx, moto, { drain: 3, signal: "SIGINT" });
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.match(stopped.stderr, /What is gone stays gone: the same command goes on from here/);
  assert.deepEqual(await locks(), []);

  // The machine is lost: terraform cannot give its lock back.
  await cleanup(ctx, moto, { drain: 8, signal: "SIGKILL", terraform: true });
  assert.equal((await locks()).length, backend.kind === "s3" ? 1 : 0);

  // The task dies and terraform goes on; the next one waits for it.
  const died = await cleanup(ctx, moto, { drain: 2, signal: "SIGKILL" });
  assert.notEqual(died.code, 0);
  if (backend.kind === "s3") {
    assert.match(
      died.stderr,
      /terraform apply of .* was killed: the lock that it left is taken away/,
    );
  }
  const last = await cleanup(ctx, moto);
  assert.equal(last.code, 0, last.stderr);
  assert.match(last.stderr, /terraform apply of an earlier run \(process \d+, since .*\) goes on/);
  assert.match(last.stderr, /Nothing of small bills any more/);
  assert.equal(await exists(ctx, folder), false);
  assert.deepEqual(await locks(), []);
}

/** Runs the cleanup; with a signal, that is sent while something goes that takes so many seconds. */
async function cleanup(
  ctx: Context,
  moto: Moto,
  broken?: Pick<TaskSignal, "signal" | "terraform"> & { readonly drain: number },
): Promise<TaskResult> {
  let sent: Promise<boolean> | undefined;
  const result = await runTaskProcess(["cleanup", "--all", "--yes", "--cluster", REF.name], {
    home: ctx.home,
    env: { ...moto.env, TEST_DRAIN_SECONDS: String(broken?.drain ?? 0) },
    onStart: (child) => {
      if (broken === undefined) return;
      const folder = workFolder(ctx, REF);
      sent = signalWhen(child, { ...broken, folder, command: "apply", says: /Destroying/ });
    },
  });
  assert.ok(sent === undefined || await sent, `no signal was sent\n${result.stderr}`);
  return result;
}

/** Makes the work folder, and the bucket, and applies what is in it. */
async function apply(ctx: Context, moto: Moto, backend: Backend): Promise<void> {
  if (backend.kind === "s3") {
    const s3 = await (await moto.aws(ctx)).s3();
    await s3.createBucket({
      Bucket: backend.bucket,
      CreateBucketConfiguration: { LocationConstraint: "us-west-2" },
    });
  }
  const folder = workFolder(ctx, REF);
  await ctx.fs.mkdir(folder, { recursive: true });
  await ctx.fs.writeTextFile(`${folder}/main.tf`, CONFIGURATION);
  await writeStackNote(ctx, folder, { ...REF, account: ACCOUNT, backend });
  const program = await findTerraform(ctx);
  const stack = { program, folder, env: terraformEnvironment(ctx), backend };
  await initStack(ctx, stack, { before: undefined });
  await applyPlan(ctx, stack, await makePlan(ctx, stack, { name: "whole" }));
}
