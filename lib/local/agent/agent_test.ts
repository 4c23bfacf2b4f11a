import assert from "node:assert/strict";
import { type Context, withContext } from "../../cli/context.ts";
import { testContext } from "../../cli/testing.ts";
import type { AgentConfig } from "../agent_config.ts";
import { type AgentOptions, runAgent } from "./agent.ts";
import { publicNetworkReason, readRelay } from "./network.ts";
import type { ContainerStatus, Pod } from "./pod_types.ts";
import { stopAllContainers } from "./stop_all.ts";
import { type MemoryKube, memoryKube, testConfig, testPython } from "./testing.ts";

const BACKOFF = { firstMs: 300, mostMs: 600, resetMs: 60_000 };

interface Setup {
  readonly ctx: Context;
  readonly kube: MemoryKube;
  readonly config: AgentConfig;
  /** Sets how the test server behaves. */
  mood(text: string): Promise<void>;
  /** Starts an agent; the returned function stops it. */
  start(options?: AgentOptions): () => Promise<void>;
}

async function withAgent(
  body: (setup: Setup) => Promise<void>,
  interpreter: (ctx: Context, python: string) => Promise<string> = (_, python) =>
    Promise.resolve(python),
): Promise<void> {
  await using test = await testContext();
  const { ctx } = test;
  const python = await testPython(ctx);
  if (python === undefined) return;
  await ctx.fs.mkdir(ctx.home, { recursive: true });
  const { config, mood } = testConfig(ctx, await interpreter(ctx, python));
  const kube = memoryKube();
  const stops: (() => Promise<void>)[] = [];
  try {
    await body({
      ctx,
      kube,
      config,
      mood: (text) => ctx.fs.writeTextFile(mood, text),
      start(options = {}) {
        const controller = new AbortController();
        const running = runAgent(withContext(ctx, { signal: controller.signal }), kube, config, {
          backoff: BACKOFF,
          ...options,
        });
        const stop = async () => {
          controller.abort();
          await running;
        };
        stops.push(stop);
        return stop;
      },
    });
  } finally {
    for (const stop of stops) await stop();
    await stopAllContainers(ctx, config.layout, { graceMs: 200 });
  }
}

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const end = performance.now() + 15_000;
  for (;;) {
    const found = look();
    if (found) return found;
    assert.ok(performance.now() < end, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function main(pod: Pod | undefined): ContainerStatus | undefined {
  return pod?.status?.containerStatuses?.[0];
}

function isReady(kube: MemoryKube, name: string, restarts = 0): number | false {
  const status = main(kube.pod(name));
  return status?.ready === true && status.restartCount === restarts && status.containerID
    ? Number(status.containerID.slice("process://".length))
    : false;
}

function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "a pod becomes ready, shows what it is, and leaves nothing behind",
  linux,
  () =>
    withAgent(async ({ kube, config, start }) => {
      const stop = start();
      await kube.addPod({ name: "a" });
      const pid = await until("ready", () => isReady(kube, "a"));
      const pod = kube.pod("a")!;
      assert.equal(pod.status?.phase, "Running");
      assert.match(pod.status?.podIP ?? "", /^10\.244\./);
      const conditions = Object.fromEntries(
        pod.status!.conditions!.map(({ type, status }) => [type, status]),
      );
      assert.deepEqual(conditions, {
        PodReadyToStartContainers: "True",
        Initialized: "True",
        Ready: "True",
        ContainersReady: "True",
      });
      for (const reason of ["Pulled", "Simulated", "Created", "Started"]) {
        assert.ok(kube.events.some((event) => event.startsWith(`${reason}: `)), reason);
      }
      const [logs] = kube.objects("Logs");
      const { logsFile } = logs!.spec.logs[0];
      const log = await Deno.readTextFile(logsFile);
      assert.match(log, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F up as \d+\n$/);
      const [forward] = kube.objects("PortForward");
      const [entry] = forward!.spec.forwards;
      assert.deepEqual(entry.ports, [2379]);
      const answer = await fetch(`http://127.0.0.1:${entry.target.port}/health`);
      assert.equal(await answer.text(), "{}");
      await kube.deletePod("a");
      await until("gone", () => kube.pod("a") === undefined);
      // Garbage collection takes them away with the pod.
      assert.deepEqual(logs!.metadata.ownerReferences, forward!.metadata.ownerReferences);
      assert.equal(logs!.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
      assert.ok(!isAlive(pid));
      await until("records removed", () => [...Deno.readDirSync(config.layout.pods)].length === 0);
      await stop();
    }),
);

Deno.test(
  "a killed process is restarted at once, then with a back-off",
  linux,
  () =>
    withAgent(async ({ kube, mood, start }) => {
      start();
      await kube.addPod({ name: "a" });
      Deno.kill(await until("ready", () => isReady(kube, "a")), "SIGKILL");
      await until("restarted", () => isReady(kube, "a", 1));
      const last = main(kube.pod("a"))?.lastState.terminated;
      assert.equal(last?.exitCode, 137);
      assert.equal(last?.signal, 9);
      assert.equal(last?.reason, "Error");
      await mood("crash");
      Deno.kill(await until("ready", () => isReady(kube, "a", 1)), "SIGKILL");
      const waiting = await until("back-off", () => main(kube.pod("a"))?.state.waiting);
      assert.equal(waiting.reason, "CrashLoopBackOff");
      assert.match(
        waiting.message ?? "",
        /^back-off (300 ms|0\.3 s) restarting failed container=main pod=demo\/a/,
      );
      assert.equal(main(kube.pod("a"))?.ready, false);
      await until("crashed again", () => main(kube.pod("a"))?.lastState.terminated?.exitCode === 3);
      assert.equal(kube.pod("a")?.status?.phase, "Running");
      await mood("");
      const status = await until("well", () => {
        const now = main(kube.pod("a"));
        return now?.ready === true && now.restartCount > 2 ? now : undefined;
      });
      assert.ok(status.restartCount >= 3);
      assert.ok(kube.events.some((event) => event.startsWith("BackOff: ")));
    }),
);

Deno.test(
  "readiness follows its probe, and a failed liveness restarts",
  linux,
  () =>
    withAgent(async ({ kube, mood, start }) => {
      start();
      await kube.addPod({ name: "a" });
      await until("ready", () => isReady(kube, "a"));
      await mood("unready");
      await until("not ready", () => main(kube.pod("a"))?.ready === false);
      assert.equal(main(kube.pod("a"))?.restartCount, 0);
      await mood("");
      const pid = await until("ready again", () => isReady(kube, "a"));
      await mood("sick stubborn");
      await until(
        "unhealthy",
        () =>
          kube.events.includes("Killing: Container main failed liveness probe, will be restarted"),
      );
      assert.ok(kube.events.some((event) => /^Unhealthy: Liveness probe failed/.test(event)));
      await mood("");
      await until("restarted", () => isReady(kube, "a", 1));
      assert.ok(!isAlive(pid));
    }),
);

Deno.test(
  "a stubborn process is killed after the grace of its deletion",
  linux,
  () =>
    withAgent(async ({ kube, mood, start }) => {
      await mood("stubborn");
      start();
      await kube.addPod({ name: "a" });
      const pid = await until("ready", () => isReady(kube, "a"));
      const begun = performance.now();
      await kube.deletePod("a", 1);
      await until("not ready", () => main(kube.pod("a"))?.ready !== true);
      await until("gone", () => kube.pod("a") === undefined);
      assert.ok(performance.now() - begun > 800);
      assert.ok(!isAlive(pid));
    }),
);

Deno.test(
  "the next agent takes over what runs and ends what is no longer wanted",
  linux,
  () =>
    withAgent(async ({ kube, config, ctx, start }) => {
      const stop = start({ leaveProcesses: true });
      for (const name of ["kept", "dropped", "plain"]) {
        await kube.addPod({
          name,
          ...(name === "plain" ? { container: { image: "nginx:1" } } : {}),
        });
      }
      const kept = await until("ready", () => isReady(kube, "kept"));
      const dropped = await until("ready", () => isReady(kube, "dropped"));
      await until("simulated", () => main(kube.pod("plain"))?.ready);
      const port = () => kube.objects("PortForward").find((o) => o.metadata.name === "kept")?.spec;
      const before = structuredClone(port());
      await stop();
      assert.ok(isAlive(kept) && isAlive(dropped));
      await kube.deletePod("dropped", 0);
      const writes = kube.pod("kept")?.metadata.resourceVersion;
      const second = start();
      await until("ended", () => !isAlive(dropped));
      assert.equal(isReady(kube, "kept"), kept);
      assert.equal(main(kube.pod("plain"))?.restartCount, 0);
      assert.equal(kube.pod("kept")?.metadata.resourceVersion, writes);
      assert.deepEqual(port(), before);
      Deno.kill(kept, "SIGKILL");
      await until("restarted", () => isReady(kube, "kept", 1));
      await second();
      assert.equal(await readRelay(ctx, config.layout), undefined);
    }),
);

Deno.test(
  "a cleanup without an agent ends everything, and only that",
  linux,
  () =>
    withAgent(async ({ kube, config, ctx, start }) => {
      const stop = start({ leaveProcesses: true });
      await kube.addPod({ name: "a" });
      const pid = await until("ready", () => isReady(kube, "a"));
      await stop();
      const stranger = new Deno.Command("sleep", { args: ["30"] }).spawn();
      try {
        // A record whose number belongs to somebody else by now.
        const folder = `${config.layout.run}/pods/old/main`;
        await ctx.fs.mkdir(folder, { recursive: true });
        const old = { pid: stranger.pid, started: "another-boot/1" };
        await ctx.fs.writeTextFile(
          `${folder}/process.json`,
          JSON.stringify({ shim: old, process: old }),
        );
        assert.equal(await stopAllContainers(ctx, config.layout), 1);
        assert.ok(!isAlive(pid));
        assert.ok(isAlive(stranger.pid));
        assert.equal(await stopAllContainers(ctx, config.layout), 0);
      } finally {
        stranger.kill("SIGKILL");
        await stranger.status;
      }
    }),
);

Deno.test(
  "a missing Secret keeps a container from being made until it is there",
  linux,
  () =>
    withAgent(async ({ kube, start }) => {
      start();
      const envFrom = [{ secretRef: { name: "token" } }];
      await kube.addPod({ name: "a", container: { envFrom } });
      const waiting = await until("waiting", () => {
        const state = main(kube.pod("a"))?.state.waiting;
        return state?.reason === "CreateContainerConfigError" ? state : undefined;
      });
      assert.equal(waiting.message, 'secret "token" not found');
      assert.equal(kube.pod("a")?.status?.phase, "Pending");
      await kube.apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "token", namespace: "demo" },
        data: { TOKEN: btoa("x") },
      });
      await until("ready", () => isReady(kube, "a"));
    }),
);

