/**
 * `deno task cleanup` on an embedded cluster with what makes removals hang: all of ours goes,
 * what is not ours stays.
 */
import assert from "node:assert/strict";
import { renderGraph } from "../../lib/graph/render.ts";
import { loadExample } from "../../lib/graph/examples.ts";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { testContext } from "../../lib/cli/testing.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { openTarget, resolveTarget } from "../../lib/target/target.ts";
import { processesBelow } from "../support/processes.ts";
import { runTaskProcess } from "../support/task.ts";

const VERSION = "v1.6.1";
const CLEAN_WITHIN_MS = 60_000;

Deno.test("cleanup copes with stuck finalizers, used claims and foreign objects", async (t) => {
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
    const { namespace } = target;
    try {
      await ok("deploy", "hello-world");
      const release = resolveRelease(target.release);
      const [foreign] = renderGraph(await loadExample(ctx, "hello-world"), release, {
        namespace,
        name: "of-somebody",
      });
      assert.ok(foreign !== undefined);
      delete foreign.metadata.labels?.["app.kubernetes.io/managed-by"];
      await kube.apply(foreign);
      const mine = { ...refOf(foreign), name: "hello-world" };
      await hold(kube, mine);
      await makeForeign(kube, namespace);

      await t.step("everything of ours goes within a minute", async () => {
        const cleaned = await ok("cleanup", "--graphs", "--yes");
        assert.ok(cleaned.ms <= CLEAN_WITHIN_MS, `took ${Math.round(cleaned.ms)} ms`);
        assert.match(cleaned.stderr, /hello-world is held by example\.com\/stuck/);
        assert.match(cleaned.stderr, /of-somebody was not made by these tasks and stays/);
        assert.equal(await kube.get(mine), undefined);
      });
      await t.step("what is not ours stays", async () => {
        assert.ok(await kube.get(refOf(foreign)));
        for (const object of foreignObjects(namespace)) {
          const found = await kube.get(refOf(object));
          assert.ok(found, object.metadata.name);
          assert.equal(found.metadata.deletionTimestamp, undefined, object.metadata.name);
        }
      });
      await t.step("a foreign finalizer on a foreign graph is not touched", async () => {
        await hold(kube, refOf(foreign));
        await kube.delete(refOf(foreign));
        await ok("cleanup", "--graphs", "--yes");
        const found = await kube.get(refOf(foreign));
        assert.ok(found?.metadata.finalizers?.includes("example.com/stuck"));
      });
      await t.step("the platform of the embedded cluster goes with it only", async () => {
        const refused = await run("cleanup", "--platform", "--yes");
        assert.equal(refused.code, 3, refused.stderr);
        assert.match(refused.stderr, /go together/);
      });
    } finally {
      kube.close();
    }
  } finally {
    await ok("cleanup", "--all", "--yes");
  }
  assert.deepEqual(await processesBelow(ctx.home), []);
});

function refOf(object: KubeObject) {
  const { apiVersion, kind, metadata: { namespace, name } } = object;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** A finalizer that nobody takes away. */
async function hold(kube: Kube, ref: ReturnType<typeof refOf>): Promise<void> {
  const object = await kube.get(ref);
  const finalizers = [...(object?.metadata.finalizers ?? []), "example.com/stuck"];
  await kube.patch(ref, "merge", { metadata: { finalizers } });
}

function foreignObjects(namespace: string): KubeObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace, name: "of-somebody" },
      data: { a: "b" },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { namespace, name: "models-of-somebody" },
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        storageClassName: "none-of-this-name",
      },
    },
  ];
}

async function makeForeign(kube: Kube, namespace: string): Promise<void> {
  for (const object of foreignObjects(namespace)) await kube.apply(object);
}
