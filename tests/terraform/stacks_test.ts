/** Whole lives of stacks: init, validate, plan, apply, a second plan that is empty, destroy. */
import assert from "node:assert/strict";
import { runTerraform } from "./settings_only.ts";
import { addresses, destroyUnchanged, live, planned, stackTest, succeed } from "./stack_life.ts";
import {
  TERRAFORM_FOLDER,
  terraformStack,
  type TerraformVariables,
  type TerraformView,
} from "./terraform_runs.ts";

const BLUEPRINT = `${TERRAFORM_FOLDER}/blueprint.tfvars`;

const EVERYTHING_ON: TerraformVariables = {
  name: "everything",
  region: "us-east-1",
  eks_cluster_version: "1.34",
  availability_zones_count: 3,
  single_nat_gateway: false,
  vpc_endpoints: ["s3", "ecr", "sts", "ec2", "eks-auth", "logs", "sqs", "elasticfilesystem"],
  endpoint_public_access_cidrs: ["203.0.113.0/24"],
  admin_arns: ["arn:aws:iam::111122223333:role/Admin"],
  access_entries: {
    readers: { principal_arn: "arn:aws:iam::111122223333:role/Readers" },
    team: {
      principal_arn: "arn:aws:iam::111122223333:role/Team",
      policy: "AmazonEKSEditPolicy",
      namespaces: ["dynamo-cloud"],
    },
  },
  log_types: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
  enable_dynamo_stack: true,
  dynamo_stack_version: "1.6.1",
  enable_argocd: true,
  enable_aws_efs_csi_driver: true,
  enable_aws_efa_k8s_device_plugin: true,
  enable_ai_ml_observability_stack: true,
  enable_kube_prometheus_stack: true,
  enable_nvidia_gpu_operator: true,
  enable_soci_snapshotter: true,
  enable_aws_load_balancer_controller: true,
  enable_lws: true,
  enable_grove: true,
  enable_ecr_repositories: true,
  enable_cluster_addons: { "metrics-server": true, "eks-node-monitoring-agent": true },
  node_pools: { "p5-gpu-karpenter": {} },
  tags: { team: "search" },
};

const EVERYTHING_OFF: TerraformVariables = {
  vpc_endpoints: [],
  log_types: [],
  enable_secrets_encryption: false,
  enable_dynamo_stack: false,
  enable_argocd: false,
  enable_aws_efs_csi_driver: false,
  enable_aws_efa_k8s_device_plugin: false,
  enable_ai_ml_observability_stack: false,
  enable_kube_prometheus_stack: false,
  enable_nvidia_gpu_operator: false,
  enable_soci_snapshotter: false,
  enable_aws_load_balancer_controller: false,
  enable_lws: false,
  enable_grove: false,
  enable_ecr_repositories: false,
  enable_cluster_addons: { "metrics-server": false, "aws-ebs-csi-driver": false },
  node_pools: { "cpu-karpenter": null, "g5-gpu-karpenter": null, "g6-gpu-karpenter": null },
};

const EXISTING_VPC: TerraformVariables = {
  name: "guest",
  vpc_id: "vpc-0123456789abcdef0",
  private_subnet_ids: ["subnet-0000000000000000a", "subnet-0000000000000000b"],
  pod_subnet_ids: ["subnet-0000000000000000c", "subnet-0000000000000000d"],
  endpoint_public_access: false,
};

stackTest("terraform: files are formatted", async (_stack, { terraform }) => {
  const args = ["fmt", "-check", "-recursive"];
  const { code, output } = await runTerraform(terraform, TERRAFORM_FOLDER, args);
  assert.equal(code, 0, output);
});

stackTest("terraform: the blueprint as it comes, made and destroyed in order", async (stack) => {
  // Slow deletions show an order that would hold by luck.
  const { code, output } = await stack.run(["cycle"], {
    file: BLUEPRINT,
    env: { TFSTUB_DELAY: "delete:kubectl_manifest=300ms,delete:helm_release=300ms" },
  });
  assert.equal(code, 0, output);
  assert.match(output, /second plan: no changes/);
  assert.match(output, /nothing left/);
  const destroyed = [
    ["^kubectl_manifest\\.node_pool", "^kubectl_manifest\\.node_class"],
    ["^kubectl_manifest\\.node_(pool|class)", "^helm_release\\.karpenter$"],
    ["^helm_release\\.karpenter$", "^helm_release\\.karpenter_crd$"],
    ["^helm_release\\.karpenter$", "^module\\.karpenter\\."],
    ["^(helm_release|kubectl_manifest)\\.", "^module\\.eks\\."],
    ["^module\\.karpenter\\.", "^module\\.eks\\."],
    ["^module\\.eks\\.", "^terraform_data\\.subnet"],
    ["^terraform_data\\.subnet", "^module\\.vpc_endpoints\\."],
    ["^terraform_data\\.subnet", "^aws_route_table_association\\.pods"],
    ["^aws_subnet\\.pods", "^module\\.vpc\\."],
    ["^module\\.(eks|karpenter|vpc_endpoints)\\.", "^module\\.vpc\\."],
  ] as const;
  for (const [first, then] of destroyed) {
    assert.equal(await stack.order("destroy", first, then), undefined);
  }
});