Deno.test(
  "pods that end: processes by their exit code, simulated ones by themselves",
  linux,
  () =>
    withAgent(async ({ kube, mood, start }) => {
      await mood("crash");
      start();
      await kube.addPod({ name: "failed", restartPolicy: "Never" });
      await kube.addPod({ name: "done", restartPolicy: "Never", container: { image: "busybox" } });
      await until("failed", () => kube.pod("failed")?.status?.phase === "Failed");
      assert.equal(main(kube.pod("failed"))?.state.terminated?.exitCode, 3);
      await until("done", () => kube.pod("done")?.status?.phase === "Succeeded");
      assert.equal(main(kube.pod("done"))?.state.terminated?.reason, "Completed");
    }),
);

Deno.test(
  "only one agent works for a cluster",
  linux,
  () =>
    withAgent(async ({ ctx, kube, config, start }) => {
      start();
      await kube.addPod({ name: "a" });
      await until("ready", () => isReady(kube, "a"));
      await assert.rejects(runAgent(ctx, kube, config), { code: "AGENT_RUNNING" });
      assert.ok(isReady(kube, "a"));
    }),
);

Deno.test(
  "processes start anew when their private network has died",
  linux,
  () =>
    withAgent(async ({ ctx, kube, config, start }) => {
      start();
      await kube.addPod({ name: "a" });
      const pid = await until("ready", () => isReady(kube, "a"));
      const relay = await readRelay(ctx, config.layout);
      if (relay === undefined) return;
      ctx.processes.kill(relay.outer, "SIGKILL");
      await until("restarted", () => isReady(kube, "a", 1));
      assert.ok(!isAlive(pid));
      const port = kube.objects("PortForward")[0]?.spec.forwards[0].target.port;
      const answer = await fetch(`http://127.0.0.1:${port}/health`);
      assert.equal(await answer.text(), "{}");
    }),
);

