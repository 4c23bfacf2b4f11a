/**
 * What AWS and the real modules refuse at plan, and modules without their inside do not: names that
 * are too long, and add-ons whose settings are not known yet.
 */
import assert from "node:assert/strict";
import { eachOf, evaluate } from "./settings_only.ts";
import { findTerraform, plainWords, TERRAFORM_FOLDER, terraformStack } from "./terraform_runs.ts";

const tools = await findTerraform();

// The longest region, and the longest ends that terraform/ puts behind a name.
const REGION = "ap-southeast-2";
const ROLE_ENDS = ["-lb-controller", "-cloudwatch", "-karpenter", "-efs-csi", "-node"];
const PREFIX_ENDS = ["-cluster-", "-core-"];

Deno.test("terraform: names are short enough for AWS however long the cluster's is", async () => {
  if (tools === undefined) return;
  const lengths = [1, 13, 17, 18, 27, 28, 40, 100];
  const results = await evaluate(
    tools.terraform,
    ["local.short_name", "local.role_name", "local.rule_name_prefix"],
    lengths.map((length) => `name = "${"n".repeat(length)}"\nregion = "${REGION}"`),
  );
  for (const [index, values] of results.entries()) {
    const { "local.short_name": short, "local.role_name": role, "local.rule_name_prefix": rule } =
      values as Record<string, string>;
    const of = `a name of ${lengths[index]} characters`;
    for (const end of ROLE_ENDS) assert.ok(`${role}${end}`.length <= 64, `${of}: ${role}${end}`);
    for (const end of PREFIX_ENDS) {
      assert.ok(`${short}${end}`.length <= 38, `${of}: ${short}${end}`);
    }
    // EventBridge's limit for the start of a rule's name; the module's longest is this one.
    assert.ok(`${rule}InstanceStateChange-`.length <= 38, `${of}: ${rule}InstanceStateChange-`);
  }
  // What is cut is told apart.
  const twins = await evaluate(tools.terraform, ["local.short_name"], [
    `name = "${"n".repeat(40)}a"`,
    `name = "${"n".repeat(40)}b"`,
  ]);
  assert.notDeepEqual(twins[0], twins[1]);
});

Deno.test("terraform: which add-ons there are, and which come before nodes, is known at plan", async () => {
  if (tools === undefined || Deno.env.get("TFCHECK_MIRROR")) return;
  await using stack = await terraformStack(tools);
  const { code, output } = await stack.run(["plan"], {
    file: `${TERRAFORM_FOLDER}/blueprint.tfvars`,
  });
  assert.equal(code, 0, output);
  const { resources } = await stack.show("plan");
  const eks = resources.find((resource) => resource.address === "module.eks.terraform_data.stub");
  // Inputs of the module; what is unknown is left out of a plan.
  const inputs = eks?.values["input"] as readonly unknown[];
  const addons = inputs.find((input) =>
    typeof input === "object" && input !== null && "coredns" in input
  ) as Record<string, { readonly before_compute?: boolean }>;
  assert.deepEqual(
    Object.entries(addons).map(([name, addon]) => [name, addon.before_compute]),
    [
      ["aws-ebs-csi-driver", false],
      ["aws-efs-csi-driver", false],
      ["coredns", false],
      ["eks-pod-identity-agent", true],
      ["kube-proxy", false],
      ["metrics-server", false],
      ["vpc-cni", true],
    ],
  );
});

Deno.test("terraform: zones that the region does not have are refused before anything is made", async () => {
  if (tools === undefined) return;
  const cases = [
    [
      { region: "us-west-2", availability_zones: ["us-east-1a", "us-east-1b"] },
      "availability_zones names zones that us-west-2 does not have for this account. It has us-west-2a",
    ],
    [
      { region: "us-west-2", availability_zones_count: 6 },
      "availability_zones_count is 6, but us-west-2 has",
    ],
  ] as const;
  await eachOf(cases, async ([variables, sentence]) => {
    await using stack = await terraformStack(tools);
    const { code, output } = await stack.run(["plan"], { variables });
    assert.equal(code, 1, output);
    assert.ok(plainWords(output).includes(sentence), output);
  });
});
