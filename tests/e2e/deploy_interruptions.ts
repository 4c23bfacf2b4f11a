/**
 * Drills in which something happens to the cluster while a graph comes up, and the graph comes up
 * all the same.
 *
 * @module
 */
import assert from "node:assert/strict";
import { silentStep } from "../../lib/cli/testing.ts";
import { waitForGraph } from "../../lib/deploy/ready.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { preparePrograms } from "../../lib/local/binaries/programs.ts";
import { startCluster } from "../../lib/local/cluster.ts";
import { runningDaemon } from "../../lib/local/daemon.ts";
import { localLayout } from "../../lib/local/layout.ts";
import {
  API,
  type DrillCluster,
  expiringProxy,
  GRAPH,
  NAMESPACE,
  until,
} from "./deploy_support.ts";
import { replaceFrontend, runningForward } from "./forward_drill.ts";

/**
 * The API server is killed right after the graph was applied, and started again. A port-forward
 * to another graph loses its connections, and goes on.
 */
export async function apiRestarted({ ctx, deploy, home, kube }: DrillCluster): Promise<void> {
  await using forward = await runningForward(home, "rolled");
  const held = await forward.hold();
  const run = deploy("vllm", "--name", "restarted");
  await run.said(/Wait until restarted is ready/);
  const running = await runningDaemon(ctx, localLayout(ctx), "kube-apiserver");
  ctx.processes.kill(running!.identity, "SIGKILL");
  // Long enough for calls in between to fail.
  await ctx.clock.sleep(1_000);
  await held.ended;
  assert.match(forward.talk.join("\n"), /! Port-forward: .*closed the connection/);
  const asked = forward.answers();
  await startCluster(ctx, await preparePrograms(ctx, silentStep), silentStep);
  await asked;
  const deployed = await run.done;
  assert.equal(deployed.code, 0, deployed.talk);
  await kube.delete({ ...GRAPH, name: "restarted" });
}

/** The first watch of each kind asks for a version that the API server has no more: 410. */
export async function watchesExpire({ ctx, home, deploy, kube }: DrillCluster): Promise<void> {
  await using proxy = await expiringProxy(ctx, home);
  const applied = await deploy("vllm", "--name", "expired", "--no-wait", "--output", "json").done;
  assert.equal(applied.code, 0, applied.talk);
  assert.equal(JSON.parse(applied.data).ready, false);
  const state = await waitForGraph(ctx, proxy.kube, {
    namespace: NAMESPACE,
    name: "expired",
    apiVersion: API,
    timeoutMs: 60_000,
  });
  assert.equal(state.ready, true);
  assert.ok(proxy.expired >= 4, `${proxy.expired} watches expired`);
  await kube.delete({ ...GRAPH, name: "expired" });
}

/**
 * The worker's node is cordoned and its pod put off it, as kubectl drain does. Meanwhile another
 * graph's frontend is replaced, and a port-forward to it goes on.
 */
export async function drained(cluster: DrillCluster): Promise<void> {
  const { kube, deploy, home } = cluster;
  await using forward = await runningForward(home, "rolled");
  await forward.answers();
  const run = deploy("vllm", "--name", "drained");
  await run.said(/VllmDecodeWorker: 0 of 1 ready, 1 (pulling|loading)/);
  const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
    namespace: NAMESPACE,
    labelSelector: "nvidia.com/dynamo-graph-deployment-name=drained",
  });
  const worker = items.find((pod) => /vllmdecodeworker/.test(pod.metadata.name))!;
  const node = { apiVersion: "v1", kind: "Node", name: worker["spec"].nodeName as string };
  await kube.patch(node, "merge", { spec: { unschedulable: true } });
  try {
    // What kubectl drain does, pod by pod.
    await kube.delete({ apiVersion: "v1", kind: "Pod", ...where(worker) });
    await replaceFrontend(cluster, "rolled");
    await forward.answers();
    const deployed = await run.done;
    assert.equal(deployed.code, 0, deployed.talk);
    const now = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
      namespace: NAMESPACE,
      labelSelector: "nvidia.com/dynamo-graph-deployment-name=drained",
    });
    const moved = now.items.find((pod) =>
      /vllmdecodeworker/.test(pod.metadata.name) && pod.metadata.deletionTimestamp === undefined
    )!;
    assert.notEqual(moved["spec"].nodeName, node.name);
  } finally {
    await kube.patch(node, "merge", { spec: { unschedulable: null } });
    await kube.delete({ ...GRAPH, name: "drained" });
    await kube.delete({ ...GRAPH, name: "rolled" });
  }
}

