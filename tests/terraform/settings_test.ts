/** What terraform refuses, with which words, and that lib/blueprint sees the same mistakes. */
import assert from "node:assert/strict";
import { loadBlueprint } from "../../lib/blueprint/blueprint.ts";
import { releaseOf } from "../../lib/blueprint/flags.ts";
import { TaskError } from "../../lib/cli/errors.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { eachOf, runTerraform, settingItems, withReferences } from "./settings_only.ts";
import { findTerraform, plainWords } from "./terraform_runs.ts";
import { WRONG_EVERYWHERE, WRONG_IN_TERRAFORM, type WrongSettings } from "./wrong_settings.ts";

const tools = await findTerraform();

/** Every setting at an edge of what is allowed. */
const ACCEPTED = [
  `name = "${"a".repeat(100)}"\nregion = "us-gov-west-1"\navailability_zones_count = 6`,
  'cluster_name = "a"\naws_region = "ap-southeast-2"\nname = "a"\nregion = "ap-southeast-2"',
  'vpc_cidr = "10.0.0.0/16"\npod_cidr = "10.1.0.0/16"\nvpc_endpoints = []',
  'vpc_cidr = "172.31.252.0/22"\npod_cidr = "100.64.240.0/20"',
  'endpoint_public_access = false\nendpoint_public_access_cidrs = []\nadmin_arns = ["arn:aws-cn:iam::111122223333:user/a/b"]',
  'dynamo_stack_version = "1.6.1"\ndynamo_platform_version = "1.6.1"\nenable_grove = true',
  'dynamo_stack_version = "0.9.0-post1"\nenable_cluster_addons = { metrics-server = false }',
  "enable_aws_efs_csi_driver = false\nenable_cluster_addons = { aws-efs-csi-driver = false }",
  'node_pools = { cpu-karpenter = null, p5-gpu-karpenter = {}, x = { instance_families = ["p6-b200"], gpu = null, efa_interfaces = 32, taints = [{ key = "a", value = null, effect = null }] } }',
];

interface Plan {
  (settings: string): Promise<{ readonly code: number; readonly output: string }>;
}

/** Runs `body` with a plan of the settings alone; `rules` are the lines of all validations. */
async function withSettings(
  body: (plan: Plan, rules: readonly number[]) => Promise<void>,
): Promise<void> {
  if (tools === undefined) return;
  const { terraform } = tools;
  const folder = await Deno.makeTempDir({ prefix: "dynamo-eks-settings-" });
  try {
    const items = await settingItems();
    const variables = [...items.keys()].filter((reference) => reference.startsWith("var."));
    const text = withReferences(items, variables).map((item) => `${item.text}\n`).join("\n");
    await Deno.writeTextFile(`${folder}/settings.tf`, text);
    const rules = text.split("\n").flatMap((line, i) => line === "  validation {" ? [i + 1] : []);
    let count = 0;
    await body(async (settings) => {
      const file = `${folder}/${count++}.tfvars`;
      await Deno.writeTextFile(file, `${settings}\n`);
      const args = ["-input=false", "-lock=false", `-var-file=${file}`];
      return await runTerraform(terraform, folder, ["plan", ...args]);
    }, rules);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("terraform: wrong settings are refused with a sentence, and every rule is tried", async () => {
  await withSettings(async (plan, rules) => {
    const broken = new Set<number>();
    const wrong: string[] = [];
    await eachOf([...WRONG_EVERYWHERE, ...WRONG_IN_TERRAFORM], async (one) => {
      const { code, output } = await plan(one[0]);
      for (const [, line] of output.matchAll(/validation rule at settings\.tf:(\d+)/g)) {
        broken.add(Number(line));
      }
      const problem = problemOf(one, code, output);
      if (problem !== undefined) wrong.push(`${one[0]}\n${problem}`);
    });
    assert.deepEqual(wrong, []);
    assert.ok(rules.length > 40);
    assert.deepEqual(rules.filter((line) => !broken.has(line)), [], "rules that no case breaks");
  });
});

function problemOf([, sentence]: WrongSettings, code: number, output: string): string | undefined {
  if (code !== 1) return `accepted (exit code ${code})`;
  const said = plainWords(output);
  if (!said.includes(sentence)) return `does not say "${sentence}", but: ${said.slice(0, 800)}`;
  // Any other error is one of the rule itself.
  const errors = [...output.matchAll(/Error: (.*)/g)].map(([, title]) => title!.trim());
  const other = errors.find((title) => !/^Invalid value for (input )?variable$/.test(title));
  return other === undefined ? undefined : `"${other}": ${said.slice(0, 1500)}`;
}

Deno.test("terraform: settings at the edge of what is allowed are accepted", async () => {
  await withSettings(async (plan) => {
    await eachOf(ACCEPTED, async (settings) => {
      const { code, output } = await plan(settings);
      assert.equal(code, 0, `${settings}\n${output}`);
    });
  });
});

Deno.test("lib/blueprint sees the mistakes that terraform sees in what both read", async () => {
  for (const [settings] of WRONG_EVERYWHERE) {
    assert.ok(await isNoticed(settings), `not a word about ${settings}`);
  }
  for (const settings of ACCEPTED) assert.equal(await isNoticed(settings), false, settings);
});

/** Whether reading the settings is refused, or warns. */
async function isNoticed(settings: string): Promise<boolean> {
  await using made = await testContext();
  const path = `${made.ctx.home}.tfvars`;
  await Deno.writeTextFile(path, `${settings}\n`);
  try {
    const blueprint = await loadBlueprint(made.ctx, { path });
    releaseOf(blueprint);
    return blueprint.warnings.length > 0;
  } catch (error) {
    assert.ok(error instanceof TaskError, `${settings}: ${error}`);
    return true;
  }
}
