/**
 * What goes inside an EKS cluster before it does: a real control plane, the load balancer
 * controller played by the test, AWS as moto; and an API server that stops answering meanwhile.
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { clusterSteps } from "../../lib/cleanup/cluster_steps.ts";
import { findHoldings, type Holdings } from "../../lib/cleanup/holdings.ts";
import { leaveOutWhenLost, type Reach } from "../../lib/cleanup/unanswered.ts";
import type { AwsSession } from "../../lib/aws/session.ts";
import { runPlan, type StepResult } from "../../lib/cli/plan.ts";
import { connectKube } from "../../lib/kube/client.ts";
import { kubeconfigText, statusResponse } from "../../lib/kube/testing.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { readAuthority } from "../../lib/local/serving_certificate.ts";
import { withMoto } from "../support/moto.ts";
import { type TestCluster, withCluster } from "./cluster.ts";

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

Deno.test(
  "an API server with a fault is asked again; one that keeps failing is given up, and the rest goes on",
  { sanitizeResources: false, sanitizeOps: false },
  () =>
    withMoto((moto) =>
      withCluster(async (test) => {
        const aws = await moto.aws(test.ctx);
        await using front = await apiFront(test);
        let faults = 0;
        front.answer = ({ method }) => method === "DELETE" && faults++ === 0 ? broken() : undefined;
        const once = await removeService(test, { kube: front.kube, aws });
        assert.deepEqual(once.results.map(({ outcome }) => outcome), [
          "done",
          "skipped",
          "skipped",
        ]);
        assert.equal(once.reach.lost, undefined);
        assert.ok(faults > 1);

        let lost = false;
        front.answer = ({ method }) => {
          lost ||= method === "DELETE";
          return lost ? broken() : undefined;
        };
        const patienceMs = 3_000;
        const gone = await removeService(test, { kube: front.kube, aws, patienceMs });
        assert.deepEqual(gone.results.map(({ outcome }) => outcome), Array(3).fill("skipped"));
        const [balancers, disks] = gone.results;
        assert.match(balancers?.detail ?? "", /^left out, as the API server does not answer/);
        assert.ok(balancers!.ms >= patienceMs && balancers!.ms < 3 * patienceMs);
        assert.equal(disks?.detail, "there are none");
        assert.match(gone.reach.lost ?? "", /etcdserver: leader changed/);
        const left = await test.kube.get(serviceRef(test.namespace));
        assert.equal(left?.metadata.deletionTimestamp, undefined);
      })
    ),
);

const serviceRef = (namespace: string) => ({
  ...{ apiVersion: "v1", kind: "Service", namespace, name: "web" },
});

const broken = () => statusResponse(500, "InternalError", "etcdserver: leader changed");

/** Makes a Service with a load balancer and runs the steps that take it away. */
async function removeService(
  { ctx, kube: real, namespace }: TestCluster,
  options: { readonly kube: Kube; readonly aws: AwsSession; readonly patienceMs?: number },
): Promise<{ readonly results: StepResult[]; readonly reach: Reach }> {
  const { kube, aws, patienceMs = 60_000 } = options;
  const { name, ...kind } = serviceRef(namespace);
  await real.apply({
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { name, namespace, labels: LABELS },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
  });
  const found = await findHoldings(kube, { namespace, release: resolveRelease("0.4.1") });
  const holdings: Holdings = {
    ...found,
    balancers: found.balancers.filter(({ ref }) => ref.namespace === namespace),
    claims: [],
    nodes: [],
  };
  assert.equal(holdings.balancers.length, 1);
  const reach: Reach = { lost: undefined };
  const patience = { balancers: 5_000 };
  const steps = clusterSteps({ kube, aws, cluster: "dynamo", holdings, patience })
    .map((step) => leaveOutWhenLost(step, { kube, reach, patienceMs }));
  return { results: await runPlan(ctx, { task: "test", facts: {}, warnings: [], steps }), reach };
}

interface ApiFront extends AsyncDisposable {
  /** A client that goes through it. */
  readonly kube: Kube;
  /** Gives an answer in place of the API server's. */
  answer: (request: Request) => Response | undefined;
}

/** A loopback server in front of the API server. */
async function apiFront({ ctx, cluster: { access, layout } }: TestCluster): Promise<ApiFront> {
  const authority = (await readAuthority(ctx, `${layout.pki}/serving`))!;
  const client = Deno.createHttpClient({ caCerts: [authority], http2: false });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const instead = front.answer(request);
    if (instead !== undefined) return instead;
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.delete("host");
    headers.set("authorization", `Bearer ${access.token}`);
    const body = request.body === null ? null : await request.arrayBuffer();
    const init = { method: request.method, headers, body, client };
    const answer = await fetch(`${access.server}${pathname}${search}`, init);
    return new Response(await answer.arrayBuffer(), {
      status: answer.status,
      headers: { "content-type": answer.headers.get("content-type") ?? "" },
    });
  });
  const file = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-test-front-" });
  const kubeconfig = `${file}/kubeconfig`;
  const url = `http://127.0.0.1:${server.addr.port}`;
  await ctx.fs.writeTextFile(kubeconfig, kubeconfigText(url, "{token: none}"));
  const kube = await connectKube(ctx, { kubeconfig });
  const front: ApiFront = {
    kube,
    answer: () => undefined,
    async [Symbol.asyncDispose]() {
      kube.close();
      await server.shutdown();
      client.close();
      await ctx.fs.remove(file, { recursive: true });
    },
  };
  return front;
}
