/**
 * Overlays on what is served: the model, the token it is downloaded with, the cache it is kept in.
 * Pure.
 *
 * @module
 */
import { engineTable } from "./engines.ts";
import type { Overlays } from "./overlay_options.ts";
import { badValue, noModel, type OverlayKey } from "./overlays_assign.ts";
import type { CacheVolume, Graph } from "./types.ts";

/** Where `--cache-pvc` puts the cache when neither it nor the graph says. */
export const CACHE_PATH = "/models";

/**
 * `--model`, `--served-model-name` and `--max-model-len`.
 *
 * @throws {TaskError} with exit code 2: OVERLAY_EMPTY when the graph serves no model, OVERLAY_VALUE.
 */
export function changeModel(graph: Graph, overlays: Overlays): Graph {
  const { model, servedModelName, maxModelLen } = overlays;
  const key = model !== undefined
    ? "model"
    : servedModelName !== undefined
    ? "servedModelName"
    : maxModelLen !== undefined
    ? "maxModelLen"
    : undefined;
  if (key === undefined) return graph;
  const present = servedBy(graph, key);
  for (const [option, text] of [["model", model], ["servedModelName", servedModelName]] as const) {
    if (text !== undefined && !/^[A-Za-z0-9_./-][A-Za-z0-9_./:@-]*$/.test(text)) {
      throw badValue(option, text, "a Hugging Face model name (organisation/name) or a path");
    }
  }
  const { id, servedName, maxLength, ...others } = present;
  // Another model under the old one's name would mislead its callers.
  const name = servedModelName ?? (model === undefined || model === id ? servedName : undefined);
  const length = maxModelLen ?? maxLength;
  return {
    ...graph,
    model: {
      ...others,
      id: model ?? id,
      ...(name === undefined ? {} : { servedName: name }),
      ...(length === undefined ? {} : { maxLength: length }),
    },
  };
}

/**
 * `--hf-token-secret`: the Secret that all components read `HF_TOKEN` from.
 *
 * @throws {TaskError} with exit code 2: OVERLAY_EMPTY, OVERLAY_VALUE.
 */
export function changeTokenSecret(graph: Graph, name: string | undefined): Graph {
  if (name === undefined) return graph;
  servedBy(graph, "hfTokenSecret");
  if (/^hf_[A-Za-z0-9]{8,}$/.test(name)) {
    // Not repeated: it is the token itself.
    throw badValue("hfTokenSecret", "hf_…", "the name of a Secret, but looks like the token");
  }
  if (!isObjectName(name)) {
    throw badValue("hfTokenSecret", name, "the name of a Secret, such as hf-token-secret");
  }
  return { ...graph, tokenSecret: name };
}

/**
 * `--cache-pvc claim[:mountPath]`: a claim that is there already becomes the Hugging Face cache,
 * in place of the graph's first cache.
 *
 * @throws {TaskError} with exit code 2: OVERLAY_EMPTY, OVERLAY_VALUE.
 */
export function changeCache(graph: Graph, text: string | undefined): Graph {
  if (text === undefined) return graph;
  servedBy(graph, "cachePvc");
  const at = text.indexOf(":");
  const claim = at < 0 ? text : text.slice(0, at);
  const path = at < 0 ? undefined : text.slice(at + 1);
  if (!isObjectName(claim) || (path !== undefined && !/^\/[^:\s]+$/.test(path))) {
    throw badValue(
      "cachePvc",
      text,
      "claim[:mountPath], a PersistentVolumeClaim and an absolute path, such as model-cache:/models",
    );
  }
  const [first, ...others] = graph.cache;
  const volume: CacheVolume = {
    claim,
    mountPath: path ?? first?.mountPath ?? CACHE_PATH,
    accessMode: first?.accessMode ?? "ReadWriteMany",
  };
  if (others.some((other) => other.mountPath === volume.mountPath)) {
    throw badValue("cachePvc", text, "free: another cache of the graph is mounted there");
  }
  return { ...graph, cache: [volume, ...others] };
}

function servedBy(graph: Graph, key: OverlayKey): NonNullable<Graph["model"]> {
  if (!engineTable(graph).servesModel || graph.model === undefined) throw noModel(graph, key);
  return graph.model;
}

function isObjectName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text);
}