Deno.test(
  "without a private network pods run all the same, with a warning",
  linux,
  () =>
    withAgent(async ({ ctx, kube, config, start }) => {
      const stop = start();
      await kube.addPod({ name: "a" });
      await kube.addPod({ name: "b" });
      const pid = await until("ready", () => isReady(kube, "a"));
      await until("ready", () => isReady(kube, "b"));
      assert.equal(await readRelay(ctx, config.layout), undefined);
      assert.equal(await publicNetworkReason(ctx, config.layout), "not permitted");
      const warning =
        /^NetworkNotPrivate: No private network on this machine \(not permitted\): Dynamo/;
      assert.ok(kube.events.some((event) => warning.test(event)));
      const ports = kube.objects("PortForward").map(({ spec }) => spec.forwards[0].target.port);
      assert.equal(new Set(ports).size, 2);
      for (const port of ports) {
        assert.equal(await (await fetch(`http://127.0.0.1:${port}/health`)).text(), "{}");
      }
      await stop();
      assert.ok(!isAlive(pid));
    }, withoutNamespaces),
);

/** An interpreter whose relay meets a machine that allows no namespaces. */
async function withoutNamespaces(ctx: Context, python: string): Promise<string> {
  const path = `${ctx.home}/python`;
  await ctx.fs.writeTextFile(
    path,
    `#!/bin/sh
for last in "$@"; do :; done
case "$*" in
*/network_relay.py*) echo '{"error": "not permitted"}' > "$last" ;;
*) exec ${python} "$@" ;;
esac
`,
  );
  await ctx.fs.chmod(path, 0o755);
  return path;
}
