import assert from "node:assert/strict";
import { stringify } from "@std/yaml";
import { testContext } from "../../lib/cli/testing.ts";
import { readRules } from "./monitor_dashboards.ts";
import { prometheusPrograms } from "./monitor_prometheus.ts";

interface AlertCase {
  readonly title: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes and the names of the alerts that fire then. */
  readonly at: readonly (readonly [minutes: number, ...alerts: string[]])[];
}

const WORKER =
  'namespace="d",label_nvidia_com_dynamo_namespace="g",label_nvidia_com_dynamo_component_type="worker"';
const TTFT = "dynamo_frontend_time_to_first_token_seconds";
const REQUESTS = "dynamo_frontend_requests_total";

const CASES: readonly AlertCase[] = [
  {
    title: "all is well",
    series: {
      [`kube_pod_labels{${WORKER},pod="w"}`]: "1x600",
      'kube_pod_status_ready{namespace="d",pod="w",condition="true"}': "1x600",
      [`${REQUESTS}{namespace="d",model="m",status="success"}`]: "0+60x600",
      [`${TTFT}_bucket{namespace="d",model="m",le="1"}`]: "0+60x600",
      [`${TTFT}_count{namespace="d",model="m"}`]: "0+60x600",
      'DCGM_FI_DEV_XID_ERRORS{gpu="0"}': "0x600",
      'kubelet_volume_stats_available_bytes{namespace="d",persistentvolumeclaim="p"}': "50x600",
      'kubelet_volume_stats_capacity_bytes{namespace="d",persistentvolumeclaim="p"}': "100x600",
    },
    at: [[60], [590]],
  },
  {
    title: "a worker that never gets ready",
    series: {
      [`kube_pod_labels{${WORKER},pod="w"}`]: "1x60",
      'kube_pod_status_ready{namespace="d",pod="w",condition="true"}': "0x60",
    },
    at: [[10], [20, "DynamoNoReadyWorker"]],
  },
  {
    title: "one of two workers is not ready",
    series: {
      [`kube_pod_labels{${WORKER},pod="a"}`]: "1x60",
      [`kube_pod_labels{${WORKER},pod="b"}`]: "1x60",
      'kube_pod_status_ready{namespace="d",pod="a",condition="true"}': "0x60",
      'kube_pod_status_ready{namespace="d",pod="b",condition="true"}': "1x60",
    },
    at: [[40]],
  },
  {
    title: "a frontend whose workers have no pods",
    series: {
      [`kube_pod_labels{${WORKER.replace('"worker"', '"frontend"')},pod="f"}`]: "1x60",
    },
    at: [[10], [20, "DynamoNoReadyWorker"]],
  },
  {
    title: "0.4.1: a tenth of the requests fails",
    series: {
      [`${REQUESTS}{namespace="d",model="m",status="success"}`]: "0+54x60",
      [`${REQUESTS}{namespace="d",model="m",status="error"}`]: "0+6x60",
    },
    at: [[3], [20, "DynamoErrorRate"]],
  },
  {
    title: "1.6.1: bad and cancelled requests are not ours",
    series: {
      [`${REQUESTS}{namespace="d",model="m",status="success",error_type=""}`]: "0+30x60",
      [`${REQUESTS}{namespace="d",model="m",status="error",error_type="validation"}`]: "0+20x60",
      [`${REQUESTS}{namespace="d",model="m",status="error",error_type="cancelled"}`]: "0+20x60",
    },
    at: [[20]],
  },
  {
    title: "1.6.1: a tenth of the requests fails inside",
    series: {
      [`${REQUESTS}{namespace="d",model="m",status="success",error_type=""}`]: "0+54x60",
      [`${REQUESTS}{namespace="d",model="m",status="error",error_type="internal"}`]: "0+6x60",
    },
    at: [[20, "DynamoErrorRate"]],
  },
  ...["1", "1.0"].map((bound): AlertCase => ({
    title: `all first tokens late, the bound written ${bound}`,
    series: {
      [`${TTFT}_bucket{namespace="d",model="m",le="${bound}"}`]: "0x600",
      [`${TTFT}_count{namespace="d",model="m"}`]: "0+60x600",
    },
    at: [[10, "DynamoTtftBudgetBurnsFast"], [
      60,
      "DynamoTtftBudgetBurnsFast",
      "DynamoTtftBudgetBurnsSlowly",
    ]],
  })),
  {
    title: "two fifths of the first tokens late",
    series: {
      [`${TTFT}_bucket{namespace="d",model="m",le="1"}`]: "0+36x600",
      [`${TTFT}_count{namespace="d",model="m"}`]: "0+60x600",
    },
    at: [[500, "DynamoTtftBudgetBurnsSlowly"]],
  },
  {
    title: "an Xid",
    series: { 'DCGM_FI_DEV_XID_ERRORS{gpu="0",Hostname="n",pod="w"}': "0x5 79x20" },
    at: [[3], [10, "DynamoGpuXid"]],
  },
  {
    title: "a volume fills up",
    series: {
      'kubelet_volume_stats_available_bytes{namespace="d",persistentvolumeclaim="p"}': "20-1x19",
      'kubelet_volume_stats_capacity_bytes{namespace="d",persistentvolumeclaim="p"}': "100x19",
    },
    at: [[8], [18, "DynamoVolumeFull"]],
  },
];

