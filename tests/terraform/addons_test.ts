/** What runs on the cluster: each switch does what it says and nothing else; order; values. */
import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { runTerraform, settingItems, withReferences } from "./settings_only.ts";
import {
  findTerraform,
  TERRAFORM_FOLDER,
  type TerraformStack,
  terraformStack,
  type TerraformVariables,
  type TerraformView,
} from "./terraform_runs.ts";

const tools = await findTerraform();

/** What a switch changes against the defaults: `module.x` stands for all that is inside. */
interface Effect {
  readonly variables: TerraformVariables;
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly changed?: readonly string[];
  /** What it keeps when another switch would remove it. */
  readonly kept?: readonly string[];
}

const RELEASE_1_6: Omit<Effect, "variables"> = {
  removed: ["kubectl_manifest.dynamo_pod_monitor"],
  changed: ["output.dynamo"],
};

const EFFECTS: readonly Effect[] = [
  // The platform itself is installed by the tasks.
  { variables: { enable_dynamo_stack: false }, changed: ["output.dynamo"] },
  { variables: { enable_dynamo_platform: false }, changed: ["output.dynamo"] },
  { variables: { dynamo_stack_version: "1.6.1" }, ...RELEASE_1_6 },
  { variables: { dynamo_platform_version: "1.6.1" }, ...RELEASE_1_6 },
  {
    variables: { enable_argocd: false },
    removed: ["helm_release.argocd"],
    changed: ["output.argocd"],
  },
  {
    variables: { enable_aws_efs_csi_driver: false },
    removed: ["kubectl_manifest.storage_class_efs"],
    changed: ["module.efs", "module.efs_csi_pod_identity", "module.eks"],
  },
  {
    variables: { enable_aws_efa_k8s_device_plugin: false },
    removed: ["helm_release.aws_efa_k8s_device_plugin"],
  },
  {
    variables: { enable_ai_ml_observability_stack: false },
    removed: [
      "helm_release.dcgm_exporter",
      "helm_release.kube_prometheus_stack",
      "kubectl_manifest.alerts",
      "kubectl_manifest.dashboard",
      "kubectl_manifest.dynamo_pod_monitor",
      "output.monitoring_namespace",
    ],
  },
  {
    variables: { enable_kube_prometheus_stack: true },
    kept: ["helm_release.kube_prometheus_stack", "output.monitoring_namespace"],
  },
  {
    variables: { enable_nvidia_gpu_operator: true },
    added: ["helm_release.nvidia_gpu_operator"],
    removed: ["helm_release.nvidia_device_plugin"],
  },
  {
    variables: { enable_aws_load_balancer_controller: false },
    removed: ["helm_release.aws_load_balancer_controller"],
    changed: ["module.lb_controller_pod_identity"],
  },
  { variables: { enable_lws: false }, removed: ["helm_release.lws"] },
  {
    variables: { enable_grove: true, dynamo_stack_version: "1.6.1" },
    added: ["helm_release.grove", "helm_release.kai_scheduler"],
    ...RELEASE_1_6,
  },
  {
    variables: { enable_ecr_repositories: false },
    removed: ["module.ecr"],
  },
  { variables: { enable_cluster_addons: { "metrics-server": false } }, changed: ["module.eks"] },
  {
    variables: { enable_cluster_addons: { "aws-ebs-csi-driver": false } },
    removed: ["kubectl_manifest.storage_class_gp3"],
    changed: ["helm_release.kube_prometheus_stack", "module.ebs_csi_pod_identity", "module.eks"],
  },
  {
    variables: { enable_cluster_addons: { "amazon-cloudwatch-observability": true } },
    changed: ["module.cloudwatch_pod_identity", "module.eks"],
  },
];

function test(name: string, run: (stack: TerraformStack) => Promise<void>): void {
  Deno.test({
    name,
    ignore: tools === undefined,
    async fn() {
      if (tools === undefined) return;
      await using stack = await terraformStack(tools);
      await run(stack);
    },
  });
}

// A plan for each switch would take minutes. Instead each switch is used in another three of six
// plans: what a switch changes, changes in its three plans and in no other, which is so of no other
// switch and of no two together.
test("terraform: each switch changes exactly what it says", async (stack) => {
  const defaults = await planned(stack, {});
  const triples = triplesOf(6);
  assert.ok(EFFECTS.length <= triples.length);
  for (let plan = 0; plan < 6; plan++) {
    const used = EFFECTS.filter((_, i) => triples[i]!.includes(plan));
    const variables = together(used);
    assert.deepEqual(
      difference(defaults, await planned(stack, variables)),
      expectedOf(used),
      JSON.stringify(variables),
    );
  }
});

function triplesOf(count: number): number[][] {
  const all = Array.from({ length: count }, (_, i) => i);
  return all.flatMap((a) =>
    all.flatMap((b) => all.flatMap((c) => a < b && b < c ? [[a, b, c]] : []))
  );
}

