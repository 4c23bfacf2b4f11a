/**
 * Nodes of Karpenter go before their cluster: a real API server with Karpenter's definitions, the
 * controller played by the test.
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { clusterSteps } from "../../lib/cleanup/cluster_steps.ts";
import { findHoldings, NODE_KINDS } from "../../lib/cleanup/holdings.ts";
import { runPlan } from "../../lib/cli/plan.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { openAws } from "../../lib/aws/session.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { awsEnvironment } from "../support/moto.ts";
import { withCluster } from "./cluster.ts";
import { EXAMPLE, karpenterDefinitions, playKarpenter, TERMINATION } from "./karpenter.ts";

const OURS = { "app.kubernetes.io/managed-by": "dynamo-eks" };
const PATIENCE = { drain: 1_500, force: 1_000 };
const STUCK = "example.com/stuck";

const pool = (name: string, more: object = {}): KubeObject => ({
  ...NODE_KINDS.pool,
  metadata: { name, labels: OURS, finalizers: [TERMINATION], ...more },
  spec: { template: { spec: { nodeClassRef: { name: "g6" } } } },
});

const claim = (name: string, of: string, more: object = {}): KubeObject => ({
  ...NODE_KINDS.claim,
  metadata: {
    name,
    labels: { "karpenter.sh/nodepool": of },
    finalizers: [TERMINATION],
    ...more,
  },
  spec: { nodeClassRef: { name: "g6" } },
});

const nodeClass = (name: string): KubeObject => ({
  ...NODE_KINDS.class,
  metadata: { name, labels: OURS, finalizers: ["karpenter.k8s.aws/termination"] },
  spec: {},
});

Deno.test("nodes of Karpenter drain, are ended and at last let go; those of others stay", () =>
  withCluster(async ({ ctx, kube, namespace }) => {
    await using made = await testContext({ env: awsEnvironment("http://127.0.0.1:9") });
    const aws = await openAws(made.ctx, { region: "us-west-2" });
    for (const definition of karpenterDefinitions()) await kube.apply(definition);
    const stop = new AbortController();
    let playing: Promise<void> | undefined;
    const strangers: readonly ObjectRef[] = [
      { ...NODE_KINDS.pool, name: "of-somebody" },
      { ...NODE_KINDS.claim, name: "of-somebody-1" },
    ];
    try {
      await served(kube);
      for (
        const object of [
          nodeClass("g6"),
          pool("g6"),
          pool("held", { finalizers: [TERMINATION, STUCK] }),
          claim("g6-quick", "g6"),
          // A disruption budget stands against it; Karpenter ends it only when it is told.
          claim("g6-budget", "g6", { annotations: { [EXAMPLE]: "budget" } }),
          claim("g6-stuck", "g6", { finalizers: [TERMINATION, STUCK] }),
        ]
      ) await kube.create(object);
      const holdings = await findHoldings(kube, { namespace, release: resolveRelease("0.4.1") });
      assert.ok(holdings.nodes.length === 6 && holdings.nodes.every(({ ours }) => ours));

      // Made after it was agreed what goes.
      await kube.create(claim("g6-late", "g6"));
      await kube.create(pool("of-somebody", { labels: {}, finalizers: [STUCK] }));
      await kube.create({
        ...claim("of-somebody-1", "of-somebody", { finalizers: [STUCK] }),
        spec: { nodeClassRef: { name: "of-somebody" } },
      });
      const before = await Promise.all(strangers.map((ref) => kube.get(ref)));
      const late = await findHoldings(kube, { namespace, release: resolveRelease("0.4.1") });
      assert.deepEqual(
        late.nodes.filter(({ ours }) => !ours).map(({ ref }) => ref.name),
        ["of-somebody", "of-somebody-1"],
      );

      playing = playKarpenter(kube, stop.signal);
      const watched = watchPatches(kube);
      const only = { ...holdings, balancers: [], claims: [] };
      const options = { aws, cluster: "dynamo", holdings: only, patience: PATIENCE };
      const run = () =>
        runPlan(ctx, {
          task: "test",
          facts: {},
          warnings: [],
          steps: clusterSteps({ ...options, kube: watched.kube }),
        });
      const start = performance.now();
      // What came meanwhile is told, and is another plan's matter.
      await assert.rejects(run(), (error: Error & { code?: string; evidence?: string[] }) => {
        assert.equal(error.code, "NODES_LEFT");
        assert.deepEqual(error.evidence, ["NodeClaim of-somebody-1"]);
        return true;
      });
      assert.deepEqual(await Promise.all(strangers.map((ref) => kube.get(ref))), before);
      for (const name of ["g6-quick", "g6-budget", "g6-stuck", "g6-late"]) {
        assert.equal(await kube.get({ ...NODE_KINDS.claim, name }), undefined, name);
      }
      for (const name of ["g6", "held"]) {
        assert.equal(await kube.get({ ...NODE_KINDS.pool, name }), undefined, name);
      }
      assert.equal(await kube.get({ ...NODE_KINDS.class, name: "g6" }), undefined);

      const { patches, most } = watched;
      assert.equal(most(), 1, "one object at a time");
      const told = patches.filter(({ body }) => JSON.stringify(body).includes("termination-time"));
      assert.deepEqual(told.map(({ name }) => name).sort(), ["g6-budget", "g6-stuck"]);
      const freed = patches.filter(({ body }) => JSON.stringify(body).includes("finalizers"));
      assert.deepEqual(freed.map(({ name }) => name), ["g6-stuck", "held"]);
      assert.ok(freed.every(({ body }) => /"resourceVersion":"\d+"/.test(JSON.stringify(body))));
      for (const { at } of told) assert.ok(at - start >= PATIENCE.drain, `${at - start} ms`);
      const [first] = freed;
      assert.ok(first!.at - start >= PATIENCE.drain + PATIENCE.force, `${first!.at - start} ms`);
      assert.equal(patches.length, told.length + freed.length);

      // Once the others have taken theirs away, the same run comes to its end.
      for (const ref of strangers) {
        await kube.delete(ref);
        await kube.patch(ref, "merge", { metadata: { finalizers: null } });
      }
      const results = await run();
      assert.match(results.at(-1)?.detail ?? "", /^0 nodes/);
    } finally {
      stop.abort();
      await playing;
      await takeAllAway(kube);
    }
  }));

/** A definition is served some time after it was made. */
async function served(kube: Kube): Promise<void> {
  for (const kind of Object.values(NODE_KINDS)) {
    for (let tries = 0; (await kube.list(kind)).resourceVersion === ""; tries++) {
      assert.ok(tries < 100, `${kind.kind} is not served`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

interface Patch {
  readonly name: string;
  readonly body: unknown;
  readonly at: number;
}

/** The client, with notes of what is patched through it and how many at once. */
function watchPatches(
  kube: Kube,
): { readonly kube: Kube; readonly patches: Patch[]; readonly most: () => number } {
  const patches: Patch[] = [];
  let now = 0;
  let most = 0;
  return {
    patches,
    most: () => most,
    kube: {
      ...kube,
      async patch(ref, type, body, subresource) {
        patches.push({ name: ref.name, body, at: performance.now() });
        most = Math.max(most, ++now);
        try {
          return await kube.patch(ref, type, body, subresource);
        } finally {
          now--;
        }
      },
    },
  };
}

/** The definitions are the whole run's; with them go their objects. */
async function takeAllAway(kube: Kube): Promise<void> {
  for (const kind of Object.values(NODE_KINDS)) {
    for (const { metadata: { name } } of (await kube.list(kind)).items) {
      await kube.patch({ ...kind, name }, "merge", { metadata: { finalizers: null } });
    }
  }
  for (const { apiVersion, kind, metadata: { name } } of karpenterDefinitions()) {
    await kube.delete({ apiVersion, kind, name });
  }
}
