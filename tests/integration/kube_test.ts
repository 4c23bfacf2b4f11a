/**
 * The Kubernetes client against a real API server: the test run's, or the one of the
 * kubeconfig that `DYNAMO_TEST_KUBECONFIG` names. Everything it makes is in a namespace
 * (and on a simulated node) of its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { connectKube } from "../../lib/kube/client.ts";
import { explainPod } from "../../lib/kube/events.ts";
import { forwardPort, resolveServicePod } from "../../lib/kube/port_forward.ts";
import type { Kube, KubeObject, WatchEvent } from "../../lib/kube/types.ts";
import { withCluster } from "./cluster.ts";

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap" };
const POD = { apiVersion: "v1", kind: "Pod" };

interface Place {
  readonly ctx: Context;
  readonly kube: Kube;
  readonly namespace: string;
}

/** How a test differs from the others. */
interface Variant {
  /** Changes the kubeconfig before it is used. */
  readonly edit?: (kubeconfig: string) => string;
  /** The library's own HTTP client keeps a timer for a second after it was closed. */
  readonly leavesTimers?: boolean;
}

/** Runs with a client and a new namespace; Deno checks that nothing is left open. */
function clusterTest(
  name: string,
  run: (place: Place) => Promise<void>,
  variant: Variant = {},
): void {
  Deno.test(name, async (t) => {
    await withKubeconfig(async (kubeconfig) => {
      await t.step({
        name: "with a client of its own",
        sanitizeOps: !variant.leavesTimers,
        sanitizeResources: true,
        fn: () => inNamespace(kubeconfig, run, variant),
      });
    });
  });
}

async function withKubeconfig(run: (kubeconfig: string) => Promise<void>): Promise<void> {
  const given = Deno.env.get("DYNAMO_TEST_KUBECONFIG");
  if (given !== undefined) return await run(given);
  await withCluster(({ cluster }) => run(cluster.layout.kubeconfig));
}

async function inNamespace(
  given: string,
  run: (place: Place) => Promise<void>,
  { edit }: Variant,
): Promise<void> {
  await using test = await testContext();
  const kubeconfig = `${test.ctx.home}.kubeconfig`;
  const original = await Deno.readTextFile(given);
  const edited = edit?.(original) ?? original;
  if (edit !== undefined) assert.notEqual(edited, original, "the kubeconfig was not changed");
  await Deno.writeTextFile(kubeconfig, edited);
  const kube = await connectKube(test.ctx, { kubeconfig });
  const namespace = `kube-test-${crypto.randomUUID().slice(0, 8)}`;
  const ref = { apiVersion: "v1", kind: "Namespace", name: namespace };
  try {
    await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await run({ ctx: test.ctx, kube, namespace });
  } finally {
    await kube.delete(ref).catch(() => {});
    kube.close();
  }
}

