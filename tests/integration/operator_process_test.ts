/**
 * The operator's process as the node agent starts it: permissions, health, both API
 * versions, memory, a clean end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import type { Context } from "../../lib/cli/context.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { kubeconfigPath } from "../../lib/local/kubeconfig.ts";
import { applyPlatform } from "../../lib/local/operator/platform.ts";
import type { Graph } from "../../lib/local/operator/types.ts";
import { freePorts } from "../../lib/local/ports.ts";
import { type TestCluster, withCluster } from "./cluster.ts";
import { exampleGraph, until } from "./operator_support.ts";
import { readyPods } from "./ready_pods.ts";

/** As lib/local/agent/platform_command.ts grants them. */
const PERMISSIONS = [
  "--quiet",
  "--no-prompt",
  "--allow-read",
  "--allow-env",
  "--allow-sys",
  "--allow-net=127.0.0.1,localhost",
];

interface RunningProcess {
  readonly pid: number;
  readonly healthPort: number;
  readonly output: () => string;
  /** Sends SIGTERM and returns the exit code. */
  stop(): Promise<number>;
}

async function startProcess(
  { ctx, cluster, namespace }: TestCluster,
  version: string,
): Promise<RunningProcess> {
  const [healthPort] = await freePorts(ctx, 1);
  const child = new Deno.Command(ctx.processes.denoPath, {
    args: [
      "run",
      ...PERMISSIONS,
      `--config=${ctx.root}/deno.json`,
      `${ctx.root}/lib/local/operator/main.ts`,
      "--kubeconfig",
      kubeconfigPath(cluster.layout, "operator"),
      "--release",
      version,
      "--namespace",
      `${namespace}-platform`,
      "--restrict-namespace",
      namespace,
      "--health-port",
      String(healthPort),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) output += part;
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  return {
    pid: child.pid,
    healthPort: healthPort!,
    output: () => output,
    async stop() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      const { code } = await child.status;
      await reading;
      return code;
    },
  };
}

async function untilReady(ctx: Context, started: RunningProcess): Promise<void> {
  await until(ctx, `the operator to be ready:\n${started.output()}`, async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${started.healthPort}/readyz`);
      await response.body?.cancel();
      return response.ok ? true : undefined;
    } catch {
      return undefined;
    }
  });
}

async function residentMiB(pid: number): Promise<number | undefined> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const kib = /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** A v1alpha1 graph with images of a newer release. */
async function oldGraph(namespace: string): Promise<KubeObject> {
  const graph = await exampleGraph("1.0.2", "vllm");
  const text = JSON.stringify(graph).replaceAll("1.0.2", "1.6.1");
  return { ...JSON.parse(text), metadata: { ...graph.metadata, namespace } };
}

async function bothVersions(test: TestCluster): Promise<void> {
  const { ctx, kube, namespace } = test;
  const ref = (version: string) => ({
    apiVersion: `nvidia.com/${version}`,
    kind: "DynamoGraphDeployment",
    name: "vllm",
    namespace,
  });
  const graph = await oldGraph(namespace);
  await kube.apply(graph);
  await until(ctx, "the graph to be successful", async () => {
    const found = await kube.get<Graph>(ref("v1beta1"));
    return found?.status?.state === "successful" ? found : undefined;
  });
  const old = await kube.get<Graph>(ref("v1alpha1"));
  assert.deepEqual(old?.spec, graph["spec"]);
  assert.ok(Object.keys(old?.status?.services ?? {}).includes("VllmDecodeWorker"));
  const now = await kube.get<Graph>(ref("v1beta1"));
  assert.deepEqual(now?.spec?.components?.map((one) => one.name), [
    "Frontend",
    "VllmDecodeWorker",
  ]);
  // A change through the old version arrives in the new one.
  await kube.patch(ref("v1alpha1"), "merge", {
    spec: { services: { Frontend: { replicas: 2 } } },
  });
  const changed = await kube.get<Graph>(ref("v1beta1"));
  assert.equal(changed?.spec?.components?.[0]?.replicas, 2);
  await kube.delete(ref("v1beta1"));
  await until(ctx, "the graph and its components to go", async () => {
    const apiVersion = "nvidia.com/v1beta1";
    const found = await kube.get(ref("v1beta1"));
    const left = await kube.list({ apiVersion, kind: "DynamoComponentDeployment" }, { namespace });
    return found === undefined && left.items.length === 0 ? true : undefined;
  });
}

Deno.test("the operator's process serves both API versions and ends cleanly", () =>
  withCluster(async (test) => {
    const { ctx, kube, namespace } = test;
    const release = resolveRelease("1.6.1");
    await applyPlatform(ctx, kube, { release, namespace: `${namespace}-platform` });
    const started = await startProcess(test, "1.6.1");
    const stop = new AbortController();
    const pods = readyPods(kube, namespace, stop.signal);
    try {
      await untilReady(ctx, started);
      await bothVersions(test);
      const memory = await residentMiB(started.pid);
      assert.ok(memory === undefined || memory < 130, `${memory} MiB resident`);
    } finally {
      stop.abort();
      await pods;
      assert.equal(await started.stop(), 0, started.output());
      await kube.delete({ apiVersion: "v1", kind: "Namespace", name: `${namespace}-platform` });
    }
    assert.match(started.output(), /"message":"ready"/);
    assert.match(started.output(), /"message":"stopped"/);
  }));

Deno.test("the operator's process says what is wrong and ends with the right code", async () => {
  const run = (...words: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...PERMISSIONS,
        new URL("../../lib/local/operator/main.ts", import.meta.url).pathname,
        ...words,
      ],
    }).output();
  const usage = await run("--release", "1.6.1");
  assert.equal(usage.code, 2);
  assert.match(new TextDecoder().decode(usage.stdout), /--kubeconfig is missing/);
  const words = ["--kubeconfig", "/nowhere/config", "--release", "1.6.1", "--namespace", "x"];
  const missing = await run(...words);
  assert.equal(missing.code, 3);
  assert.match(new TextDecoder().decode(missing.stdout), /\/nowhere\/config/);
});
