/**
 * The load generator as a pod runs it: its files alone, in a Deno that may read nothing else.
 */
import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import type { KubeObject } from "../../kube/types.ts";
import { startMock } from "../mock.ts";
import type { BenchSummary } from "../summary.ts";
import { dialUrl } from "../transport.ts";
import { urlSource } from "../server/source.ts";
import { watchServer } from "../server/watch.ts";
import { askControl } from "./control.ts";
import { followWatch } from "./far_watch.ts";
import { FrameReader } from "./frames.ts";
import { inClusterOf } from "./flags.ts";
import { encodeJob, JOB_ENV } from "./job_file.ts";
import type { JobMessage } from "./messages.ts";
import { CLIENT_IMAGE, jobObjects } from "./objects.ts";
import { recordOf } from "./record_rows.ts";
import { JOB_PROGRAM, jobSources } from "./source_files.ts";

const FLAGS = ["--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-check"];

// Below the ports that the system gives to outgoing connections: the load's own may take one of
// those before the pod listens.
function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

Deno.test("the shipped files measure without anything else, and blocks when asked", async () => {
  await using test = await testContext();
  const folder = `${test.ctx.home}/pod`;
  const sources = await jobSources(test.ctx);
  for (const [path, text] of sources) {
    await Deno.mkdir(`${folder}/code/${path.replace(/\/[^/]+$/, "")}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/code/${path}`, text);
  }
  const options = { concurrency: 4, requests: 60, outputTokens: 8, seed: 5 };
  const bytes = encodeJob({ options, blocks: true, watched: true });
  await Deno.mkdir(`${folder}/job`);
  // In two parts, as of a file that does not fit into one ConfigMap.
  await Deno.writeFile(`${folder}/job/0`, bytes.subarray(0, 40));
  await Deno.writeFile(`${folder}/job/1`, bytes.subarray(40));
  await using mock = await startMock({ ttftMs: 10, itlMs: 1 });
  const [controlPort, mockPort] = [freePort(), freePort()];
  const pod = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...FLAGS,
      "--no-prompt",
      "--allow-net=127.0.0.1",
      `--allow-read=${folder}`,
      "--allow-env",
      "--allow-sys",
      `${folder}/code/${JOB_PROGRAM}`,
    ],
    clearEnv: true,
    env: {
      DENO_DIR: `${folder}/cache`,
      [JOB_ENV.url]: mock.url,
      [JOB_ENV.folder]: `${folder}/job`,
      [JOB_ENV.controlPort]: String(controlPort),
      [JOB_ENV.mockPort]: String(mockPort),
      [JOB_ENV.headers]: JSON.stringify({ "X-Tenant": "a" }),
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const dial = dialUrl(test.ctx, `http://127.0.0.1:${controlPort}`);
  const ask = async (request: Parameters<typeof askControl>[1]) => {
    const connection = await retried(() => dial(test.ctx.signal));
    try {
      return await askControl(connection, request);
    } finally {
      connection.close();
    }
  };
  const { clock } = test.ctx;
  const source = urlSource(test.ctx, { url: mock.url });
  const watch = watchServer({ clock, open: () => Promise.resolve([source]), intervalMs: 100 });
  const follower = followWatch(test.ctx, watch, ask);
  const reader = new FrameReader();
  const indexes: number[] = [];
  let summary: BenchSummary | undefined;
  let rest = "";
  for await (const part of pod.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const read = reader.read(line);
      assert.notEqual(read.kind, "other", line);
      for (const message of (read.kind === "messages" ? read.messages : []) as JobMessage[]) {
        if (message.kind === "error") assert.fail(message.error.message);
        if (message.kind === "summary") summary = message.summary;
        if (message.kind === "watch") follower.hear(message);
        if (message.kind === "requests") {
          indexes.push(...message.rows.map((row) => recordOf(row).index));
        }
      }
    }
    if (summary === undefined) continue;
    const block = await ask({ kind: "block", options: { ...options, requests: 20 } });
    assert.ok("block" in block);
    assert.equal(block.block.summary.requests.completed, 20);
    assert.equal(block.block.ttftMs.length, 20);
    assert.ok(block.block.cpuMs > 0);
    await assert.rejects(
      ask({ kind: "block", options: { ...options, model: "unknown", concurrency: 0 } }),
      /--concurrency is 0/,
    );
    // The mock without delay is what the tunnel's ceiling is measured with.
    const models = await (await fetch(`http://127.0.0.1:${mockPort}/v1/models`)).json();
    assert.equal(models.data[0].id, "mock");
    assert.deepEqual(await ask({ kind: "end" }), { ended: true });
    break;
  }
  const { code } = await pod.status;
  assert.equal(await new Response(pod.stderr).text(), "");
  assert.equal(code, 0);
  assert.deepEqual(indexes.sort((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i));
  assert.equal(summary?.requests.completed, 60);
  // The server was watched from here, and counted exactly the run.
  assert.equal(await follower.done(), undefined);
  assert.equal(summary?.server?.requests, 60, JSON.stringify(summary?.server));
  const times = watch.points.map((point) => point.at_s);
  assert.ok(
    times.length > 0 && times.every((at) => at > 0 && at < summary!.wall_s + 2),
    `${times}`,
  );
  assert.deepEqual((summary?.config["request"] as { headers: string[] }).headers, ["X-Tenant"]);
});