/** Waits for an event of the watch; fails after 20 s. */
async function firstEvent(
  kube: Kube,
  kind: { readonly apiVersion: string; readonly kind: string },
  namespace: string | undefined,
  wanted: (event: WatchEvent) => boolean,
): Promise<WatchEvent> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 20_000);
  try {
    for await (const event of kube.watch(kind, { signal: stop.signal, namespace })) {
      if (wanted(event)) return event;
    }
    throw new Error(`${kind.kind}: the event did not come within 20 s`);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function firstPod(kube: Kube, namespace: string, wanted: (pod: KubeObject) => boolean) {
  const event = await firstEvent(
    kube,
    POD,
    namespace,
    (event) => event.type === "SYNC" ? event.items.some(wanted) : wanted(event.object),
  );
  return event.type === "SYNC" ? event.items.find(wanted)! : event.object;
}

const isReady = (pod: KubeObject) =>
  (pod["status"]?.conditions ?? []).some((condition: { type: string; status: string }) =>
    condition.type === "Ready" && condition.status === "True"
  );

clusterTest("objects are applied, read, changed and deleted", async ({ kube, namespace }) => {
  assert.match(await kube.version(), /^v1\.\d+/);
  assert.equal(await kube.raw("/readyz"), "ok");
  const metadata = { name: "a", namespace };
  const ref = { ...CONFIG_MAP, ...metadata };
  assert.equal(await kube.get(ref), undefined);

  const dry = await kube.apply({ ...CONFIG_MAP, metadata, data: { x: "0" } }, { dryRun: true });
  assert.equal(dry["data"].x, "0");
  assert.equal(await kube.get(ref), undefined);

  const made = await kube.apply({ ...CONFIG_MAP, metadata, data: { x: "1" } });
  assert.equal((await kube.get(ref))?.["data"].x, "1");
  assert.equal((await kube.apply(made))["data"].x, "1");
  await assert.rejects(kube.create({ ...CONFIG_MAP, metadata }), { code: "KUBE_ALREADYEXISTS" });
  await assert.rejects(kube.apply({ ...CONFIG_MAP, metadata, bogus: 1 }), {
    code: "KUBE_INVALID",
    message: /apply ConfigMap kube-test-.*\/a: .*bogus/,
  });

  await kube.patch(ref, "merge", { data: { y: "2" } });
  await kube.patch(ref, "json", [{ op: "remove", path: "/data/x" }]);
  assert.deepEqual((await kube.get(ref))?.["data"], { y: "2" });
  await assert.rejects(kube.replace({ ...made, data: {} }), { code: "KUBE_CONFLICT" });
  await kube.replace({ ...CONFIG_MAP, metadata, data: { z: "3" } });
  assert.deepEqual((await kube.get(ref))?.["data"], { z: "3" });

  assert.equal(await kube.delete(ref, { uid: "another" }), false);
  assert.equal(
    await kube.delete(ref, { uid: made.metadata.uid! }),
    true,
  );
  assert.equal(await kube.delete(ref), false);
});

clusterTest("fields of another manager are taken over unless told not to", async (place) => {
  const { ctx, kube, namespace } = place;
  const other = await connectKube(ctx, {
    kubeconfig: `${ctx.home}.kubeconfig`,
    fieldManager: "other",
  });
  const object = { ...CONFIG_MAP, metadata: { name: "a", namespace }, data: { x: "1" } };
  await kube.apply(object);
  const changed = { ...object, data: { x: "2" } };
  await assert.rejects(other.apply(changed, { force: false }), {
    code: "KUBE_CONFLICT",
    message: /dynamo-eks/,
  });
  assert.equal((await other.apply(changed))["data"].x, "2");
  other.close();
});

clusterTest("long lists come complete", async ({ kube, namespace }) => {
  const names = Array.from({ length: 520 }, (_, n) => `m${n}`);
  for (let at = 0; at < names.length; at += 40) {
    await Promise.all(
      names.slice(at, at + 40).map((name) =>
        kube.create({ ...CONFIG_MAP, metadata: { name, namespace, labels: { many: "yes" } } })
      ),
    );
  }
  const { items } = await kube.list(CONFIG_MAP, { namespace, labelSelector: "many=yes" });
  assert.deepEqual(items.map((item) => item.metadata.name).sort(), names.sort());
  assert.ok(items.every((item) => item.kind === "ConfigMap"));
});

clusterTest("a watch follows what happens", async ({ kube, namespace }) => {
  const seen: string[] = [];
  const stop = new AbortController();
  const metadata = { name: "w", namespace };
  await kube.apply({ ...CONFIG_MAP, metadata: { name: "before", namespace } });
  const options = {
    signal: stop.signal,
    namespace,
    fieldSelector: "metadata.name!=kube-root-ca.crt",
  };
  for await (const event of kube.watch(CONFIG_MAP, options)) {
    if (event.type === "SYNC") {
      seen.push(`SYNC ${event.items.map((item) => item.metadata.name)}`);
      await kube.apply({ ...CONFIG_MAP, metadata, data: { x: "1" } });
    } else {
      seen.push(`${event.type} ${event.object.metadata.name}`);
      if (event.type === "ADDED") await kube.apply({ ...CONFIG_MAP, metadata, data: { x: "2" } });
      if (event.type === "MODIFIED") await kube.delete({ ...CONFIG_MAP, ...metadata });
      if (event.type === "DELETED") stop.abort();
    }
  }
  assert.deepEqual(seen, ["SYNC before", "ADDED w", "MODIFIED w", "DELETED w"]);
});

clusterTest("a kind is found as soon as its CRD is there", async ({ kube, namespace }) => {
  const group = `${namespace}.example.com`;
  const kind = { apiVersion: `${group}/v1`, kind: "Gizmo" };
  const crd = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
  const name = `gizmos.${group}`;
  assert.deepEqual((await kube.list(kind)).items, []);
  const object = { ...kind, metadata: { name: "g", namespace } };
  await assert.rejects(kube.apply(object), { code: "KUBE_KIND_UNKNOWN", exitCode: 3 });
  const appears = firstEvent(kube, kind, namespace, (event) => event.type === "ADDED");
  try {
    await kube.apply({
      ...crd,
      metadata: { name },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind: "Gizmo", plural: "gizmos" },
        versions: [{
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: { type: "object", properties: { size: { type: "integer" } } },
                status: { type: "object", properties: { phase: { type: "string" } } },
              },
            },
          },
        }],
      },
    });
    const established = (event: WatchEvent) =>
      (event.type === "SYNC" ? event.items : [event.object]).some((item) =>
        item.metadata.name === name &&
        item["status"]?.conditions?.some((condition: { type: string; status: string }) =>
          condition.type === "Established" && condition.status === "True"
        )
      );
    await firstEvent(kube, crd, undefined, established);
    // The watch has to start before the object is there, as it asks once a second.
    await firstEvent(kube, kind, namespace, (event) => event.type === "SYNC");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await kube.apply({ ...object, spec: { size: 1 } });
    await appears;
    await kube.patch(
      { ...kind, name: "g", namespace },
      "merge",
      { status: { phase: "ready" } },
      "status",
    );
    assert.equal((await kube.get({ ...kind, name: "g", namespace }))?.["status"].phase, "ready");
    await assert.rejects(kube.apply({ ...object, spec: { size: "big" } }), {
      code: "KUBE_INVALID",
    });
  } finally {
    await kube.delete({ ...crd, name });
    await appears.catch(() => {});
  }
});

