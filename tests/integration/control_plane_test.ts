/**
 * The control plane's life: started, found running, hurt, repaired, moved to other ports, gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { silentStep, testContext } from "../../lib/cli/testing.ts";
import { connectKube } from "../../lib/kube/client.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import type { Programs } from "../../lib/local/binaries/programs.ts";
import { clusterState, startCluster, stopCluster } from "../../lib/local/cluster.ts";
import { CONTROL_PLANE } from "../../lib/local/control_plane.ts";
import { runningDaemon } from "../../lib/local/daemon.ts";
import { kubeconfigPath } from "../../lib/local/kubeconfig.ts";
import { localLayout } from "../../lib/local/layout.ts";
import { ensureNodes } from "../../lib/local/nodes.ts";
import { isPortFree } from "../../lib/local/ports.ts";
import { readState } from "../../lib/local/state.ts";
import { localStatus } from "../../lib/local/status.ts";
import { testPrograms, withCluster } from "./cluster.ts";

/** A cluster of the test's own, stopped at the end whatever happened. */
async function ownCluster(
  body: (ctx: Context, programs: Programs) => Promise<void>,
): Promise<void> {
  await using made = await testContext();
  const programs = await testPrograms(made.ctx);
  if (programs === undefined) return;
  try {
    await body(made.ctx, programs);
  } finally {
    await stopCluster(made.ctx, silentStep);
  }
}

async function withKube<T>(ctx: Context, body: (kube: Kube) => Promise<T>): Promise<T> {
  const kube = await connectKube(ctx, { kubeconfig: localLayout(ctx).kubeconfig });
  try {
    return await body(kube);
  } finally {
    kube.close();
  }
}

async function numbers(ctx: Context): Promise<Record<string, number | undefined>> {
  const layout = localLayout(ctx);
  const entries = await Promise.all(
    CONTROL_PLANE.map(async (name) =>
      [name, (await runningDaemon(ctx, layout, name))?.identity.pid] as const
    ),
  );
  return Object.fromEntries(entries);
}

const KEPT: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "kept", namespace: "default" },
  data: { made: "before" },
};
const KEPT_REF = { apiVersion: "v1", kind: "ConfigMap", name: "kept", namespace: "default" };

