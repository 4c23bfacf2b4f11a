/**
 * `deno task cleanup` on an embedded cluster with everything on it at once, and with what makes
 * removals hang or come to nothing: all of ours goes, what is not ours stays.
 */
import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { openTarget, resolveTarget } from "../../lib/target/target.ts";
import { applicationDefinition } from "../support/argocd.ts";
import { contentOf, leftovers, playArgoCd, playRequests, STUCK } from "../support/leftovers.ts";
import { processesBelow } from "../support/processes.ts";
import { assertTextFits } from "../support/schemas.ts";
import { runTaskProcess } from "../support/task.ts";

const VERSION = "v1.6.1";
const CLEAN_WITHIN_MS = 60_000;
const EXAMPLES = [
  "hello-world",
  "vllm",
  "sglang",
  "trtllm",
  "multi-replica-vllm",
  "vllm-disagg",
  "sglang-disagg",
  "trtllm-disagg",
  "kv-routing",
];

Deno.test("all examples and every sort of leftover at once: ours go within a minute, others' stay", async (t) => {
  await using test = await testContext();
  const { ctx } = test;
  const run = (...words: string[]) =>
    runTaskProcess(words, {
      home: ctx.home,
      env: { DYNAMO_VERSION: VERSION },
      timeoutMs: 20 * 60_000,
    });
  const ok = async (...words: string[]) => {
    const result = await run(...words);
    assert.equal(result.code, 0, `${words.join(" ")}\n${result.stderr}\n${result.stdout}`);
    return result;
  };
  try {
    await ok("install", "--target", "local");
    const target = await resolveTarget(ctx, {});
    const kube = await openTarget(ctx, target);
    const definition = await applicationDefinition(ctx);
    const argocd = !("reason" in definition);
    if (argocd) await kube.apply(definition);
    else {
      // deno-lint-ignore no-console -- a test that cannot run says so
      console.log(`SKIPPED: no Application of Argo CD: ${JSON.stringify(definition)}`);
    }
    const planted = await leftovers(ctx, target, { argocd });
    const stop = new AbortController();
    const players: Promise<void>[] = [];
    try {
      await Promise.all(
        [...EXAMPLES, "sla-planner"].map((name) => ok("deploy", name, "--no-wait")),
      );
      for (const object of planted.objects) await applySoon(kube, object);
      for (const ref of planted.stuck) await hold(kube, ref);
      players.push(playRequests(kube, planted, stop.signal));
      if (argocd) {
        players.push(playArgoCd(kube, planted, stop.signal));
        const controller = {
          apiVersion: "apps/v1",
          kind: "StatefulSet",
          namespace: "argocd",
          name: "argocd-application-controller",
        };
        await until(async () => (await kube.get(controller))?.["status"]?.readyReplicas === 1);
      }
      await until(async () => (await kube.get(planted.requestedGraph)) !== undefined);
      // One that somebody else is removing already; its finalizer is no business of ours.
      await kube.delete(planted.dying);
      const before = await contentOf(kube, planted.foreign);
      const graphs = { ...planted.requestedGraph } as const;

      await t.step("the plan tells what stays, why, and what to do", async () => {
        const { stdout } = await ok("cleanup", "--graphs", "--dry-run", "--output", "json");
        const plan = await assertTextFits("plan", stdout);
        const warnings: string = plan.warnings.join("\n");
        assert.match(warnings, /Graph of-somebody was not made by these tasks and stays/);
        assert.match(warnings, /Claim dynamo-cloud\/models \(1Gi\) stays.*--volumes/);
        if (argocd) {
          assert.match(
            warnings,
            /Graph from-git stays: Application argocd\/of-git .*kubectl -n argocd delete/,
          );
        }
        const ids: string[] = plan.steps.map((step: { id: string }) => step.id);
        const comesFirst = (first: string, second: string) => {
          assert.ok(ids.includes(first) && ids.indexOf(first) < ids.indexOf(second), ids.join());
        };
        comesFirst("request-sla-planner", "graph-sla-planner-dgd");
        if (argocd) comesFirst("application-ours", "graph-by-our-application");
        assert.deepEqual(await contentOf(kube, planted.foreign), before);
      });
      if (argocd) {
        await t.step("one that Argo CD would make again is refused, and told why", async () => {
          const refused = await run("cleanup", "from-git", "--yes");
          assert.equal(refused.code, 3, refused.stderr);
          assert.match(refused.stderr, /Application argocd\/of-git of Argo CD makes it again/);
        });
      }
      await t.step("all graphs of ours go within a minute", async () => {
        const cleaned = await ok("cleanup", "--graphs", "--volumes", "--yes", "--output", "json");
        // deno-lint-ignore no-console -- a figure that people look for
        console.log(`cleanup --graphs took ${Math.round(cleaned.ms)} ms`);
        assert.ok(cleaned.ms <= CLEAN_WITHIN_MS, `took ${Math.round(cleaned.ms)} ms`);
        assert.match(cleaned.stderr, /hello-world is held by example\.com\/stuck/);
        assert.match(cleaned.stderr, /sla-planner is held by example\.com\/stuck/);
        const { cleaned: done, steps } = JSON.parse(cleaned.stdout);
        assert.equal(done, true);
        const claims = steps.find((step: { id: string }) => step.id === "claims").detail;
        assert.match(claims, /models stays: in use by pod of-somebody/);
        assert.match(claims, /cache-of-vllm is gone/);
        const left = (await kube.list({ ...graphs }, { namespace: target.namespace })).items;
        assert.deepEqual(
          left.map((one) => one.metadata.name).sort(),
          ["dying", ...(argocd ? ["from-git"] : []), "of-somebody"],
        );
        for (const ref of planted.gone) assert.equal(await kube.get(ref), undefined, ref.name);
      });
      await t.step("what is not ours is as it was", async () => {
        assert.deepEqual(await contentOf(kube, planted.foreign), before);
      });
      await t.step("the platform is not taken from under others' graphs", async () => {
        const refused = await run("cleanup", "--platform", "--yes");
        assert.equal(refused.code, 3, refused.stderr);
        assert.match(refused.stderr, /PLATFORM_IN_USE|of-somebody/);
        assert.deepEqual(await contentOf(kube, planted.foreign), before);
      });
      await t.step(
        "once they are gone it goes, but not the namespace with others' objects",
        async () => {
          stop.abort();
          await Promise.all(players.splice(0));
          for (const ref of planted.foreignGraphs) {
            await kube.patch(ref, "merge", { metadata: { finalizers: null } }).catch(() => {});
            await kube.delete(ref);
          }
          const cleaned = await ok("cleanup", "--platform", "--yes");
          assert.match(cleaned.stderr, /namespace dynamo-cloud: stays.*ConfigMap of-somebody/);
          const rest = planted.foreign.filter((one) =>
            !planted.foreignGraphs.some((graph) =>
              graph.name === one.name && graph.kind === one.kind
            )
          );
          for (const [name, content] of Object.entries(await contentOf(kube, rest))) {
            assert.deepEqual(content, before[name], name);
          }
          const kind = { apiVersion: "apps/v1", kind: "Deployment" };
          assert.deepEqual((await kube.list(kind, { namespace: target.namespace })).items, []);
        },
      );
      await t.step("and install brings the platform back", async () => {
        await ok("install");
        await ok("deploy", "hello-world");
      });
    } finally {
      stop.abort();
      await Promise.allSettled(players);
      kube.close();
    }
  } finally {
    const cleaned = await ok("cleanup", "--all", "--yes");
    assert.ok(cleaned.ms <= CLEAN_WITHIN_MS, `took ${Math.round(cleaned.ms)} ms`);
  }
  assert.deepEqual(await processesBelow(ctx.home), []);
});

/** A finalizer that nobody takes away. */
async function hold(kube: Kube, ref: ObjectRef): Promise<void> {
  const object = await kube.get(ref);
  const finalizers = [...(object?.metadata.finalizers ?? []), STUCK];
  await kube.patch(ref, "merge", { metadata: { finalizers } });
}

/** A definition is served some time after it was made. */
async function applySoon(kube: Kube, object: KubeObject): Promise<void> {
  let last: unknown;
  await until(async () => {
    try {
      await kube.apply(object);
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  }).catch(() => {
    throw last;
  });
}

async function until(test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await test()) {
    if (performance.now() > end) throw new Error("not in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