// The pod opens its port a moment after it has said its result.
async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 0;; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === 400) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

Deno.test("the objects: nothing secret but in the Secret, all owned by the Job, files where code looks", () => {
  const large = new Uint8Array(2_000_000).map((_, i) => i % 251);
  const { job, owned } = jobObjects({
    name: "bench-vllm-1a2b3c",
    namespace: "graphs",
    graph: "vllm",
    image: CLIENT_IMAGE,
    url: "http://vllm-frontend.graphs.svc.cluster.local:8000",
    sources: new Map([[JOB_PROGRAM, "main"], ["lib/cli/text.ts", "x".repeat(899_990)]]),
    job: large,
    secrets: { [JOB_ENV.headers]: '{"X-Key":"hidden"}' },
    deadlineSeconds: 600,
  });
  const others = owned({ apiVersion: "batch/v1", kind: "Job", name: "j", uid: "u" });
  const maps = others.filter(({ kind }) => kind === "ConfigMap");
  const secrets = others.filter(({ kind }) => kind === "Secret");
  assert.equal(secrets.length, 1);
  assert.ok(!JSON.stringify([job, maps]).includes("hidden"));
  for (const { metadata } of others) assert.equal(metadata.ownerReferences?.[0]?.uid, "u");
  for (const map of maps) assert.ok(sizeOf(map) < 1024 * 1024, `${sizeOf(map)} bytes`);
  const { spec } = job["spec"].template;
  assert.equal(job["spec"].suspend, true);
  assert.equal(job["spec"].backoffLimit, 0);
  assert.equal(spec.automountServiceAccountToken, false);
  assert.equal(spec.securityContext.runAsNonRoot, true);
  // Every file that a volume names is in the ConfigMap that it names.
  const data = new Map(
    maps.map((map) => [map.metadata.name, { ...map["data"], ...map["binaryData"] }]),
  );
  const files = new Map<string, string>();
  for (const volume of spec.volumes) {
    for (const { configMap } of volume.projected?.sources ?? []) {
      for (const { key, path } of configMap.items) {
        assert.match(key, /^[-._a-zA-Z0-9]+$/);
        files.set(`${volume.name}:${path}`, data.get(configMap.name)![key]);
      }
    }
  }
  assert.equal(files.get(`code:${JOB_PROGRAM}`), "main");
  const parts = [0, 1, 2].map((part) => Uint8Array.fromBase64(files.get(`job:${part}`)!));
  assert.deepEqual(new Uint8Array(parts.flatMap((part) => [...part])), large);
  assert.ok(spec.containers[0].command.at(-1).endsWith(JOB_PROGRAM));
});

function sizeOf(map: KubeObject): number {
  const text = Object.values<string>(map["data"] ?? {}).reduce(
    (sum, value) => sum + value.length,
    0,
  );
  const binary = Object.values<string>(map["binaryData"] ?? {})
    .reduce((sum, value) => sum + Uint8Array.fromBase64(value).length, 0);
  return text + binary;
}

Deno.test("flags that contradict each other", () => {
  const none = { inCluster: false, clientImage: undefined, noTunnelTax: false };
  assert.equal(inClusterOf(none, "one"), undefined);
  assert.deepEqual(inClusterOf({ ...none, inCluster: true }, "one"), {
    image: CLIENT_IMAGE,
    tunnelTax: true,
  });
  assert.equal(inClusterOf({ ...none, inCluster: true }, "several")?.tunnelTax, false);
  const refused: [Parameters<typeof inClusterOf>[0], RegExp][] = [
    [{ ...none, clientImage: "x" }, /--client-image needs --in-cluster/],
    [{ ...none, noTunnelTax: true }, /--no-tunnel-tax needs --in-cluster/],
    [{ ...none, inCluster: true, url: "http://x" }, /--in-cluster measures a graph/],
    [{ ...none, inCluster: true, clientImage: "a b" }, /is no image/],
  ];
  for (const [flags, message] of refused) {
    assert.throws(() => inClusterOf(flags, "one"), { code: "BENCH_OPTIONS", message });
  }
});
