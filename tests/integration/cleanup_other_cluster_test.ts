/**
 * A kubeconfig that has come to mean another cluster: every level of cleanup refuses before it
 * touches anything. The other cluster is a real one; the one that was installed is remembered.
 */
import assert from "node:assert/strict";
import { planPlatformCleanup } from "../../lib/cleanup/platform.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { type CleanupLevel, planCleanup } from "../../lib/deploy/cleanup.ts";
import { clusterUid, openTarget, rememberTarget, type Target } from "../../lib/target/target.ts";
import { contentOf } from "../support/leftovers.ts";
import { runTaskProcess } from "../support/task.ts";
import { withCluster } from "./cluster.ts";

const LEVELS: readonly CleanupLevel[] = [
  { kind: "graph", name: "vllm" },
  { kind: "graphs" },
  { kind: "all", cache: false },
];
const OURS = { "app.kubernetes.io/managed-by": "dynamo-eks" };

Deno.test("another cluster behind the same kubeconfig is refused at every level, before anything is touched", () =>
  withCluster(async ({ kube, cluster, namespace }) => {
    await using test = await testContext();
    const { ctx } = test;
    const { home } = ctx;
    // Ours by its label, and in a namespace of ours: only the cluster is another one.
    const secret = { apiVersion: "v1", kind: "Secret", namespace, name: "hf-token-secret" };
    await kube.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace, name: secret.name, labels: OURS },
    });
    const space = { apiVersion: "v1", kind: "Namespace", name: namespace };
    await kube.patch(space, "merge", { metadata: { labels: OURS } });
    const before = await contentOf(kube, [secret, space]);
    await Deno.mkdir(`${home}/local/etcd`, { recursive: true });
    await Deno.copyFile(cluster.layout.kubeconfig, `${home}/kubeconfig`);
    const uid = await clusterUid(kube);
    const place = { kubeconfig: `${home}/kubeconfig`, namespace, release: "1.6.1" };
    const targets: readonly Target[] = [
      { ...place, kind: "local", uid: "of-the-one-that-was-installed" },
      { ...place, kind: "context", server: kube.server, uid: "of-the-one-that-was-installed" },
      // The same cluster by its uid, and an address that is another one.
      { ...place, kind: "context", server: "https://127.0.0.1:1", ...(uid ? { uid } : {}) },
      {
        ...place,
        kind: "eks",
        uid: "of-the-one-that-was-installed",
        cluster: {
          name: "dynamo-on-eks",
          region: "us-west-2",
          account: "123456789012",
          endpoint: "https://0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com",
        },
      },
    ];
    for (const target of targets) {
      await rememberTarget(ctx, target);
      for (const level of LEVELS.filter(({ kind }) => kind !== "all" || target.kind === "local")) {
        await assert.rejects(planCleanup(ctx, level, {}), { code: "TARGET_OTHER_CLUSTER" });
      }
      await assert.rejects(
        planPlatformCleanup(ctx, { definitions: true }),
        { code: "TARGET_OTHER_CLUSTER" },
      );
    }
    await rememberTarget(ctx, targets[0]!);
    for (const words of [["vllm"], ["--graphs"], ["--platform"], ["--all"]]) {
      const result = await runTaskProcess(["cleanup", ...words, "--yes"], { home });
      assert.equal(result.code, 3, result.stderr);
      assert.match(result.stderr, /leads to another cluster.*Nothing was touched/s);
    }
    assert.deepEqual(await contentOf(kube, [secret, space]), before);
    assert.ok((await Deno.stat(`${home}/local/etcd`)).isDirectory);
    assert.ok((await Deno.stat(`${home}/kubeconfig`)).isFile);
    // With the right uid it is let in: the refusal is for the reason that it names.
    const right = await openTarget(ctx, { ...targets[0]!, ...(uid ? { uid } : {}) });
    right.close();
  }));
