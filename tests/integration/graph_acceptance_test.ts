/**
 * Every example for every release that golden files are kept for, against a real API server with
 * the real CustomResourceDefinitions of that release's era: a dry run with strict field
 * validation, so that structural schemas and CEL rules have their say, and nothing is stored.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import type { Context } from "../../lib/cli/context.ts";
import { listExamples, loadExample } from "../../lib/graph/examples.ts";
import { renderGraph } from "../../lib/graph/render.ts";
import { GOLDEN_VERSIONS, renderedOrRefused, testRelease } from "../../lib/graph/testing.ts";
import type { Graph } from "../../lib/graph/types.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { ERAS, realDefinitionsFolder } from "../support/definitions.ts";
import { withCluster } from "./cluster.ts";

const DEFINITION = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
// The kinds that graphs are rendered to; an era has more, some of them large.
const KINDS = ["DynamoGraphDeployment", "DynamoGraphDeploymentRequest", "DynamoModel"];
const SERVED_WITHIN_MS = 30_000;

Deno.test("a real API server accepts every example of every release", async () => {
  const folder = await realDefinitionsFolder();
  if (folder === undefined) return;
  await withCluster(async ({ ctx, kube, namespace }) => {
    const names = (await listExamples(ctx)).map((example) => example.name);
    const graphs = await Promise.all(names.map((name) => loadExample(ctx, name)));
    const eras = [...new Set(GOLDEN_VERSIONS.map((version) => ERAS[version]!))];
    for (const era of eras) {
      const definitions = await definitionsOf(`${folder}/${era}`);
      try {
        await serve(ctx, kube, definitions);
        await refusesUnknownFields(kube, graphs, eraVersions(era)[0]!, namespace);
        for (const version of eraVersions(era)) {
          await acceptsAll(kube, graphs, version, namespace);
        }
      } finally {
        await remove(ctx, kube, definitions);
      }
    }
  });
});

function eraVersions(era: string): string[] {
  return GOLDEN_VERSIONS.filter((version) => ERAS[version] === era);
}

async function acceptsAll(
  kube: Kube,
  graphs: readonly Graph[],
  version: string,
  namespace: string,
): Promise<void> {
  const golden = new URL(`../golden/${version}/`, import.meta.url);
  const accepted = await Promise.all(graphs.map(async (graph) => {
    const objects = renderedOrRefused(graph, testRelease(version));
    if (objects === undefined) await Deno.stat(new URL(`${graph.name}.refused.txt`, golden));
    for (const object of objects ?? []) {
      const where = `${object.kind} of ${graph.name} for ${version}`;
      try {
        await kube.apply(inNamespace(object, namespace), { dryRun: true });
      } catch (error) {
        throw new Error(`${where}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return objects?.length ?? 0;
  }));
  const count = accepted.reduce((sum, one) => sum + one, 0);
  // Each release has the nine examples that users know, at least.
  assert.ok(count >= 9, `${count} objects for ${version}`);
}

/** Makes sure that the server looks: what it is to accept above, with one key too many, is refused. */
async function refusesUnknownFields(
  kube: Kube,
  graphs: readonly Graph[],
  version: string,
  namespace: string,
): Promise<void> {
  const graph = graphs.find((one) => one.name === "vllm")!;
  const objects = renderGraph(graph, testRelease(version), { namespace });
  const object = objects.find((one) => one.kind === "DynamoGraphDeployment")!;
  await assert.rejects(
    kube.apply({ ...object, spec: { ...object["spec"], nobodyKnows: 1 } }, { dryRun: true }),
    /nobodyKnows/,
    version,
  );
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  return object.metadata.namespace === undefined
    ? object
    : { ...object, metadata: { ...object.metadata, namespace } };
}

async function definitionsOf(folder: string): Promise<KubeObject[]> {
  const definitions: KubeObject[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".yaml")) continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    const definition = parse(text, { schema: "core" }) as KubeObject;
    // No operator runs here that could convert; each version is checked by its own schema.
    const { conversion: _, ...spec } = definition["spec"];
    if (!KINDS.includes(spec.names.kind)) continue;
    definitions.push({ ...definition, spec });
  }
  assert.ok(definitions.length > 0, `${folder} holds no definitions`);
  return definitions;
}

async function serve(ctx: Context, kube: Kube, definitions: readonly KubeObject[]): Promise<void> {
  await Promise.all(definitions.map((definition) => kube.apply(definition)));
  await until(ctx, "definitions to be served", async () => {
    const served = await Promise.all(definitions.map(async ({ metadata, spec }) => {
      const found = await kube.get({ ...DEFINITION, name: metadata.name });
      const established = found?.["status"]?.conditions?.some(
        (one: { type: string; status: string }) =>
          one.type === "Established" && one.status === "True",
      );
      if (established !== true) return false;
      const versions: { name: string; served: boolean }[] = spec.versions;
      const lists = await Promise.all(
        versions.filter((one) => one.served).map(({ name }) =>
          kube.list({ apiVersion: `${spec.group}/${name}`, kind: spec.names.kind })
        ),
      );
      return lists.every((list) => list.resourceVersion !== "");
    }));
    return served.every(Boolean);
  });
}

async function remove(ctx: Context, kube: Kube, definitions: readonly KubeObject[]): Promise<void> {
  const refs = definitions.map(({ metadata }) => ({ ...DEFINITION, name: metadata.name }));
  await Promise.all(refs.map((ref) => kube.delete(ref)));
  await until(ctx, "definitions to be gone", async () => {
    const found = await Promise.all(refs.map((ref) => kube.get(ref)));
    return found.every((one) => one === undefined);
  });
}

async function until(ctx: Context, what: string, done: () => Promise<boolean>): Promise<void> {
  const end = ctx.clock.monotonic() + SERVED_WITHIN_MS;
  while (!await done()) {
    assert.ok(ctx.clock.monotonic() < end, `waited ${SERVED_WITHIN_MS / 1000} s for ${what}`);
    await ctx.clock.sleep(50, ctx.signal);
  }
}
