/**
 * A graph that reads its model from a cache that holds it, and asks no hub.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, usageError } from "../cli/errors.ts";
import { changeCache } from "../graph/overlays_model.ts";
import type { EnvVars, Graph } from "../graph/types.ts";
import { isCode } from "../kube/objects.ts";
import type { Kube } from "../kube/types.ts";
import { listCaches, type ModelCache, servesOffline } from "./prefetch/records.ts";

/** `auto`: when a cache is known to hold all models; `on`: always; `off`: never. */
export type OfflineMode = "auto" | "on" | "off";

/** Variables by which huggingface_hub, transformers and Dynamo's own downloader stay off the network. */
export const OFFLINE_ENV: EnvVars = { HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" };

/** How a graph's model is got. */
export interface OfflineOptions {
  /** What the user asked for. */
  readonly mode: OfflineMode;
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Connects to the cluster; undefined when it must not be asked. */
  readonly connect: (() => Promise<Kube>) | undefined;
}

/**
 * The graph with cache and variables for it, or as it was. What was decided is said.
 *
 * @throws {TaskError} with mode `on`: OFFLINE_MODEL (exit code 2) when the graph loads no model
 * from Hugging Face, OFFLINE_CACHE (exit code 3) when no cache is known to hold it.
 */
export async function withCachedModel(
  ctx: Context,
  graph: Graph,
  { mode, namespace, connect }: OfflineOptions,
): Promise<Graph> {
  if (mode === "off") return graph;
  const models = hubModels(graph);
  if (models.length === 0) {
    if (mode === "auto") return graph;
    throw usageError("OFFLINE_MODEL", `--offline on: ${graph.name} loads no model from the hub`);
  }
  const own = graph.cache[0];
  // Whoever names the claim may have filled it by other means.
  if (mode === "on" && own !== undefined) return withoutHub(graph);
  if (connect === undefined) {
    if (mode === "on") throw noCache(models, "the cluster is not asked", own?.claim);
    ctx.ui.debug("the cluster is not asked whether a cache holds the model");
    return graph;
  }
  const caches = await readCaches(ctx, await connect(), namespace, mode);
  const found = chooseCache(caches, models, own?.claim);
  if (found === undefined) {
    if (mode === "on") throw noCache(models, `none in namespace ${namespace} does`, own?.claim);
    return graph;
  }
  ctx.ui.info(
    `  ${models.join(", ")} from claim ${found.claim}, without the hub (--offline off asks it)`,
  );
  return withoutHub(changeCache(graph, withPath(found.claim, own)));
}

/** Models and adapters that the graph's pods would get from the hub. */
export function hubModels(graph: Graph): string[] {
  const { model, lora, request, engine } = graph;
  if (model === undefined || engine === "hello-world" || request !== undefined) return [];
  const adapters = (lora?.adapters ?? []).map(({ source }) => source);
  const names = [`hf://${model.id}`, ...adapters].filter((one) => one.startsWith("hf://"))
    .map((one) => one.slice("hf://".length));
  // A folder of the container.
  return /^[./~]/.test(model.id) ? [] : names;
}

/** The first cache that holds all models; `claim` when the graph has one already. */
export function chooseCache(
  caches: readonly ModelCache[],
  models: readonly string[],
  claim: string | undefined,
): ModelCache | undefined {
  return caches.find((cache) =>
    (claim === undefined ? cache.shared : cache.claim === claim) && cache.phase === "Bound" &&
    models.every((model) => servesOffline(cache, model))
  );
}

function withoutHub(graph: Graph): Graph {
  return { ...graph, env: { ...OFFLINE_ENV, ...graph.env } };
}

function withPath(claim: string, own: Graph["cache"][number] | undefined): string {
  return own === undefined ? claim : `${claim}:${own.mountPath}`;
}

async function readCaches(
  ctx: Context,
  kube: Kube,
  namespace: string,
  mode: OfflineMode,
): Promise<ModelCache[]> {
  try {
    return await listCaches(kube, namespace);
  } catch (error) {
    // Who may not read claims can deploy all the same.
    if (mode === "on" || !isCode(error, "KUBE_FORBIDDEN")) throw error;
    ctx.ui.debug(`caches are not looked at: ${messageOf(error)}`);
    return [];
  }
}

function noCache(models: readonly string[], why: string, claim: string | undefined) {
  return preconditionError(
    "OFFLINE_CACHE",
    `--offline on: no claim is known to hold ${models.join(" and ")} (${why})`,
    `deno task prefetch ${models[0]} downloads it` +
      (claim === undefined ? "; --cache-pvc names a claim that was filled otherwise." : "."),
  );
}