clusterTest("a pod that finds no node is explained", async ({ kube, namespace }) => {
  await kube.apply(podOf("stuck", namespace, { nodeSelector: { "no-such": "node" } }));
  const unschedulable = (pod: KubeObject) =>
    pod["status"]?.conditions?.some((condition: { reason?: string }) =>
      condition.reason === "Unschedulable"
    ) === true;
  await firstPod(kube, namespace, unschedulable);
  const lines = await explainPod(kube, { name: "stuck", namespace });
  assert.equal(lines[0], "pod stuck: Pending, not ready");
  assert.ok(
    lines.some((line) => /PodScheduled is false: Unschedulable/.test(line)),
    lines.join("\n"),
  );
});

clusterTest("credentials that are refused are a precondition", async ({ ctx, namespace }) => {
  const path = `${ctx.home}.kubeconfig`;
  const text = await Deno.readTextFile(path);
  const wrong = text.replace(/token: *"?[\w.-]+"?/, "token: wrong");
  if (wrong === text) {
    // deno-lint-ignore no-console -- a skipped test says why
    console.log("SKIPPED: the kubeconfig holds no token");
    return;
  }
  await Deno.writeTextFile(path, wrong);
  const stranger = await connectKube(ctx, { kubeconfig: path });
  await assert.rejects(stranger.list(POD, { namespace }), {
    code: "KUBE_UNAUTHORIZED",
    exitCode: 3,
  });
  stranger.close();
});

clusterTest("logs and ports of a simulated pod", reachPod);

// Once more through the library's own HTTP client.
clusterTest("logs and ports without certificate checks", reachPod, {
  edit: (text) =>
    text.replaceAll(
      /certificate-authority(-data)?: *"?[^",}\n]+"?/g,
      "insecure-skip-tls-verify: true",
    ),
  leavesTimers: true,
});