Deno.test("control plane", async (t) => {
  await ownCluster(async (ctx, programs) => {
    const layout = localLayout(ctx);
    const start = () => startCluster(ctx, programs, silentStep);

    await t.step("starts from nothing, and its nodes become Ready", async () => {
      assert.equal(await clusterState(ctx), "absent");
      const { outcomes } = await start();
      assert.deepEqual(Object.values(outcomes), Array(5).fill("started"));
      assert.equal(await clusterState(ctx), "running");
      await withKube(ctx, async (kube) => {
        assert.equal(await kube.version(), `v${programs.versions.kubernetes}`);
        await ensureNodes(ctx, kube, programs.versions.kubernetes, silentStep);
        await kube.apply(KEPT);
      });
    });

    await t.step("listens on two ports of loopback and nowhere else", async () => {
      const { ports } = (await readState(ctx, layout))!;
      const pids = new Set(Object.values(await numbers(ctx)).map(String));
      const { stdout } = await ctx.processes.run("ss", ["-Hltnp"]);
      const ours = stdout.split("\n").filter((line) => pids.has(/pid=(\d+)/.exec(line)?.[1] ?? ""))
        .map((line) => line.split(/\s+/)[3]);
      assert.deepEqual(
        ours.sort(),
        [`127.0.0.1:${ports.apiserver}`, `127.0.0.1:${ports.kubelet}`].sort(),
      );
    });

    await t.step("keeps what is secret to its owner", async () => {
      for (
        const folder of [layout.root, layout.pki, layout.kubeconfigs, layout.logs, layout.etcd]
      ) {
        assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700, folder);
      }
      for (const file of [layout.kubeconfig, layout.state, `${layout.pki}/tokens.csv`]) {
        assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600, file);
      }
      const tokens = (await Deno.readTextFile(`${layout.pki}/tokens.csv`)).match(
        /^[0-9a-f]{64}/gm,
      )!;
      for (const pid of Object.values(await numbers(ctx))) {
        const seen = await Deno.readTextFile(`/proc/${pid}/cmdline`);
        assert.ok(!tokens.some((token) => seen.includes(token)));
      }
    });

    await t.step("a second start finds all in place, within a second", async () => {
      const before = await numbers(ctx);
      const begin = performance.now();
      const { outcomes } = await start();
      const took = performance.now() - begin;
      assert.deepEqual(Object.values(outcomes), Array(5).fill("running"));
      assert.deepEqual(await numbers(ctx), before);
      assert.ok(took < 1_000, `${Math.round(took)} ms`);
    });

    await t.step("tells its processes, their memory and ports", async () => {
      const status = await localStatus(ctx);
      assert.equal(status.condition, "running");
      assert.equal(status.ready, true);
      assert.ok(status.memoryBytes > 100e6 && status.memoryBytes < 700e6, `${status.memoryBytes}`);
      const running = status.processes.filter((each) => each.running).map(({ name }) => name);
      assert.deepEqual(running, [...CONTROL_PLANE]);
    });

    await t.step(
      "killed processes are started again, the others stay, and so does the data",
      async () => {
        const before = await numbers(ctx);
        for (const name of ["etcd", "kube-apiserver", "kwok"]) Deno.kill(before[name]!, "SIGKILL");
        await ctx.clock.sleep(200);
        assert.equal(await clusterState(ctx), "partial");
        const { outcomes } = await start();
        assert.deepEqual(outcomes, {
          "etcd": "started",
          "kube-apiserver": "started",
          "kube-controller-manager": "running",
          "kube-scheduler": "running",
          "kwok": "started",
        });
        const data = await withKube(ctx, async (kube) => (await kube.get(KEPT_REF))?.data);
        assert.deepEqual(data, KEPT.data);
      },
    );

    await t.step("stops without a process, a port or a socket left", async () => {
      const before = await Promise.all(
        CONTROL_PLANE.map((name) => runningDaemon(ctx, layout, name)),
      );
      const { ports } = (await readState(ctx, layout))!;
      assert.equal(await stopCluster(ctx, silentStep), 5);
      assert.equal(await clusterState(ctx), "stopped");
      for (const daemon of before) assert.equal(ctx.processes.alive(daemon!.identity), false);
      assert.ok(isPortFree(ctx, ports.apiserver) && isPortFree(ctx, ports.kubelet));
      for await (const entry of Deno.readDir(layout.root)) assert.ok(!entry.name.includes(".sock"));
      assert.equal(await stopCluster(ctx, silentStep), 0);
    });

    await t.step(
      "a taken port is given up for another, stale notes are not believed, data stays",
      async () => {
        const { ports } = (await readState(ctx, layout))!;
        using taken = Deno.listen({ hostname: "127.0.0.1", port: ports.apiserver });
        // What a reboot leaves: notes of processes of another boot.
        for (const name of CONTROL_PLANE) {
          const stat = (await Deno.readTextFile("/proc/1/stat")).trim();
          await Deno.writeTextFile(`${layout.root}/processes/${name}`, `${stat}\nother-boot\nx\n`);
        }
        const { state, outcomes } = await start();
        assert.deepEqual(Object.values(outcomes), Array(5).fill("started"));
        assert.notEqual(state.ports.apiserver, taken.addr.port);
        assert.equal(state.ports.kubelet, ports.kubelet);
        assert.ok(
          (await Deno.readTextFile(layout.kubeconfig)).includes(`:${state.ports.apiserver}`),
        );
        await withKube(ctx, async (kube) => {
          assert.deepEqual((await kube.get(KEPT_REF))?.data, KEPT.data);
          await ensureNodes(ctx, kube, programs.versions.kubernetes, silentStep);
        });
        await stopCluster(ctx, silentStep);
      },
    );

    await t.step("broken files are made anew", async () => {
      await Deno.writeTextFile(layout.state, "{");
      await Deno.writeTextFile(`${layout.pki}/tokens.csv`, "half a tok");
      await Deno.remove(`${layout.pki}/serving/apiserver.key`);
      await Deno.remove(layout.kubeconfig);
      await start();
      const data = await withKube(ctx, async (kube) => (await kube.get(KEPT_REF))?.data);
      assert.deepEqual(data, KEPT.data);
    });
  });
});

Deno.test("a start that was killed anywhere is carried on by the next one", async () => {
  await ownCluster(async (ctx, programs) => {
    for (const afterMs of [60, 400, 1_500, 2_800]) {
      const script = `
        import { silentStep, testContext } from "${new URL(
        "../../lib/cli/testing.ts",
        import.meta.url,
      )}";
        import { startCluster } from "${new URL("../../lib/local/cluster.ts", import.meta.url)}";
        const { ctx } = await testContext({ home: ${JSON.stringify(ctx.home)} });
        setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), ${afterMs});
        await startCluster(ctx, ${JSON.stringify(programs)}, silentStep);
      `;
      const command = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--quiet", script],
        cwd: ctx.root,
        stdout: "null",
        stderr: "null",
      });
      const { signal } = await command.output();
      // The last one may be through before it is killed.
      assert.ok(signal === "SIGKILL" || afterMs === 2_800, `after ${afterMs} ms: ${signal}`);
    }
    await startCluster(ctx, programs, silentStep);
    assert.equal(await clusterState(ctx), "running");
  });
});

