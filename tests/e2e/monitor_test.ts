/**
 * Every panel of every dashboard in front of a real Prometheus that scrapes the embedded cluster
 * during a benchmark, for the oldest and the newest runtime; and `deno task monitor` there.
 */
import assert from "node:assert/strict";
import { stringify } from "@std/yaml";
import type { Context } from "../../lib/cli/context.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { type GraphSession, openGraphs } from "../../lib/deploy/session.ts";
import { forwardPort } from "../../lib/kube/port_forward.ts";
import type { GraphTraffic } from "../../lib/monitor/graph.ts";
import {
  notInOldest,
  type Panel,
  readDashboards,
  readRules,
  withVariables,
} from "../integration/monitor_dashboards.ts";
import {
  type PrometheusPrograms,
  prometheusPrograms,
  type PrometheusServer,
  type QuerySample,
  type ScrapeTarget,
  startPrometheus,
} from "../integration/monitor_prometheus.ts";
import { assertTextFits } from "../support/schemas.ts";
import { assertPlain } from "../support/screen.ts";
import { runTaskProcess, type TaskResult } from "../support/task.ts";

const INSTALL_TIMEOUT_MS = 20 * 60_000;
const GRAPH = "vllm-router";
const OLDEST = "v0.4.1";

// What dcgm-exporter, kube-state-metrics and the kubelet say of one GPU node and one worker, in
// their form; the embedded cluster has none of them.
const GPU = '{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA A10G",Hostname="node-1",' +
  'container="main",namespace="dynamo-cloud",pod="worker-1"}';
const POD = 'namespace="dynamo-cloud",pod="worker-1"';
const CLAIM = '{namespace="dynamo-cloud",persistentvolumeclaim="model-cache"}';
const NODE_LABELS = 'label_karpenter_sh_nodepool="g5-gpu-karpenter",' +
  'label_node_kubernetes_io_instance_type="g5.12xlarge"';
const EXPORTERS = `
DCGM_FI_DEV_GPU_UTIL${GPU} 93
DCGM_FI_DEV_FB_USED${GPU} 20480
DCGM_FI_DEV_POWER_USAGE${GPU} 214.5
DCGM_FI_DEV_GPU_TEMP${GPU} 61
DCGM_FI_DEV_XID_ERRORS${GPU} 0
kube_node_labels{node="node-1",${NODE_LABELS}} 1
kube_node_labels{node="node-2",${NODE_LABELS}} 1
kube_node_status_allocatable{node="node-1",resource="nvidia_com_gpu",unit="integer"} 4
kube_pod_info{${POD},node="node-1"} 1
kube_pod_labels{${POD},label_nvidia_com_dynamo_namespace="vllm",label_nvidia_com_dynamo_component="VllmDecodeWorker",label_nvidia_com_dynamo_component_type="worker"} 1
kube_pod_status_ready{${POD},condition="true"} 1
kube_pod_status_phase{${POD},phase="Running"} 1
kube_pod_container_resource_requests{${POD},container="main",node="node-1",resource="nvidia_com_gpu",unit="integer"} 1
kubelet_volume_stats_used_bytes${CLAIM} 4e10
kubelet_volume_stats_available_bytes${CLAIM} 6e10
kubelet_volume_stats_capacity_bytes${CLAIM} 1e11
`;

for (const version of [OLDEST, "v1.6.1"]) {
  Deno.test(`dashboards and monitor with DYNAMO_VERSION=${version}`, async (t) => {
    await using test = await testContext();
    const { ctx } = test;
    const run = (...words: string[]) =>
      runTaskProcess(words, {
        home: ctx.home,
        env: { DYNAMO_VERSION: version },
        timeoutMs: INSTALL_TIMEOUT_MS,
      });
    const ok = async (...words: string[]): Promise<TaskResult> => {
      const result = await run(...words);
      assert.equal(result.code, 0, `deno task ${words.join(" ")}\n${result.stderr}`);
      return result;
    };
    const bench = () =>
      run("bench", GRAPH, "--duration", "15", "--concurrency", "8", "--no-calibration");
    try {
      await ok("install", "--target", "local");
      await ok("deploy", GRAPH);
      await t.step("every panel returns data during a bench", async () => {
        const programs = await prometheusPrograms(ctx);
        if ("reason" in programs) return skipped(`no Prometheus: ${programs.reason}`);
        await withPrometheus(ctx, programs, async (server) => {
          // Its exit code says whether the numbers count, which other load on the machine decides.
          const measured = await bench();
          assert.match(measured.stderr + measured.stdout, /TTFT/i);
          await checkPanels(server, version);
          await checkVariables(server);
          await checkRules(server);
        });
      });
      await t.step("monitor graph tells the traffic of a bench", async () => {
        const benched = bench();
        const watched = await ok("monitor", "graph", "--once", "--interval", "8", "-o", "json");
        await benched;
        checkTraffic(await assertTextFits("monitor", watched.stdout), version);
        const text = await ok("monitor", "graph", GRAPH, "--once", "--interval", "0.5");
        const lines = text.stdout.trimEnd().split("\n");
        assert.equal(lines.length, 2, text.stdout);
        assertPlain("monitor graph", text.stdout);
      });
      await t.step("monitor grafana says that the embedded cluster has none", async () => {
        const result = await run("monitor", "grafana");
        assert.equal(result.code, 3);
        assert.match(result.stderr, /Grafana is not part of the embedded cluster/);
        assert.match(result.stderr, /deno task monitor graph/);
      });
      await t.step(
        "forward reaches the frontend at the port asked for, until it is ended",
        async () => {
          await checkForward(ctx);
        },
      );
      await t.step("monitor grafana forwards, and again after the pod was deleted", async () => {
        await using session = await openGraphs(ctx, {});
        await checkForwarding(ctx, session, version === OLDEST);
      });
    } finally {
      await run("cleanup", "--all", "--yes");
    }
  });
}