/** A pod of kwok with a log file and a port, seen through the API server. */
async function reachPod({ ctx, kube, namespace }: Place): Promise<void> {
  const kwok = "kwok.x-k8s.io/v1alpha1";
  const crds = await kube.list({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
  });
  const names = crds.items.map((crd) => crd.metadata.name);
  if (!names.includes("logs.kwok.x-k8s.io")) {
    // deno-lint-ignore no-console -- a skipped test says why
    console.log("SKIPPED: the cluster has no kwok, which simulates pods");
    return;
  }
  const node = { apiVersion: "v1", kind: "Node", name: namespace };
  const log = await Deno.makeTempFile({ suffix: ".log" });
  const line = (text: string) => `2026-01-01T00:00:00.000000000Z stdout F ${text}\n`;
  await Deno.writeTextFile(log, line("one") + line("two"));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => new Response(`you asked for ${new URL(request.url).pathname}`),
  );
  const metadata = { name: "web", namespace };
  try {
    await kube.apply({
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: node.name,
        annotations: { "kwok.x-k8s.io/node": "fake" },
        labels: { "kube-test": namespace },
      },
      spec: { taints: [{ key: "kube-test", value: namespace, effect: "NoSchedule" }] },
      status: { allocatable: { cpu: "1", memory: "1Gi", pods: "10" } },
    });
    await kube.apply({
      apiVersion: kwok,
      kind: "Logs",
      metadata,
      spec: { logs: [{ containers: ["main"], logsFile: log, follow: true }] },
    });
    const target = { address: "127.0.0.1", port: server.addr.port };
    const closed = { address: "127.0.0.1", port: closedPort() };
    await kube.apply({
      apiVersion: kwok,
      kind: "PortForward",
      metadata,
      spec: { forwards: [{ ports: [8000], target }, { ports: [8001], target: closed }] },
    });
    await kube.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
    });
    await kube.apply(podOf("web", namespace, {
      nodeName: node.name,
      tolerations: [{ key: "kube-test", operator: "Exists" }],
    }));
    // Where an agent runs the pods, nobody says that they are ready but this.
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    await kube.patch({ ...POD, ...metadata }, "merge", { status }, "status");
    await firstPod(kube, namespace, isReady);
    await readLogs(kube, metadata, () => Deno.writeTextFile(log, line("three"), { append: true }));
    await forward({ ctx, kube, namespace });
  } finally {
    await kube.delete({ ...POD, ...metadata }, { gracePeriodSeconds: 0 });
    await kube.delete(node);
    await server.shutdown();
    await Deno.remove(log);
  }
}

async function readLogs(
  kube: Kube,
  pod: { name: string; namespace: string },
  append: () => Promise<void>,
): Promise<void> {
  assert.deepEqual(await Array.fromAsync(kube.logs(pod, { container: "main" })), ["one", "two"]);
  assert.deepEqual(await Array.fromAsync(kube.logs(pod, { tailLines: 1 })), ["two"]);
  const stamped = await Array.fromAsync(kube.logs(pod, { timestamps: true }));
  assert.match(stamped[0]!, /^2026-01-01T00:00:00\S* one$/);
  const stop = new AbortController();
  const followed: string[] = [];
  for await (const line of kube.logs(pod, { follow: true, signal: stop.signal })) {
    followed.push(line);
    if (line === "two") await append();
    if (line === "three") stop.abort();
  }
  assert.deepEqual(followed, ["one", "two", "three"]);
}

async function forward({ ctx, kube, namespace }: Place): Promise<void> {
  const service = { namespace, service: "web", port: "http" };
  assert.deepEqual(await resolveServicePod(kube, service), { namespace, name: "web", port: 8000 });
  const forwarder = await forwardPort(ctx, kube, {
    pod: () => resolveServicePod(kube, service),
    port: 80,
  });
  const client = Deno.createHttpClient({});
  const answers = await Promise.all(Array.from({ length: 30 }, async (_, n) => {
    const answer = await fetch(`${forwarder.url}/${n}`, { client });
    return await answer.text();
  }));
  assert.deepEqual(answers, answers.map((_, n) => `you asked for /${n}`));
  client.close();
  await forwarder.close();

  const started = performance.now();
  for (const [port, says] of [[8001, /connection refused/], [9999, /forward not found/]] as const) {
    const nobody = await kube.connect({ name: "web", namespace }, port);
    await assert.rejects(Array.fromAsync(nobody.readable), {
      code: "KUBE_PORT_FORWARD",
      message: says,
    });
    nobody.close();
  }
  assert.ok(performance.now() - started < 2_000, "it is said at once");
}

function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function podOf(name: string, namespace: string, spec: object): KubeObject {
  return {
    ...POD,
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      containers: [{
        name: "main",
        image: "none",
        ports: [{ name: "http", containerPort: 8000 }],
      }],
      ...spec,
    },
  };
}