function where({ metadata: { name, namespace } }: KubeObject) {
  return { name, namespace };
}

/** Karpenter's part is the test's: its kinds, its word on the pod, its order, and the node. */
export async function poolWakesUp({ kube, deploy }: DrillCluster): Promise<void> {
  const pool = "g7-gpu-karpenter";
  const kinds = ["NodePool", "NodeClaim"];
  const crd = (kind: string) => {
    const plural = `${kind.toLowerCase()}s`;
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    return {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.karpenter.sh` },
      spec: {
        group: "karpenter.sh",
        scope: "Cluster",
        names: { kind, plural, singular: kind.toLowerCase() },
        versions: [
          { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } },
        ],
      },
    };
  };
  const ours = (kind: string, name: string, more: Record<string, unknown> = {}): KubeObject => ({
    apiVersion: "karpenter.sh/v1",
    kind,
    metadata: { name, labels: { "karpenter.sh/nodepool": pool } },
    ...more,
  });
  const { items } = await kube.list({ apiVersion: "v1", kind: "Node" });
  const like = items.find((node) => node.metadata.name === "g6-gpu-karpenter-1")!;
  const node = { apiVersion: "v1", kind: "Node", name: `${pool}-1` };
  try {
    for (const kind of kinds) await kube.apply(crd(kind));
    await until(async () =>
      (await Promise.all(kinds.map((kind) => kube.list({ apiVersion: "karpenter.sh/v1", kind }))))
        .every((list) => list.resourceVersion !== "")
    );
    for (const name of [pool, "cpu-karpenter"]) await kube.apply(ours("NodePool", name));
    const run = deploy("vllm", "--name", "woken", "--node-pool", `VllmDecodeWorker=${pool}`);
    await run.said(/there is no node yet, and Karpenter has not ordered a node of pool g7-gpu/);
    const claim = ours("NodeClaim", `${pool}-x7k2p`);
    await kube.apply(claim);
    await run.said(/g7-gpu-karpenter: Karpenter asks EC2 for a node of pool g7-gpu/);
    claim.metadata.labels!["node.kubernetes.io/instance-type"] = "g7.12xlarge";
    const conditions = [{ type: "Launched", status: "True" }];
    await kube.apply({ ...claim, status: { conditions } });
    await run.said(/g7-gpu-karpenter: EC2 has started g7\.12xlarge/);
    const { annotations = {}, labels = {} } = like.metadata;
    const label = { "karpenter.sh/nodepool": pool, "kubernetes.io/hostname": node.name };
    await kube.create({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: node.name, annotations, labels: { ...labels, ...label } },
      spec: { taints: (like["spec"].taints ?? []).filter(isOwnTaint) },
    });
    const { capacity, allocatable } = like["status"];
    await kube.patch(node, "merge", { status: { capacity, allocatable } }, "status");
    const deployed = await run.done;
    assert.equal(deployed.code, 0, deployed.talk);
  } finally {
    await kube.delete({ ...GRAPH, name: "woken" });
    await kube.delete(node);
    for (const kind of kinds) {
      const { apiVersion, metadata: { name } } = crd(kind);
      await kube.delete({ apiVersion, kind: "CustomResourceDefinition", name });
    }
  }
}

function isOwnTaint({ key }: { readonly key: string }): boolean {
  return key.startsWith("nvidia.com/");
}
