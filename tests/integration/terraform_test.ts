/**
 * The real terraform on a small configuration that needs no provider: plan, apply, Ctrl-C, a
 * task that died, locks, outputs, and the state in S3 (moto) with S3's own locking.
 *
 * @module
 */
import assert from "node:assert/strict";
import { loadBlueprint } from "../../lib/blueprint/blueprint.ts";
import { type Context, withContext } from "../../lib/cli/context.ts";
import { messageOf, TaskError } from "../../lib/cli/errors.ts";
import { exists } from "../../lib/cli/files.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { type Backend, s3Backend } from "../../lib/terraform/backend.ts";
import type { ApplyProgress } from "../../lib/terraform/estimate.ts";
import { findTerraform, terraformEnvironment } from "../../lib/terraform/program.ts";
import { earlierRun, runTerraform, waitForEarlierRun } from "../../lib/terraform/run.ts";
import {
  applyPlan,
  initStack,
  makePlan,
  type Stack,
  stackOutputs,
  unlockStack,
} from "../../lib/terraform/stack.ts";
import { ensureStateBucket, hasStateBucket } from "../../lib/terraform/state_bucket.ts";
import { syncWorkFolder, workFolder } from "../../lib/terraform/work_folder.ts";
import { withMoto } from "../support/moto.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

const CONFIGURATION = `
variable "name" { type = string }
variable "region" { type = string }
variable "seconds" {
  type    = number
  default = 0
}

resource "terraform_data" "first" {
  input = var.name
}

resource "terraform_data" "slow" {
  input = terraform_data.first.output
  provisioner "local-exec" {
    command = "sleep \${var.seconds}"
  }
}

resource "terraform_data" "last" {
  input = terraform_data.slow.output
}

output "cluster_name" { value = terraform_data.last.output }
output "hidden" {
  value     = "planted-sensitive-output"
  sensitive = true
}
`;

interface Prepared {
  readonly ctx: Context;
  readonly stack: Stack;
  readonly heard: readonly string[];
}