/** Calls `body` with a Prometheus that scrapes all pods of the graphs, and the exporters' samples. */
async function withPrometheus(
  ctx: Context,
  programs: PrometheusPrograms,
  body: (server: PrometheusServer) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const session = stack.use(await openGraphs(ctx, {}));
  const exporters = stack.use(
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response(EXPORTERS)),
  );
  const targets: ScrapeTarget[] = [{ port: exporters.addr.port, labels: { job: "exporters" } }];
  for (const graph of await session.list()) {
    for (const component of graph.components) {
      for (const pod of component.pods) {
        const { namespace } = graph;
        const forwarder = await forwardPort(ctx, session.kube, {
          pod: () => Promise.resolve({ name: pod.name, namespace }),
          port: component.type === "frontend" ? 8000 : 9090,
        });
        stack.defer(() => forwarder.close());
        targets.push({ port: forwarder.port, labels: { job: "dynamo", namespace, pod: pod.name } });
      }
    }
  }
  // Evaluated each second: a benchmark is too short for a rule's own interval.
  const rules = [...(await readRules()).values()].map((object) =>
    stringify({
      groups: object.spec.groups.map(({ name, rules }) => ({ name, rules })),
    })
  );
  const folder = `${ctx.home}/prometheus`;
  const server = stack.use(await startPrometheus(ctx, { programs, folder, targets, rules }));
  await body(server);
}

async function checkPanels(server: PrometheusServer, version: string): Promise<void> {
  const problems: string[] = [];
  let queries = 0;
  for (const [file, dashboard] of await readDashboards()) {
    for (const panel of dashboard.panels) {
      for (const target of panel.targets ?? []) {
        queries++;
        const problem = await panelProblem(server, panel, target.expr, version);
        if (problem !== undefined) {
          problems.push(`${file}: ${panel.title}: ${problem}\n  ${target.expr}`);
        }
      }
    }
  }
  assert.deepEqual(problems, []);
  assert.ok(queries >= 30, `${queries} queries`);
}

async function panelProblem(
  server: PrometheusServer,
  panel: Panel,
  expression: string,
  version: string,
): Promise<string | undefined> {
  let samples: QuerySample[];
  try {
    samples = await server.query(withVariables(expression, "20s"));
  } catch (error) {
    return String(error);
  }
  const some = samples.some((sample) => !Number.isNaN(Number(sample.value[1])));
  if (version === OLDEST && notInOldest(panel)) {
    return some ? "says that 0.4.1 lacks it, but 0.4.1 has it" : undefined;
  }
  return some ? undefined : `no data: ${JSON.stringify(samples)}`;
}

async function checkVariables(server: PrometheusServer): Promise<void> {
  for (const [file, dashboard] of await readDashboards()) {
    for (const { name, type, definition } of dashboard.templating.list) {
      if (type !== "query") continue;
      const words = /^label_values\((.+), (\w+)\)$/.exec(definition ?? "");
      assert.ok(words !== null, `${file}: ${name}: ${definition}`);
      const values = await server.labelValues(words[2]!, withVariables(words[1]!, "20s"));
      assert.ok(values.length > 0, `${file}: ${name} has no values`);
    }
  }
}

async function checkRules(server: PrometheusServer): Promise<void> {
  const late = await server.query("dynamo:ttft_over_1s:ratio_rate5m");
  assert.equal(late.length, 1, "the share of late first tokens is recorded, once a model");
  const share = Number(late[0]!.value[1]);
  assert.ok(share >= 0 && share <= 1, `share of late first tokens: ${share}`);
  const firing = await server.query('ALERTS{alertname=~"Dynamo.*", alertstate="firing"}');
  assert.deepEqual(firing.map((sample) => sample.metric["alertname"]), []);
}

