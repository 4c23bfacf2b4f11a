import assert from "node:assert/strict";
import { loadBlueprint } from "../blueprint/blueprint.ts";
import { type Context, withContext } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import { syncWorkFolder, workFolder } from "./work_folder.ts";

/** A project with these files below terraform/, and its work folder. */
async function project(
  files: Readonly<Record<string, string>>,
  body: (ctx: Context, folder: string, sync: () => Promise<void>) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await using made = await testContext({ env });
  const root = `${made.ctx.home}-root`;
  const ctx = withContext(made.ctx, { root });
  for (const [name, text] of Object.entries(files)) {
    const path = `${root}/terraform/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  const folder = workFolder(ctx, { region: "us-west-2", name: "demo" });
  try {
    await body(ctx, folder, async () => {
      const blueprint = await loadBlueprint(ctx);
      await syncWorkFolder(ctx, { blueprint, folder, tokenCommand: ["print-token"] });
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("sources are copied, what is terraform's or the user's is not", async () => {
  await project({
    "main.tf": "",
    "charts/values.yaml": "a: 1\n",
    "stages.json": "{}",
    "blueprint.tfvars": 'name = "demo"\n',
    "other.tfvars.json": "{}",
    "terraform.tfstate": "planted state",
    "old.tfplan": "planted plan",
    ".terraform/modules/x.tf": "",
  }, async (_ctx, folder, sync) => {
    await sync();
    assert.deepEqual(await namesIn(folder), [
      "blueprint.auto.tfvars",
      "charts",
      "main.tf",
      "overrides.auto.tfvars.json",
      "sources.json",
    ]);
  });
});

Deno.test("flags and variables win over both spellings of the file", async () => {
  await project(
    { "main.tf": "", "blueprint.tfvars": 'cluster_name = "file"\naws_region = "eu-west-1"\n' },
    async (_ctx, folder, sync) => {
      await sync();
      const overrides = JSON.parse(await Deno.readTextFile(`${folder}/overrides.auto.tfvars.json`));
      assert.deepEqual([overrides.name, overrides.cluster_name], ["variable", null]);
      assert.deepEqual([overrides.region, overrides.aws_region], ["eu-west-1", null]);
      assert.deepEqual(overrides.token_command, ["print-token"]);
      // terraform reads them by name: the later one wins.
      assert.ok("blueprint.auto.tfvars" < "overrides.auto.tfvars.json");
    },
    { DYNAMO_CLUSTER_NAME: "variable" },
  );
});

Deno.test("a manifest that was tampered with removes nothing outside of the folder", async () => {
  await project({ "main.tf": "" }, async (ctx, folder, sync) => {
    await sync();
    const outside = `${ctx.home}/outside`;
    await Deno.writeTextFile(outside, "");
    await Deno.writeTextFile(
      `${folder}/sources.json`,
      JSON.stringify(["main.tf", "../../outside", outside, 7]),
    );
    await sync();
    await Deno.stat(outside);
  });
});

Deno.test("without a configuration nothing is copied and nothing removed", async () => {
  await project({ "README.md": "" }, async (_ctx, _folder, sync) => {
    await assert.rejects(sync(), { code: "TERRAFORM_SOURCES" });
  });
});