/** A stack in a project root of the test's own; `seconds` is how long its slow resource takes. */
async function withStack(
  options: { seconds?: number; env?: Record<string, string>; backend?: Backend },
  body: (prepared: Prepared) => Promise<void>,
): Promise<void> {
  await using made = await testContext({ env: { HF_TOKEN: "hf_planted", ...options.env } });
  const program = await findTerraform(made.ctx).catch((error) => {
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log(`SKIPPED: ${messageOf(error)}`);
    return undefined;
  });
  if (program === undefined) return;
  const root = `${made.ctx.home}-root`;
  await Deno.mkdir(`${root}/terraform/more`, { recursive: true });
  const ctx = withContext(made.ctx, { root });
  await Deno.writeTextFile(`${root}/terraform/main.tf`, CONFIGURATION);
  await Deno.writeTextFile(`${root}/terraform/more/values.yaml`, "a: 1\n");
  await Deno.writeTextFile(
    `${root}/terraform/blueprint.tfvars`,
    `name = "from-the-file"\nseconds = ${options.seconds ?? 0}\n`,
  );
  try {
    const blueprint = await loadBlueprint(ctx, { flags: { name: "flagged" } });
    const folder = workFolder(ctx, { region: "us-west-2", name: "flagged" });
    await syncWorkFolder(ctx, { blueprint, folder, tokenCommand: ["true"] });
    const stack: Stack = {
      program,
      folder,
      env: terraformEnvironment(ctx),
      backend: options.backend ?? { kind: "local" },
    };
    await body({ ctx, stack, heard: made.heard.talk });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function isCode(work: Promise<unknown>, code: string): Promise<TaskError> {
  const error = await work.then(() => assert.fail(`no ${code}`), (error) => error);
  assert.ok(error instanceof TaskError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}

Deno.test("plan, apply, again: flags win over the file, nothing is left to do, secrets stay out", async () => {
  await withStack({}, async ({ ctx, stack }) => {
    await initStack(ctx, stack, { before: undefined });
    const plan = await makePlan(ctx, stack, { name: "whole" });
    assert.deepEqual(plan.summary.counts, { create: 3, update: 0, replace: 0, delete: 0 });
    const progress: ApplyProgress[] = [];
    await applyPlan(ctx, stack, plan, { onProgress: (now) => progress.push(now) });
    assert.ok(progress.length > 0);
    assert.ok(!await exists(ctx, plan.file));
    assert.deepEqual(await stackOutputs(ctx, stack), { cluster_name: "flagged" });
    const again = await makePlan(ctx, stack, { name: "whole" });
    assert.equal(again.summary.applyable, false);
    const destroy = await makePlan(ctx, stack, { name: "destroy", destroy: true });
    assert.equal(destroy.summary.counts.delete, 3);

    const modes = [];
    for (const file of ["overrides.auto.tfvars.json", "blueprint.auto.tfvars"]) {
      modes.push((await Deno.stat(`${stack.folder}/${file}`)).mode! & 0o777);
    }
    assert.deepEqual(modes, [0o600, 0o600]);
    assert.equal((await Deno.stat(stack.folder)).mode! & 0o777, 0o700);
    assert.equal(stack.env["HF_TOKEN"], undefined);
    for await (const { name } of Deno.readDir(`${stack.folder}/logs`)) {
      const text = await Deno.readTextFile(`${stack.folder}/logs/${name}`);
      assert.ok(!text.includes("planted"), name);
    }
  });
});

Deno.test("the work folder follows the sources, and keeps the state", async () => {
  await withStack({}, async ({ ctx, stack }) => {
    await initStack(ctx, stack, { before: undefined });
    await applyPlan(ctx, stack, await makePlan(ctx, stack, { name: "whole" }));
    await Deno.remove(`${ctx.root}/terraform/more`, { recursive: true });
    await Deno.writeTextFile(`${ctx.root}/terraform/extra.tf`, 'output "extra" { value = 1 }\n');
    const blueprint = await loadBlueprint(ctx, { flags: { name: "flagged" } });
    await syncWorkFolder(ctx, { blueprint, folder: stack.folder, tokenCommand: ["true"] });
    assert.ok(!await exists(ctx, `${stack.folder}/more/values.yaml`));
    assert.ok(await exists(ctx, `${stack.folder}/terraform.tfstate`));
    const plan = await makePlan(ctx, stack, { name: "whole" });
    assert.equal(plan.summary.changes.length, 0);
    assert.ok(plan.summary.applyable, "a new output is something to apply");
    await applyPlan(ctx, stack, plan);
    const backups = await Array.fromAsync(Deno.readDir(`${stack.folder}/backups`));
    assert.equal(backups.length, 1, "the state as it was before the second apply");
  });
});

Deno.test("Ctrl-C: terraform is asked once, saves what it made, and the next run goes on", async () => {
  await withStack({ seconds: 4 }, async ({ ctx, stack }) => {
    await initStack(ctx, stack, { before: undefined });
    const plan = await makePlan(ctx, stack, { name: "whole" });
    const stop = new AbortController();
    const aborted = withContext(ctx, { signal: stop.signal });
    const error = await isCode(
      applyPlan(aborted, stack, plan, {
        onEvent: (event) => {
          if (event.kind === "started" && event.address.endsWith("slow")) stop.abort();
        },
      }),
      "INTERRUPTED",
    );
    assert.match(error.hint!, /saved its state/);
    const state = JSON.parse(await Deno.readTextFile(`${stack.folder}/terraform.tfstate`));
    const names = state.resources.map(({ name }: { name: string }) => name).sort();
    assert.ok(names.includes("first") && !names.includes("last"), names.join());
    assert.equal(await earlierRun(ctx, stack.folder), undefined);

    const rest = await makePlan(ctx, stack, { name: "whole" });
    assert.ok(rest.summary.changes.every(({ address }) => address !== "terraform_data.first"));
    await applyPlan(ctx, stack, rest);
    assert.equal((await stackOutputs(ctx, stack))["cluster_name"], "flagged");
  });
});

Deno.test("a terraform whose task died is found and waited for; meanwhile nobody else gets the state", async () => {
  await withStack({ seconds: 16 }, async ({ ctx, stack }) => {
    await initStack(ctx, stack, { before: undefined });
    await makePlan(ctx, stack, { name: "whole" });
    const script = `
      import { denoContext } from "${new URL("../../lib/cli/context_deno.ts", import.meta.url)}";
      import { terminalUi } from "${new URL("../../lib/cli/terminal.ts", import.meta.url)}";
      import { runTerraform } from "${new URL("../../lib/terraform/run.ts", import.meta.url)}";
      const stack = JSON.parse(Deno.args[0]);
      const ui = terminalUi({ get: () => undefined, toObject: () => ({}) }, false);
      await runTerraform(denoContext(ui, new AbortController().signal), ["apply", "-json", "whole.tfplan"], {
        ...stack,
        onEvent: (event) => {
          if (event.kind === "started" && event.address.endsWith("slow")) Deno.kill(Deno.pid, "SIGKILL");
        },
      });`;
    const file = `${ctx.root}/dies.ts`;
    await Deno.writeTextFile(file, script);
    const died = await ctx.processes.run(
      ctx.processes.denoPath,
      ["run", "--quiet", "--no-lock", "--allow-all", file, JSON.stringify(stack)],
      { env: stack.env },
    );
    assert.equal(died.code, 137, died.stderr);
    const earlier = await earlierRun(ctx, stack.folder);
    assert.equal(earlier?.command, "apply");
    const locked = await isCode(makePlan(ctx, stack, { name: "other" }), "TERRAFORM_LOCKED");
    assert.match(locked.message, /has had it locked since .* \(apply\)/);
    const seen: string[] = [];
    await waitForEarlierRun(ctx, stack.folder, earlier!, {
      deadlineMs: 60_000,
      onEvent: (event) => seen.push(event.kind),
    });
    assert.ok(seen.includes("summary"), "its output is followed to the end");
    assert.equal(await earlierRun(ctx, stack.folder), undefined);
    assert.equal((await makePlan(ctx, stack, { name: "whole" })).summary.applyable, false);
  });
});

Deno.test("a mistake in the configuration is told with its file and line", async () => {
  await withStack({}, async ({ ctx, stack }) => {
    await initStack(ctx, stack, { before: undefined });
    await Deno.writeTextFile(
      `${stack.folder}/wrong.tf`,
      '\noutput "x" {\n  value = var.nothing\n}\n',
    );
    const error = await isCode(makePlan(ctx, stack, { name: "whole" }), "TERRAFORM_FAILED");
    assert.match(error.message, /undeclared input variable.*\(wrong\.tf:3\)/);
    assert.match(error.evidence.at(-1)!, /Everything it said: .*plan\.jsonl/);
    const sources = await isCode(
      initStack(ctx, {
        ...stack,
        program: { ...stack.program, version: "1.9.5" },
        backend: s3Backend("1", { region: "r", name: "n" }),
      }, { before: undefined }),
      "TERRAFORM_OLD",
    );
    assert.match(sources.message, /cannot lock a state in S3/);
  });
});

Deno.test(
  "the state moves to a bucket of ours, is locked there, and a lock left behind is explained",
  relaxed,
  async () => {
    await withMoto(async (moto) => {
      await withStack({ env: moto.env, seconds: 2 }, async ({ ctx, stack }) => {
        await initStack(ctx, stack, { before: undefined });
        const plan = await makePlan(ctx, stack, {
          name: "first",
          targets: ["terraform_data.first"],
        });
        await applyPlan(ctx, stack, plan);

        const account = "123456789012";
        const backend = s3Backend(account, { region: "us-west-2", name: "flagged" });
        assert.ok(backend.kind === "s3");
        const aws = await moto.aws(ctx);
        const bucket = { bucket: backend.bucket, account };
        assert.equal(await hasStateBucket(aws, bucket), false);
        assert.match(await ensureStateBucket(aws, bucket), /^made /);
        assert.match(await ensureStateBucket(aws, bucket), /is there$/);
        const s3 = await aws.s3();
        const Bucket = backend.bucket;
        assert.equal((await s3.getBucketVersioning({ Bucket })).Status, "Enabled");
        assert.ok(
          (await s3.getPublicAccessBlock({ Bucket })).PublicAccessBlockConfiguration
            ?.RestrictPublicBuckets,
        );
        assert.match((await s3.getBucketPolicy({ Bucket })).Policy!, /aws:SecureTransport/);
        const rules = (await s3.getBucketEncryption({ Bucket })).ServerSideEncryptionConfiguration
          ?.Rules;
        assert.equal(rules?.length, 1);

        // moto takes the policy's Deny without its condition, and this is no TLS.
        await s3.deleteBucketPolicy({ Bucket });

        const moved: Stack = { ...stack, backend };
        await initStack(ctx, moved, { before: stack.backend });
        const objects = async () =>
          ((await s3.listObjectsV2({ Bucket })).Contents ?? []).map(({ Key }) => Key);
        assert.deepEqual(await objects(), [backend.key]);
        const rest = await makePlan(ctx, moved, { name: "whole" });
        assert.equal(rest.summary.counts.create, 2, "what was made before is in the moved state");

        // A terraform that is killed leaves its lock.
        const stop = new AbortController();
        const killed = runTerraform(ctx, ["apply", "-json", "whole.tfplan"], {
          ...moved,
          onEvent: (event) => {
            if (event.kind === "started" && event.address.endsWith("slow")) stop.abort();
          },
          onTick: async () => {
            const run = stop.signal.aborted ? await earlierRun(ctx, moved.folder) : undefined;
            if (run !== undefined) ctx.processes.kill(run.identity, "SIGKILL");
          },
        });
        assert.equal((await killed).code, 137);
        assert.deepEqual(await objects(), [backend.key, `${backend.key}.tflock`]);
        const locked = await isCode(makePlan(ctx, moved, { name: "whole" }), "TERRAFORM_LOCKED");
        const id = /infra unlock ([0-9a-f-]+)/.exec(locked.hint!)?.[1];
        assert.ok(id, String(locked.hint));
        await isCode(unlockStack(ctx, moved, "x; rm"), "TERRAFORM_LOCK_ID");
        await unlockStack(ctx, moved, id);
        // There is no such lock any more; what terraform says of it comes without colours.
        const again = await isCode(unlockStack(ctx, moved, id), "TERRAFORM_COMMAND");
        assert.match(again.message, /^terraform force-unlock failed: [^\x1b]+$/);
        await applyPlan(ctx, moved, await makePlan(ctx, moved, { name: "whole" }));
        assert.equal((await stackOutputs(ctx, moved))["cluster_name"], "flagged");

        await isCode(
          ensureStateBucket(aws, { ...bucket, bucket: await foreignBucket(s3) }),
          "STATE_BUCKET",
        );
      });
    });
  },
);

// deno-lint-ignore no-explicit-any -- the SDK's client
async function foreignBucket(s3: any): Promise<string> {
  const Bucket = "somebody-elses-bucket";
  await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: "us-west-2" } });
  await s3.putObject({ Bucket, Key: "theirs", Body: "x" });
  return Bucket;
}