Deno.test("promtool accepts the rules, and alerts fire when they should and only then", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const programs = await prometheusPrograms(ctx);
  if ("reason" in programs) {
    // deno-lint-ignore no-console -- a test that cannot run says so
    return console.log(`SKIPPED: no promtool: ${programs.reason}`);
  }
  await ctx.fs.mkdir(ctx.home, { recursive: true });
  const rules = await readRules();
  const files: string[] = [];
  for (const [name, object] of rules) {
    assert.equal(object.kind, "PrometheusRule", name);
    assert.equal(object.metadata.namespace, "kube-prometheus-stack", name);
    files.push(`${ctx.home}/${name}`);
    await ctx.fs.writeTextFile(files.at(-1)!, stringify(object.spec));
  }
  const check = await ctx.processes.run(programs.promtool, [
    "check",
    "rules",
    "--lint-fatal",
    ...files,
  ]);
  assert.equal(check.code, 0, check.stdout + check.stderr);

  const alerts = [...rules.values()].flatMap((object) => object.spec.groups)
    .flatMap((group) => group.rules).flatMap((rule) => rule.alert ?? []);
  const fired = new Set(CASES.flatMap((one) => one.at.flatMap(([, ...names]) => names)));
  assert.deepEqual([...fired].sort(), [...alerts].sort(), "every alert has a case that fires it");

  // promtool compares labels and texts too; counting by name keeps the cases short.
  const cases = {
    // The prices alert nobody, and would be evaluated a million times.
    rule_files: files.filter((file) => file.endsWith("/dynamo.yaml")),
    evaluation_interval: "1m",
    tests: CASES.map((one) => ({
      name: one.title,
      interval: "1m",
      input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
      promql_expr_test: one.at.flatMap(([minutes, ...firing]) =>
        alerts.map((alert) => ({
          expr: `count by (alertname) (ALERTS{alertname="${alert}", alertstate="firing"})`,
          eval_time: `${minutes}m`,
          exp_samples: firing.includes(alert)
            ? [{ labels: `{alertname="${alert}"}`, value: 1 }]
            : [],
        }))
      ),
    })),
  };
  await ctx.fs.writeTextFile(`${ctx.home}/cases.yaml`, JSON.stringify(cases));
  const result = await ctx.processes.run(programs.promtool, [
    "test",
    "rules",
    `${ctx.home}/cases.yaml`,
  ]);
  assert.equal(result.code, 0, result.stdout + result.stderr);
});