function checkTraffic(traffic: GraphTraffic, version: string): void {
  assert.equal(traffic.graph, GRAPH);
  assert.equal(traffic.frontends, 1);
  assert.ok(traffic.seconds >= 7.5 && traffic.seconds < 20, `${traffic.seconds} s`);
  assert.equal(traffic.models.length, 1);
  const model = traffic.models[0]!;
  assert.match(model.model, /^deepseek-ai\/deepseek-r1-distill-llama-8b$/i);
  assert.ok(model.requestsPerSecond > 0.1, JSON.stringify(model));
  assert.ok(model.outputTokensPerSecond > model.requestsPerSecond, JSON.stringify(model));
  for (const [low, high] of [[model.ttftP50, model.ttftP90], [model.itlP50, model.itlP90]]) {
    assert.ok(low! > 0 && low! <= high! && high! < 30, JSON.stringify(model));
  }
  const isShare = (value: number | null) => value !== null && value >= 0 && value <= 1;
  assert.ok(isShare(model.errorRate), JSON.stringify(model));
  if (version === OLDEST) {
    assert.deepEqual([model.queued, model.kvHitRate], [null, null]);
  } else {
    assert.equal(typeof model.queued, "number");
    assert.ok(isShare(model.kvHitRate), JSON.stringify(model));
  }
}

/** A Service labelled as Grafana's in front of the graph's frontend: what is behind does not matter. */
async function checkForwarding(
  ctx: Context,
  { kube, list }: GraphSession,
  json: boolean,
): Promise<void> {
  const [graph] = await list();
  const name = "stack-grafana";
  const namespace = graph!.namespace;
  const frontend = graph!.components.find((component) => component.type === "frontend")!;
  const pod = { apiVersion: "v1", kind: "Pod", name: frontend.pods[0]!.name, namespace } as const;
  await kube.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    stringData: { "admin-user": "boss", "admin-password": "not-to-be-seen" },
  });
  await kube.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { "app.kubernetes.io/name": "grafana" } },
    spec: {
      selector: {
        "nvidia.com/selector": (await kube.get(pod))!.metadata.labels!["nvidia.com/selector"]!,
      },
      ports: [{ port: 80, targetPort: 8000 }],
    },
  });
  const port = freePort(ctx);
  let child: Deno.ChildProcess | undefined;
  const words = ["monitor", "grafana", "--port", String(port)];
  const ended = runTaskProcess(json ? [...words, "--output", "json"] : words, {
    home: ctx.home,
    timeoutMs: 120_000,
    onStart: (started) => child = started,
  });
  const answers = async () => {
    for (let tries = 0; tries < 300; tries++) {
      const ok = await fetch(`http://127.0.0.1:${port}/v1/models`, {
        signal: AbortSignal.timeout(5_000),
      }).then(async (response) => {
        await response.body?.cancel();
        return response.ok;
      }, () => false);
      if (ok) return;
      await ctx.clock.sleep(200);
    }
    throw new Error("nothing answers through the port-forward within a minute");
  };
  try {
    await answers();
    await kube.delete(pod);
    for (let tries = 0; await kube.get(pod) !== undefined; tries++) {
      assert.ok(tries < 300, "the pod does not go");
      await ctx.clock.sleep(200);
    }
    await answers();
  } finally {
    child?.kill("SIGTERM");
  }
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /not-to-be-seen/);
  const password = /kubectl .* get secret stack-grafana .*\| base64 -d/;
  if (json) {
    const said = await assertTextFits("monitor", stdout);
    assert.deepEqual([said.url, said.user], [`http://127.0.0.1:${port}`, "boss"]);
    assert.match(said.passwordCommand, password);
    return;
  }
  assert.equal(stdout, `http://127.0.0.1:${port}\n`);
  assert.match(stderr, /User: boss/);
  assert.match(stderr, new RegExp(`Password: ${password.source}`));
}

function freePort(ctx: Context): number {
  const listener = ctx.net.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function checkForward(ctx: Context): Promise<void> {
  const port = freePort(ctx);
  let child: Deno.ChildProcess | undefined;
  const ended = runTaskProcess(["forward", GRAPH, "--port", String(port), "-o", "json"], {
    home: ctx.home,
    timeoutMs: 60_000,
    onStart: (started) => child = started,
  });
  let models: { data: { id: string }[] } | undefined;
  for (let tries = 0; models === undefined && tries < 150; tries++) {
    models = await fetch(`http://127.0.0.1:${port}/v1/models`, {
      signal: AbortSignal.timeout(5_000),
    }).then((response) => response.json(), () => undefined);
    if (models === undefined) await ctx.clock.sleep(200);
  }
  child?.kill("SIGTERM");
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.ok(models!.data.length > 0);
  const said = await assertTextFits("forward", stdout);
  assert.deepEqual(
    { graph: said.graph, url: said.url, port: said.port },
    { graph: GRAPH, url: `http://127.0.0.1:${port}`, port: 8000 },
  );
}

function skipped(reason: string): void {
  // deno-lint-ignore no-console -- a test that cannot run says so
  console.log(`SKIPPED: ${reason}`);
}
