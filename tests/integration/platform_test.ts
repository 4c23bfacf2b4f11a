/**
 * The platform on a real control plane: applied twice, changed to another release, waited
 * for, removed. And the rendered examples against the real definitions, where they are.
 *
 * @module
 */
import { realDefinitionsFolder } from "../support/definitions.ts";
import assert from "node:assert/strict";
import { parseAll } from "@std/yaml";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { fixedEnvironment } from "../../lib/cli/testing.ts";
import { withContext } from "../../lib/cli/context.ts";
import { TaskError } from "../../lib/cli/errors.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import {
  applyPlatform,
  deletePlatform,
  platformObjects,
  waitPlatform,
} from "../../lib/local/operator/platform.ts";
import { OPERATOR_NAME } from "../../lib/local/operator/platform_names.ts";
import { runPlan } from "../../lib/cli/plan.ts";
import { waitForNamespaceEnd } from "../../lib/kube/namespace_end.ts";
import { namespaceStep } from "../../lib/platform/common_steps.ts";
import { withCluster } from "./cluster.ts";
import { exampleGraph, until } from "./operator_support.ts";
import { readyPods } from "./ready_pods.ts";

const OLD = resolveRelease("0.4.1");
const NEW = resolveRelease("1.6.1");
const CRD = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" } as const;

Deno.test("the platform is applied, changed to another release, and removed", () =>
  withCluster(async ({ ctx, kube, namespace: test }) => {
    const namespace = `${test}-platform`;
    const applied = await applyPlatform(ctx, kube, { release: OLD, namespace });
    assert.deepEqual(applied.crds, { kind: "own" });
    const name = "dynamographdeployments.nvidia.com";
    const first = await kube.get({ ...CRD, name });
    await applyPlatform(ctx, kube, { release: OLD, namespace });
    const second = await kube.get({ ...CRD, name });
    assert.equal(second?.metadata.resourceVersion, first?.metadata.resourceVersion);
    for (const object of platformObjects(OLD, namespace)) {
      const { apiVersion, kind, metadata } = object;
      const found = await kube.get({ apiVersion, kind, name: metadata.name, namespace });
      assert.ok(found, `${kind} ${metadata.name}`);
    }

    // Nobody runs the operator's pod yet: the wait ends with what there is to see.
    await assert.rejects(
      waitPlatform(ctx, kube, { release: OLD, namespace, timeoutMs: 1500 }),
      (error) =>
        error instanceof TaskError && error.exitCode === 4 &&
        error.message.includes(OPERATOR_NAME) &&
        error.evidence.some((line) => line.startsWith("pod dynamo-platform-")),
    );
    const stop = new AbortController();
    const pods = readyPods(kube, namespace, stop.signal);
    await waitPlatform(ctx, kube, { release: OLD, namespace });
    const node = (await kube.list({ apiVersion: "v1", kind: "Pod" }, { namespace })).items
      .map((pod) => String(pod["spec"].nodeName).replace(/-\d+$/, ""));
    assert.deepEqual(new Set(node), new Set(["cpu-karpenter"]));

    // Graphs of a release that stores another version are in the way, and said to be.
    const graph = await exampleGraph("0.4.1", "vllm");
    const mine = { ...graph, metadata: { ...graph.metadata, namespace } };
    await kube.apply(mine);
    await assert.rejects(
      applyPlatform(ctx, kube, { release: NEW, namespace }),
      { code: "CRDS_IN_USE", exitCode: 3 },
    );
    await assert.rejects(deletePlatform(ctx, kube, { namespace }), { code: "PLATFORM_IN_USE" });
    const { apiVersion, kind } = mine;
    await kube.delete({ apiVersion, kind, name: mine.metadata.name, namespace });
    await applyPlatform(ctx, kube, { release: NEW, namespace });
    await waitPlatform(ctx, kube, { release: NEW, namespace });
    const etcd = { apiVersion: "apps/v1", kind: "StatefulSet", name: "dynamo-platform-etcd" };
    assert.equal(await kube.get({ ...etcd, namespace }), undefined);
    // And back, over the version that the older release does not know.
    await applyPlatform(ctx, kube, { release: OLD, namespace });
    const versions = (await kube.get({ ...CRD, name }))?.["spec"].versions;
    assert.deepEqual(versions.map((one: { name: string }) => one.name), ["v1alpha1"]);
    await applyPlatform(ctx, kube, { release: NEW, namespace });

    const deleted = await deletePlatform(ctx, kube, { namespace });
    assert.ok(deleted.includes(`Deployment ${OPERATOR_NAME}`));
    assert.ok(!deleted.some((one) => one.startsWith("CustomResourceDefinition")));
    assert.ok(deleted.includes(`Namespace ${namespace}`));
    await until(ctx, "the namespace to go", async () => {
      const space = await kube.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
      return space === undefined ? true : undefined;
    });
    stop.abort();
    await pods;
    assert.deepEqual(await deletePlatform(ctx, kube, { namespace }), []);
    // What is not ours stays.
    assert.ok(await kube.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" }));
  }));

Deno.test("a namespace that is still being deleted is waited for, and made again", () =>
  withCluster(async ({ ctx, kube, namespace: test }) => {
    const makers: readonly ((namespace: string) => Promise<unknown>)[] = [
      (namespace) => applyPlatform(ctx, kube, { release: OLD, namespace }),
      async (namespace) => {
        const steps = [await namespaceStep(kube, namespace)];
        return await runPlan(ctx, { task: "test", facts: {}, warnings: [], steps });
      },
    ];
    for (const [index, make] of makers.entries()) {
      const namespace = `${test}-again-${index}`;
      const space = { apiVersion: "v1", kind: "Namespace", name: namespace };
      const held = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "held" };
      await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
      const metadata = { name: held.name, namespace, finalizers: ["example.com/held"] };
      await kube.apply({ apiVersion: "v1", kind: "ConfigMap", metadata });
      const uid = (await kube.get(space))?.metadata.uid;
      await kube.delete(space);
      const options = { namespace, timeoutMs: 500 };
      await assert.rejects(waitForNamespaceEnd(ctx, kube, options), { code: "NAMESPACE_STUCK" });
      const made = make(namespace);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await kube.patch(held, "merge", { metadata: { finalizers: null } });
      await made;
      const now = await kube.get(space);
      assert.ok(now !== undefined && now.metadata.uid !== uid);
      assert.equal(now.metadata.deletionTimestamp, undefined);
      await kube.delete(space);
    }
  }));

