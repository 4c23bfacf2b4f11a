/**
 * Claims that are in use: on a real API server nothing goes before its last pod, so what makes the
 * pods goes first, and nothing else does.
 */
import assert from "node:assert/strict";
import { openAws } from "../../lib/aws/session.ts";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { clusterSteps } from "../../lib/cleanup/cluster_steps.ts";
import { findHoldings } from "../../lib/cleanup/holdings.ts";
import { runPlan } from "../../lib/cli/plan.ts";
import { testContext } from "../../lib/cli/testing.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { awsEnvironment } from "../support/moto.ts";
import { withCluster } from "./cluster.ts";
import { readyPods } from "./ready_pods.ts";

const OURS = { "app.kubernetes.io/managed-by": "dynamo-eks" };
const DRIVER = "ebs.csi.aws.com";

Deno.test("claims in use go after what mounts them; its neighbours stay", () =>
  withCluster(async ({ ctx, kube, namespace }) => {
    await using made = await testContext({ env: awsEnvironment("http://127.0.0.1:9") });
    const aws = await openAws(made.ctx, { region: "us-west-2" });
    const stop = new AbortController();
    const playing = [readyPods(kube, namespace, stop.signal), playDriver(kube, namespace, stop)];
    const ref = (apiVersion: string, kind: string, name: string): ObjectRef => ({
      ...{ apiVersion, kind, namespace, name },
    });
    const users = [
      ref("apps/v1", "Deployment", "server"),
      ref("apps/v1", "StatefulSet", "prometheus"),
      ref("batch/v1", "Job", "download"),
      ref("v1", "Pod", "alone"),
    ];
    const neighbour = ref("apps/v1", "Deployment", "neighbour");
    const claims = ["models", "data-prometheus-0", "alone"];
    try {
      for (const object of world(namespace)) await kube.create(object);
      await until(async () => {
        const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, { namespace });
        const running = items.filter(({ status }) => status?.phase === "Running");
        return running.length === 5;
      });
      const pvc = (name: string) => kube.get(ref("v1", "PersistentVolumeClaim", name));
      for (const name of claims) {
        assert.equal((await pvc(name))?.["status"]?.phase, "Bound", name);
        assert.deepEqual((await pvc(name))?.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
      }
      const { items: volumes } = await kube.list({ apiVersion: "v1", kind: "PersistentVolume" });
      const mine = volumes.filter(({ spec }) => spec.claimRef?.namespace === namespace);
      assert.equal(mine.length, 3);
      const found = await findHoldings(kube, { namespace, release: resolveRelease("0.4.1") });
      const holdings = {
        balancers: [],
        nodes: [],
        graphNamespaces: [],
        strangers: [],
        claims: found.claims.filter((one) => one.ref.namespace === namespace),
      };
      assert.deepEqual(holdings.claims.map(({ ref }) => ref.name).sort(), [...claims].sort());
      const uid = (await kube.get(neighbour))!.metadata.uid;

      const freed: string[] = [];
      const results = await runPlan(ctx, {
        task: "test",
        facts: {},
        warnings: [],
        steps: clusterSteps({
          aws,
          cluster: "dynamo",
          holdings,
          patience: { claims: 30_000 },
          kube: {
            ...kube,
            patch(ref, ...rest) {
              freed.push(ref.name);
              return kube.patch(ref, ...rest);
            },
          },
        }),
      });
      const disks = results.find(({ id }) => id === "disks");
      assert.deepEqual([disks?.outcome, disks?.detail], ["done", "3 claims gone, 3 volumes"]);
      // They went by themselves, once their pods had.
      assert.deepEqual(freed, []);
      assert.ok(disks!.ms < 30_000, `${disks!.ms} ms`);
      for (const one of users) assert.equal(await kube.get(one), undefined, one.name);
      for (const name of claims) assert.equal(await pvc(name), undefined, name);
      const left = await kube.list({ apiVersion: "v1", kind: "PersistentVolume" });
      const names = new Set(mine.map(({ metadata }) => metadata.name));
      assert.deepEqual(left.items.filter(({ metadata }) => names.has(metadata.name)), []);
      const stays = await kube.get(neighbour);
      assert.deepEqual([stays?.metadata.uid, stays?.["status"].readyReplicas], [uid, 1]);
    } finally {
      stop.abort();
      await Promise.all(playing);
    }
  }));

/** Volumes as EBS's driver makes them; a Deployment, a StatefulSet, a Job and a pod that use them. */
function world(namespace: string): KubeObject[] {
  const volume = (claim: string): KubeObject => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: `${namespace}-${claim}`,
      annotations: { "pv.kubernetes.io/provisioned-by": DRIVER },
    },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName: "",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim },
      csi: { driver: DRIVER, volumeHandle: `vol-of-${claim}` },
    },
  });
  const claimSpec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "",
  };
  const claim = (name: string): KubeObject => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace, labels: OURS },
    spec: claimSpec,
  });
  const pod = (volumes: readonly object[], more: object = {}) => ({
    containers: [{ name: "main", image: "registry.invalid/none" }],
    terminationGracePeriodSeconds: 1,
    volumes,
    ...more,
  });
  const uses = (claimName: string) => [{ name: "it", persistentVolumeClaim: { claimName } }];
  const workload = (name: string, spec: object, kind = "Deployment"): KubeObject => ({
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
      ...(kind === "Deployment" ? {} : {
        serviceName: name,
        volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec }],
      }),
    },
  });
  return [
    ...["models", "data-prometheus-0", "alone"].map(volume),
    claim("models"),
    claim("alone"),
    workload("server", pod(uses("models"))),
    workload("neighbour", pod([])),
    workload("prometheus", pod([]), "StatefulSet"),
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "download", namespace },
      spec: { template: { spec: pod(uses("models"), { restartPolicy: "Never" }) } },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "alone", namespace },
      spec: pod(uses("alone")),
    },
  ];
}

/** EBS's driver: a volume whose claim is gone goes. */
async function playDriver(kube: Kube, namespace: string, stop: AbortController): Promise<void> {
  const kind = { apiVersion: "v1", kind: "PersistentVolume" };
  while (!stop.signal.aborted) {
    for (const { metadata: { name }, spec, status } of (await kube.list(kind)).items) {
      if (spec.claimRef?.namespace !== namespace || status?.phase !== "Released") continue;
      await kube.delete({ ...kind, name });
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function until(test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await test()) {
    assert.ok(performance.now() < end, "not in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