function together(effects: readonly Effect[]): TerraformVariables {
  const addons = effects.map((one) => one.variables["enable_cluster_addons"] ?? {});
  return Object.assign({}, ...effects.map((one) => one.variables), {
    enable_cluster_addons: Object.assign({}, ...addons),
  });
}

function expectedOf(effects: readonly Effect[]) {
  const all = (key: "added" | "removed" | "changed" | "kept") =>
    new Set(effects.flatMap((one) => one[key] ?? []));
  const kept = all("kept");
  // What a plan removes, it does not change.
  const removed = new Set([...all("removed")].filter((address) => !kept.has(address)));
  const changed = [...all("changed")].filter((address) => !removed.has(address));
  return {
    added: [...all("added")].sort(),
    removed: [...removed].sort(),
    changed: changed.sort(),
  };
}

// Karpenter takes nodes away, and the CSI drivers detach disks, only while they run.
const CHARTS = "^helm_release\\.(argocd|aws_|dcgm|grove|kai|kube_|lws|nvidia)";
const DESTROYED: readonly [string, string][] = [
  [CHARTS, "^helm_release\\.karpenter"],
  [CHARTS, "^kubectl_manifest\\.node_(pool|class)"],
  [CHARTS, "^kubectl_manifest\\.storage_class"],
  ["^kubectl_manifest\\.storage_class", "^module\\.(eks|efs)\\."],
  ["^kubectl_manifest\\.storage_class_gp3", "^module\\.ebs_csi_pod_identity\\."],
  ["^kubectl_manifest\\.storage_class_efs", "^module\\.efs_csi_pod_identity\\."],
  ["^kubectl_manifest\\.dashboard", "^helm_release\\.kube_prometheus_stack"],
  ["^helm_release\\.dcgm_exporter", "^helm_release\\.kube_prometheus_stack"],
  ["^helm_release\\.grove", "^helm_release\\.kai_scheduler"],
  [
    "^helm_release\\.(argocd|kube_prometheus_stack)",
    "^helm_release\\.aws_load_balancer_controller",
  ],
  ["^helm_release\\.aws_load_balancer_controller", "^module\\.lb_controller_pod_identity\\."],
  ["^module\\.efs\\.", "^module\\.vpc\\."],
];

