/**
 * The infrastructure steps of cleanup with the real terraform, on a state of its built-in
 * resources: destroyed, then the work folder gone; a run that fails goes on the next time.
 */
import assert from "node:assert/strict";
import { openAws } from "../../lib/aws/session.ts";
import { infrastructureSteps, knownStack } from "../../lib/cleanup/infrastructure.ts";
import type { OpenPlace } from "../../lib/cleanup/place.ts";
import type { Context } from "../../lib/cli/context.ts";
import { TaskError } from "../../lib/cli/errors.ts";
import { exists } from "../../lib/cli/files.ts";
import { runPlan, type Step } from "../../lib/cli/plan.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { writeStackNote } from "../../lib/terraform/backend.ts";
import { findTerraform, terraformEnvironment } from "../../lib/terraform/program.ts";
import { applyPlan, initStack, makePlan } from "../../lib/terraform/stack.ts";
import { workFolder } from "../../lib/terraform/work_folder.ts";

const REF = { name: "dynamo", region: "us-west-2" };
const ACCOUNT = "123456789012";

// The second is destroyed first; `false` as its command makes that fail.
const configuration = (command: string) => `
resource "terraform_data" "network" {}

resource "terraform_data" "nodes" {
  depends_on = [terraform_data.network]
  provisioner "local-exec" {
    when    = destroy
    command = "${command}"
  }
}
`;

Deno.test("cleanup destroys what terraform made, and goes on after a failure", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const folder = await applied(ctx);
  if (folder === undefined) return;

  await ctx.fs.writeTextFile(`${folder}/main.tf`, configuration("false"));
  await assert.rejects(destroy(ctx), TaskError);
  assert.ok(await exists(ctx, `${folder}/stack.json`));

  await ctx.fs.writeTextFile(`${folder}/main.tf`, configuration("true"));
  await destroy(ctx);
  assert.equal(await exists(ctx, folder), false);
  assert.equal(await knownStack(ctx, await openPlace(ctx)), undefined);
});

Deno.test("a folder without a state goes as well: nothing was applied, or the state is gone", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const folder = await applied(ctx);
  if (folder === undefined) return;
  await destroyWithout(ctx, folder);
  assert.equal(await exists(ctx, folder), false);
});

Deno.test("a cluster that falls silent at work goes first, then what its controllers left, then the rest", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const order = `${ctx.home}/order`;
  const says = (word: string) => `
  provisioner "local-exec" {
    when    = destroy
    command = "echo ${word} >> ${order}"
  }
`;
  const folder = await applied(ctx, {
    "main.tf": `
module "eks" { source = "./eks" }
resource "terraform_data" "network" {
  ${says("network")}
}
`,
    "eks/main.tf": `
resource "terraform_data" "cluster" {
  ${says("cluster")}
}
`,
  });
  if (folder === undefined) return;
  const open = await openPlace(ctx);
  const stack = await knownStack(ctx, open);
  assert.equal(stack?.state?.hasCluster, true);
  const orphans: Step = {
    id: "orphans",
    title: "orphans",
    touches: [],
    deadlineMs: 1_000,
    run: () => Deno.writeTextFile(order, "orphans\n", { append: true }),
  };
  let lost = false;
  const { cluster, rest } = infrastructureSteps(open, stack, {
    lost,
    later: { lost: () => lost, orphans },
  });
  assert.deepEqual(cluster, [], "it answers when the plan is made");
  lost = true;
  await runPlan(ctx, { task: "cleanup", facts: {}, warnings: [], steps: [rest] });
  assert.equal(await Deno.readTextFile(order), "cluster\norphans\nnetwork\n");
});

/** As after a run that was stopped between the state and the folder. */
async function destroyWithout(ctx: Context, folder: string): Promise<void> {
  await ctx.fs.remove(`${folder}/terraform.tfstate`);
  const open = await openPlace(ctx);
  const stack = await knownStack(ctx, open);
  assert.ok(stack !== undefined && stack.state === undefined);
  const { rest, folder: last } = infrastructureSteps(open, stack, { lost: false });
  await runPlan(ctx, { task: "cleanup", facts: {}, warnings: [], steps: [rest, last] });
}

async function openPlace(ctx: Context): Promise<OpenPlace> {
  return {
    // A state on this machine needs no AWS.
    aws: await openAws(ctx, { region: REF.region }),
    who: { account: ACCOUNT, arn: "", userId: "" },
    place: {
      cluster: REF.name,
      region: REF.region,
      account: ACCOUNT,
      profile: undefined,
      from: "a test",
    },
  };
}

async function destroy(ctx: Context): Promise<void> {
  const open = await openPlace(ctx);
  const stack = await knownStack(ctx, open);
  assert.equal(stack?.state?.resources, 2);
  const { cluster, rest, folder } = infrastructureSteps(open, stack, { lost: false });
  assert.deepEqual(cluster, []);
  await runPlan(ctx, { task: "cleanup", facts: {}, warnings: [], steps: [rest, folder] });
}

/** A work folder in which the configuration is applied; undefined without terraform. */
async function applied(
  ctx: Context,
  files: Readonly<Record<string, string>> = { "main.tf": configuration("true") },
): Promise<string | undefined> {
  const folder = workFolder(ctx, REF);
  let program;
  try {
    program = await findTerraform(ctx);
  } catch (error) {
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log(`SKIPPED: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    await ctx.fs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await ctx.fs.writeTextFile(path, text);
  }
  const backend = { kind: "local" } as const;
  await writeStackNote(ctx, folder, { ...REF, account: ACCOUNT, backend });
  const stack = { program, folder, env: terraformEnvironment(ctx), backend };
  await initStack(ctx, stack, { before: undefined });
  await applyPlan(ctx, stack, await makePlan(ctx, stack, { name: "whole" }));
  return folder;
}