Deno.test("the rendered examples are accepted under the real definitions and under ours", () =>
  withCluster(async ({ ctx, kube, namespace }) => {
    const real = await realDefinitionsFolder();
    const folders = [undefined, ...(real === undefined ? [] : [real])];
    for (const version of ["0.4.1", "1.6.1"]) {
      for (const folder of folders) {
        const env = fixedEnvironment(folder === undefined ? {} : { DYNAMO_CRDS_DIR: folder });
        const release = resolveRelease(version);
        const applied = await applyPlatform(withContext(ctx, { env }), kube, {
          release,
          namespace: `${namespace}-platform`,
        });
        assert.equal(applied.crds.kind, folder === undefined ? "own" : "folder");
        for (const graph of await examples(version)) {
          const object = { ...graph, metadata: { ...graph.metadata, namespace } };
          await kube.apply(object, { dryRun: true, fieldValidation: "Strict" });
        }
      }
    }
    await kube.delete({ apiVersion: "v1", kind: "Namespace", name: `${namespace}-platform` });
  }));

async function examples(version: string): Promise<KubeObject[]> {
  const folder = new URL(`../golden/${version}/`, import.meta.url);
  const found: KubeObject[] = [];
  for await (const entry of Deno.readDir(folder)) {
    // What a release lacks is a text; claims and the like are not Dynamo's.
    if (!entry.name.endsWith(".yaml")) continue;
    const objects = parseAll(await Deno.readTextFile(new URL(entry.name, folder))) as KubeObject[];
    found.push(...objects.filter((object) => object.kind === "DynamoGraphDeployment"));
  }
  assert.ok(found.length > 0);
  return found;
}