stackTest(
  "terraform: stages.json names what is there, and the last stage is everything",
  async (stack) => {
    const view = await planned(stack, { file: BLUEPRINT });
    const stages = JSON.parse(await Deno.readTextFile(`${TERRAFORM_FOLDER}/stages.json`));
    assert.deepEqual(Object.keys(stages), ["vpc", "eks", "addons"]);
    assert.deepEqual(stages.addons, []);
    for (const target of [...stages.vpc, ...stages.eks]) {
      assert.ok(
        addresses(view).some((address) =>
          address === target ||
          /^[.[]/.test(address.slice(target.length)) && address.startsWith(target)
        ),
        `${target} is nowhere in the plan`,
      );
    }
    const targets = (stage: string) =>
      (stages[stage] as string[]).map((target) => `-target=${target}`);
    const first = await stack.run(["plan", ...targets("vpc")], { file: BLUEPRINT });
    assert.equal(first.code, 0, first.output);
    const network = addresses(await stack.show("plan"));
    assert.ok(network.some((address) => address.startsWith("module.vpc.")));
    assert.ok(network.some((address) => address.startsWith("module.vpc_endpoints.")));
    assert.ok(network.some((address) => address.startsWith("aws_route_table_association.pods")));
    assert.ok(!network.some((address) => /^module\.eks\.|^helm_release|^kubectl/.test(address)));
    const second = await stack.run(["plan", ...targets("vpc"), ...targets("eks")], {
      file: BLUEPRINT,
    });
    assert.equal(second.code, 0, second.output);
    const cluster = addresses(await stack.show("plan"));
    assert.ok(cluster.some((address) => address.startsWith("module.karpenter.")));
    assert.ok(!cluster.some((address) => /^helm_release|^kubectl/.test(address)));
  },
);

stackTest("terraform: everything on", async (stack) => {
  await live(stack, { variables: EVERYTHING_ON }, ({ outputs }) => {
    assert.equal((outputs["node_subnet_ids"] as string[]).length, 3);
    assert.equal(outputs["region"], "us-east-1");
  });
});

stackTest("terraform: everything off, two stacks side by side", async (stack, tools) => {
  await using other = await terraformStack(tools);
  const here = { variables: { ...EVERYTHING_OFF, name: "one", region: "us-west-2" } };
  // Roles belong to the account: the same name in another region must not meet them.
  const there = { variables: { ...EVERYTHING_OFF, name: "one", region: "us-east-1" } };
  await succeed(stack, ["apply"], here);
  await succeed(other, ["apply"], there);
  const state = await stack.show("state");
  assert.deepEqual(
    addresses(state).filter((address) => /^(helm_release|kubectl_manifest)\./.test(address))
      .filter((address) => !/karpenter|nvidia_device_plugin|storage_class_gp3/.test(address)),
    [],
  );
  assert.deepEqual(state.outputs["node_pools"], []);
  const roles = rolesOf(state, "one");
  assert.ok(roles.length >= 2, roles.join(" "));
  assert.deepEqual(rolesOf(await other.show("state"), "one").filter((r) => roles.includes(r)), []);
  await destroyUnchanged(stack, here);
  await destroyUnchanged(other, there);
});

stackTest("terraform: an existing VPC is used as it is", async (stack) => {
  await live(stack, { variables: EXISTING_VPC }, (state) => {
    assert.deepEqual(addresses(state).filter((address) => /^aws_(subnet|route)/.test(address)), []);
    assert.equal(state.outputs["vpc_id"], "vpc-0123456789abcdef0");
    assert.equal(state.outputs["own_vpc"], false);
    assert.deepEqual(state.outputs["private_subnet_ids"], EXISTING_VPC["private_subnet_ids"]);
    assert.deepEqual(state.outputs["node_subnet_ids"], EXISTING_VPC["pod_subnet_ids"]);
  });
});

/** Names of IAM roles: among the inputs of modules, those that begin with `start`. */
function rolesOf(view: TerraformView, start: string): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
    if (typeof value !== "string" || !value.startsWith(`${start}-`)) return;
    if (/-[0-9]-[a-z-]+$/.test(value) && !/-[0-9]-?$/.test(value)) found.add(value);
  };
  for (const resource of view.resources) {
    if (resource.address.startsWith("module.")) look(resource.values["input"]);
  }
  return [...found].sort();
}
