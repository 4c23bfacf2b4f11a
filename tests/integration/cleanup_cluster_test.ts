/**
 * What goes inside an EKS cluster before it does: a real control plane, the load balancer
 * controller played by the test, AWS as moto.
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { clusterSteps } from "../../lib/cleanup/cluster_steps.ts";
import { findHoldings } from "../../lib/cleanup/holdings.ts";
import { runPlan } from "../../lib/cli/plan.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { withMoto } from "../support/moto.ts";
import { withCluster } from "./cluster.ts";

const FINALIZER = "service.k8s.aws/resources";
const LABELS = { "app.kubernetes.io/managed-by": "dynamo-eks" };

Deno.test(
  "load balancers and disks go before the cluster; what nobody lets go is let go late",
  { sanitizeResources: false, sanitizeOps: false },
  () =>
    withMoto((moto) =>
      withCluster(async ({ ctx, kube, namespace }) => {
        const aws = await moto.aws(ctx);
        const service = (name: string, more: KubeObject["metadata"] | object): KubeObject => ({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name, namespace, ...more },
          spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
        });
        await kube.apply(service("mine", { labels: LABELS, finalizers: [FINALIZER] }));
        await kube.apply(service("stuck", { finalizers: ["example.com/stuck"] }));
        await kube.apply({
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name: "models", namespace, labels: LABELS },
          spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
            storageClassName: "none-of-this-name",
          },
        });
        const found = await findHoldings(kube, { namespace, release: resolveRelease("0.4.1") });
        const here = <T extends { ref: { namespace?: string | undefined } }>(all: readonly T[]) =>
          all.filter((one) => one.ref.namespace === namespace);
        const holdings = {
          ...found,
          balancers: here(found.balancers),
          claims: here(found.claims),
        };
        assert.deepEqual(holdings.balancers.map(({ ref, ours }) => [ref.name, ours]).sort(), [
          ["mine", true],
          ["stuck", false],
        ]);
        assert.deepEqual(holdings.claims.map(({ ref, ours }) => [ref.name, ours]), [
          ["models", true],
        ]);
        const patience = { balancers: 3_000, claims: 10_000 };
        const steps = clusterSteps({ kube, aws, cluster: "dynamo", holdings, patience });
        const controller = letGo(kube, namespace);
        const results = await runPlan(ctx, { task: "test", facts: {}, warnings: [], steps });
        await controller;
        assert.deepEqual(results.map(({ id, outcome }) => [id, outcome]), [
          ["load-balancers", "done"],
          ["disks", "done"],
          ["nodes", "skipped"],
        ]);
        const left = await findHoldings(kube, { namespace, release: resolveRelease("0.4.1") });
        assert.deepEqual([here(left.balancers), here(left.claims)], [[], []]);
      })
    ),
);

/** The controller: takes its finalizer away once the Service is being deleted. */
async function letGo(kube: Kube, namespace: string): Promise<void> {
  const ref = { apiVersion: "v1", kind: "Service", namespace, name: "mine" };
  for (let tries = 0; tries < 100; tries++) {
    const found = await kube.get(ref);
    if (found === undefined) return;
    if (found.metadata.deletionTimestamp !== undefined) {
      await kube.patch(ref, "merge", { metadata: { finalizers: null } });
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