test("terraform: charts and classes, what they are given and the order they go in", async (stack) => {
  const variables = {
    enable_grove: true,
    enable_soci_snapshotter: true,
    dynamo_stack_version: "1.6.1",
  };
  const applied = await stack.run(["apply"], { variables });
  assert.equal(applied.code, 0, applied.output);
  const state = await stack.show("state");

  checkMonitoring(state);
  checkStorageClasses(state);
  const nodes = manifestOf(state, 'kubectl_manifest.node_class["g5-gpu-karpenter"]');
  assert.match(nodes.spec.userData, /FastImagePull"?: true/);
  for (const { address, values } of state.resources.filter((one) => one.type === "helm_release")) {
    assert.match(String(values["version"]), /^v?\d+\.\d+\.\d+(-[0-9a-z.]+)?$/, address);
  }
  assert.equal(versionOf(state, "helm_release.grove[0]"), "v0.1.0-alpha.14");
  assert.equal(versionOf(state, "helm_release.kai_scheduler[0]"), "v0.17.0");

  // Slow deletions show an order that would hold by luck.
  const destroyed = await stack.run(["destroy"], {
    variables,
    env: { TFSTUB_DELAY: "delete:helm_release=300ms,delete:kubectl_manifest=300ms" },
  });
  assert.equal(destroyed.code, 0, destroyed.output);
  for (const [first, then] of DESTROYED) {
    assert.equal(await stack.order("destroy", first, then), undefined, `${first}, ${then}`);
  }
});

Deno.test("terraform: Grove and KAI follow Dynamo's release", async () => {
  if (tools === undefined) return;
  const folder = await Deno.makeTempDir({ prefix: "dynamo-eks-charts-" });
  try {
    const charts = withReferences(await settingItems(), ["local.charts", "var.dynamo_namespace"]);
    const wanted = ["grove", "kai_scheduler"].map((name) =>
      `output "${name}" {\n  value = local.charts.${name}.version\n}`
    );
    const text = [...charts.map((item) => item.text), ...wanted].join("\n\n");
    await Deno.writeTextFile(`${folder}/charts.tf`, text);
    const expected = [
      ["v0.9.1", "v0.1.0-alpha.8", "v0.13.4"],
      ["1.4.2", "v0.1.0-alpha.12", "v0.13.4"],
      ["1.5.1", "v0.1.0-alpha.13", "v0.17.0"],
      ["1.6.1", "v0.1.0-alpha.14", "v0.17.0"],
    ];
    for (const [release, grove, kai] of expected) {
      const args = ["plan", "-input=false", `-var=dynamo_stack_version=${release}`];
      const { code, output } = await runTerraform(tools.terraform, folder, args);
      assert.equal(code, 0, output);
      const versions = Object.fromEntries(
        [...output.matchAll(/\+ (\w+) += "(.*)"/g)].map(([, name, version]) => [name, version]),
      );
      assert.deepEqual(versions, { grove, kai_scheduler: kai }, String(release));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// deno-lint-ignore no-explicit-any -- values of charts are whatever they are
type Data = any;

function checkMonitoring(state: TerraformView): void {
  const values = valuesOf(state, "helm_release.kube_prometheus_stack[0]");
  const [chart, disk] = values;
  for (const kind of ["podMonitor", "serviceMonitor", "rule", "probe"]) {
    assert.equal(
      chart.prometheus.prometheusSpec[`${kind}SelectorNilUsesHelmValues`],
      false,
      kind,
    );
  }
  assert.equal(
    disk.prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.storageClassName,
    "gp3",
  );
  // Empty means that the chart makes one up, in the cluster: terraform knows no password at all.
  assert.equal(chart.grafana.adminPassword, "");
  assert.deepEqual(state.resources.filter((one) => one.type.startsWith("random_")), []);
  assert.doesNotMatch(Object.keys(state.outputs).join(" "), /password|secret|token/i);

  const dashboard = manifestOf(state, 'kubectl_manifest.dashboard["dynamo.json"]');
  assert.equal(dashboard.metadata.labels.grafana_dashboard, "1");
  assert.equal(dashboard.metadata.namespace, "kube-prometheus-stack");
  assert.equal(
    dashboard.data["dynamo.json"],
    Deno.readTextFileSync(`${TERRAFORM_FOLDER}/dashboards/dynamo.json`),
  );

  // On every GPU node, whatever its taints.
  const [, exporter] = valuesOf(state, "helm_release.dcgm_exporter[0]");
  assert.deepEqual(exporter.tolerations, [{ operator: "Exists" }]);
}

function checkStorageClasses(state: TerraformView): void {
  const gp3 = manifestOf(state, "kubectl_manifest.storage_class_gp3[0]");
  assert.equal(gp3.metadata.annotations["storageclass.kubernetes.io/is-default-class"], "true");
  assert.equal(gp3.volumeBindingMode, "WaitForFirstConsumer");
  assert.deepEqual(gp3.parameters, { encrypted: "true", type: "gp3" });
  const efs = manifestOf(state, "kubectl_manifest.storage_class_efs[0]");
  assert.equal(efs.metadata.name, "efs-sc-dynamic");
  assert.equal(efs.parameters.provisioningMode, "efs-ap");
  assert.match(efs.parameters.fileSystemId, /./);
}

function valuesOf(view: TerraformView, address: string): Data[] {
  return (resourceOf(view, address)["values"] as string[]).map((text) => parse(text));
}

function manifestOf(view: TerraformView, address: string): Data {
  return parse(String(resourceOf(view, address)["yaml_body"]));
}

function versionOf(view: TerraformView, address: string): unknown {
  return resourceOf(view, address)["version"];
}

function resourceOf(view: TerraformView, address: string): Readonly<Record<string, unknown>> {
  const found = view.resources.find((one) => one.address === address);
  assert.ok(found, `${address} is not there`);
  return found.values;
}

async function planned(
  stack: TerraformStack,
  variables: TerraformVariables,
): Promise<TerraformView> {
  const { code, output } = await stack.run(["plan"], { variables });
  assert.equal(code, 0, output);
  return await stack.show("plan");
}

/** What differs, by address: modules and resources as wholes, outputs as `output.x`. */
function difference(before: TerraformView, after: TerraformView) {
  const [old, now] = [contents(before), contents(after)];
  return {
    added: [...now.keys()].filter((key) => !old.has(key)).sort(),
    removed: [...old.keys()].filter((key) => !now.has(key)).sort(),
    changed: [...now].filter(([key, text]) => old.has(key) && old.get(key) !== text)
      .map(([key]) => key).sort(),
  };
}

function contents(view: TerraformView): Map<string, string> {
  const found = new Map<string, string>();
  const add = (key: string, value: unknown) =>
    found.set(key, `${found.get(key) ?? ""}${JSON.stringify(value)}`);
  for (const { address, values } of view.resources) {
    add(/^\w+\.\w+/.exec(address)?.[0] ?? address, values);
  }
  for (const [name, value] of Object.entries(view.outputs)) {
    // Not those that are known after apply only, nor those that say "none".
    if (![undefined, "null", "{}"].includes(JSON.stringify(value))) add(`output.${name}`, value);
  }
  return found;
}
