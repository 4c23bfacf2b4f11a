import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { applyOverlays } from "../graph/overlays.ts";
import { loadExample } from "../graph/examples.ts";
import type { Graph } from "../graph/types.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import {
  chooseCache,
  hubModels,
  OFFLINE_ENV,
  type OfflineMode,
  withCachedModel,
} from "./offline.ts";
import type { CachedModel, ModelCache } from "./prefetch/records.ts";

const MODEL = "Qwen/Qwen3-0.6B";

function cached(more: Partial<CachedModel> = {}): CachedModel {
  return {
    model: MODEL,
    revision: "main",
    commit: "c",
    bytes: 1,
    files: 1,
    whole: true,
    include: [],
    exclude: [],
    at: "",
    ...more,
  };
}

function cache(claim: string, models: CachedModel[], more: Partial<ModelCache> = {}): ModelCache {
  const others = { phase: "Bound", size: "", storageClass: "", shared: true, loading: [] };
  return { claim, models, ...others, ...more };
}

Deno.test("a cache serves a graph when it has all its models, whole, where all its nodes can reach it", () => {
  const good = cache("b", [cached()]);
  assert.equal(chooseCache([cache("a", []), good], [MODEL], undefined), good);
  const not = [
    cache("c", [cached({ whole: false })]),
    cache("d", [cached({ revision: "v1" })]),
    cache("e", [cached()], { shared: false }),
    cache("f", [cached()], { phase: "Lost" }),
  ];
  assert.equal(chooseCache(not, [MODEL], undefined), undefined);
  assert.equal(chooseCache([good], [MODEL, "acme/adapter"], undefined), undefined);
  // The graph's own claim, or none.
  assert.equal(chooseCache([good], [MODEL], "mine"), undefined);
  assert.equal(chooseCache([cache("e", [cached()], { shared: false })], [MODEL], "e")?.claim, "e");
});

async function decide(
  mode: OfflineMode,
  options: { cachePvc?: string; model?: string; asked?: boolean; annotations?: boolean } = {},
): Promise<{ graph: Graph; before: Graph; talk: string }> {
  await using made = await testContext();
  const { ctx } = made;
  const { asked = true, annotations = true, ...overlays } = options;
  const before = applyOverlays(await loadExample(ctx, "vllm"), overlays);
  const claim: KubeObject = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: "model-cache",
      uid: "u",
      annotations: annotations ? { "models.dynamo-eks/x": JSON.stringify(cached()) } : {},
    },
    spec: { accessModes: ["ReadWriteMany"] },
    status: { phase: "Bound" },
  };
  const list = ({ kind }: { kind: string }) =>
    Promise.resolve({ items: kind === "PersistentVolumeClaim" ? [claim] : [] });
  const connect = () => Promise.resolve({ list } as unknown as Kube);
  const graph = await withCachedModel(ctx, before, {
    mode,
    namespace: "dynamo",
    connect: asked ? connect : undefined,
  });
  return { graph, before, talk: made.heard.talk.join("\n") };
}

Deno.test("deploy takes the model from a cache that is complete, and stays off the network", async () => {
  const { graph, talk } = await decide("auto");
  assert.deepEqual(graph.cache, [
    { claim: "model-cache", mountPath: "/models", accessMode: "ReadWriteMany" },
  ]);
  assert.deepEqual(graph.env, OFFLINE_ENV);
  assert.match(talk, /Qwen\/Qwen3-0\.6B from claim model-cache, without the hub \(--offline off/);
  const own = await decide("auto", { cachePvc: "model-cache:/weights" });
  assert.equal(own.graph.cache[0]?.mountPath, "/weights");
  for (
    const [mode, options] of [
      ["off", {}],
      ["auto", { model: "Qwen/Qwen3-4B" }],
      ["auto", { cachePvc: "another" }],
      ["auto", { asked: false }],
      ["auto", { model: "/models/of-mine" }],
    ] as const
  ) {
    const { graph, before } = await decide(mode, options);
    assert.equal(graph, before, JSON.stringify([mode, options]));
  }
});

Deno.test("--offline on: trusts a claim that is named, else wants one that is known", async () => {
  const named = await decide("on", { cachePvc: "filled", asked: false });
  assert.deepEqual(named.graph.env, OFFLINE_ENV);
  assert.equal(named.graph.cache[0]?.claim, "filled");
  await assert.rejects(decide("on", { annotations: false }), {
    code: "OFFLINE_CACHE",
    exitCode: 3,
    hint: /deno task prefetch Qwen\/Qwen3-0\.6B/,
  });
  await assert.rejects(decide("on", { asked: false }), { code: "OFFLINE_CACHE" });
  await assert.rejects(decide("on", { model: "/models/of-mine" }), { code: "OFFLINE_MODEL" });
});

Deno.test("adapters of the hub count, others do not", async () => {
  await using made = await testContext();
  const lora = await loadExample(made.ctx, "vllm-lora");
  const adapters = (lora.lora?.adapters ?? []).filter(({ source }) => source.startsWith("hf://"));
  assert.ok(adapters.length > 0);
  assert.equal(hubModels(lora).length, 1 + adapters.length);
  assert.deepEqual(hubModels(await loadExample(made.ctx, "hello-world")), []);
});