Deno.test("clients have their own rights and no others", async () => {
  await withCluster(async ({ ctx, cluster, namespace }) => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "own", namespace },
      stringData: { key: "value" },
    };
    const as = async (
      client: "kwok" | "node-agent" | "operator",
      body: (kube: Kube) => Promise<void>,
    ) => {
      const kubeconfig = kubeconfigPath(cluster.layout, client);
      const kube = await connectKube(ctx, { kubeconfig });
      try {
        await body(kube);
      } finally {
        kube.close();
      }
    };
    await as("operator", async (kube) => {
      await kube.create(secret);
      await assert.rejects(
        kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "mine" } }),
        /forbidden/i,
      );
    });
    await as("node-agent", async (kube) => {
      const ref = { apiVersion: "v1", kind: "Secret", name: "own", namespace };
      assert.notEqual(await kube.get(ref), undefined);
      await assert.rejects(kube.delete(ref), /forbidden/i);
    });
    await as("kwok", async (kube) => {
      await assert.rejects(kube.list({ apiVersion: "v1", kind: "Secret" }), /forbidden/i);
    });
  });
});

Deno.test("pods are scheduled for real: GPUs run out, and logs and ports go through kwok", async () => {
  await withCluster(async ({ ctx, kube, cluster, namespace }) => {
    const pod = (name: string, gpus: number): KubeObject => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: {
        nodeSelector: { "karpenter.sh/nodepool": "g6-gpu-karpenter" },
        tolerations: [{ key: "nvidia.com/gpu", operator: "Exists" }],
        containers: [{
          name: "main",
          image: "none",
          resources: { limits: { "nvidia.com/gpu": String(gpus) } },
        }],
      },
    });
    const ref = (name: string) => ({ apiVersion: "v1", kind: "Pod", name, namespace });
    await kube.apply(pod("first", 3));
    const until = async (name: string, holds: (object: KubeObject) => boolean) => {
      for (let i = 0; i < 100; i++) {
        const object = await kube.get(ref(name));
        if (object !== undefined && holds(object)) return;
        await ctx.clock.sleep(50);
      }
      assert.fail(`pod ${name}: ${JSON.stringify((await kube.get(ref(name)))?.status)}`);
    };
    await until("first", ({ spec }) => spec.nodeName === "g6-gpu-karpenter-1");
    await kube.apply(pod("second", 2));
    await until(
      "second",
      ({ status }) =>
        status.conditions?.some((each: { message?: string }) =>
          each.message?.includes("Insufficient nvidia.com/gpu")
        ),
    );

    // What the node agent does for a pod that runs.
    const log = `${cluster.layout.pods}/first.log`;
    await Deno.writeTextFile(log, "2026-01-01T00:00:00.000000000Z stdout F hello from the log\n");
    await kube.apply({
      apiVersion: "kwok.x-k8s.io/v1alpha1",
      kind: "Logs",
      metadata: { name: "first", namespace },
      spec: { logs: [{ containers: ["main"], logsFile: log }] },
    });
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("through the tunnel"),
    );
    await kube.apply({
      apiVersion: "kwok.x-k8s.io/v1alpha1",
      kind: "PortForward",
      metadata: { name: "first", namespace },
      spec: {
        forwards: [{ ports: [8000], target: { address: "127.0.0.1", port: server.addr.port } }],
      },
    });
    await kube.patch(ref("first"), "merge", { status: { phase: "Running" } }, "status");
    const lines: string[] = [];
    for (let i = 0; i < 40 && lines.length === 0; i++) {
      try {
        for await (const line of kube.logs({ name: "first", namespace })) lines.push(line);
      } catch {
        // kwok learns of new resources by a watch.
      }
      await ctx.clock.sleep(50);
    }
    assert.deepEqual(lines, ["hello from the log"]);
    const connection = await kube.connect({ name: "first", namespace }, 8000);
    const writer = connection.writable.getWriter();
    await writer.write(
      new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    );
    let answer = "";
    for await (const part of connection.readable.pipeThrough(new TextDecoderStream())) {
      answer += part;
      // Not until the end: not every way through a tunnel tells it.
      if (answer.includes("tunnel")) break;
    }
    connection.close();
    assert.match(answer, /through the tunnel/);
  });
});
