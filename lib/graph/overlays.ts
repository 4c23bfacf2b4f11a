/**
 * Changes to a graph from the command line. Pure: the graph given stays as it is.
 *
 * @module
 */
import { usageError } from "../cli/errors.ts";
import { optionName } from "../cli/options.ts";
import { didYouMean } from "../cli/suggest.ts";
import { engineTable } from "./engines.ts";
import { parseImage } from "./images.ts";
import { isDnsLabel, NAME_LIMIT } from "./names.ts";
import type { Overlays } from "./overlay_options.ts";
import { type Component, type Graph, isEngine } from "./types.ts";
import { isSecretName } from "./validate.ts";

/** The components that an assignment without a name means. */
type Scope = (component: Component) => boolean;

/** One `[component=]value` of an option, and the components it is for. */
interface Assignment {
  readonly value: string;
  readonly components: ReadonlySet<Component>;
}

type OverlayKey = keyof Overlays;

/**
 * The graph with the overlays on it. A component is named by its name or its role; without one
 * an option is for the components that run the engine (`--image` and `--env`: for all).
 *
 * @throws {TaskError} with exit code 2: OVERLAY_EMPTY when an overlay matches nothing,
 * COMPONENT_UNKNOWN, OVERLAY_VALUE; each names what there is.
 */
export function applyOverlays(graph: Graph, overlays: Overlays): Graph {
  const steps: ((graph: Graph) => Graph)[] = [
    (g) => rename(g, overlays.name),
    (g) => changeModel(g, overlays),
    (g) => changeParallelism(g, overlays.tensorParallel ?? [], overlays.gpus ?? []),
    (g) =>
      assign(g, "replicas", overlays.replicas, isEngine, (component, value) => ({
        ...component,
        replicas: wholeNumber("replicas", value, 0),
      })),
    (g) =>
      assign(g, "nodePool", overlays.nodePool, isEngine, (component, value) => {
        if (value.length <= NAME_LIMIT && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value)) {
          return { ...component, nodePool: value };
        }
        throw badValue(
          "nodePool",
          value,
          "the name of a Karpenter node pool, such as g5-gpu-karpenter",
        );
      }),
    (g) =>
      assign(g, "image", overlays.image, () => true, (component, value) => {
        if (parseImage(value) !== undefined) return { ...component, image: value };
        throw badValue("image", value, "an image reference, registry/name:tag");
      }),
    (g) => changeEnv(g, overlays.env ?? []),
  ];
  return steps.reduce((result, step) => step(result), graph);
}

function rename(graph: Graph, name: string | undefined): Graph {
  if (name === undefined) return graph;
  if (!isDnsLabel(name)) {
    throw badValue(
      "name",
      name,
      `lower-case letters, digits and '-', starting with a letter, at most ${NAME_LIMIT}`,
    );
  }
  return { ...graph, name };
}

function changeModel(graph: Graph, overlays: Overlays): Graph {
  const { model, servedModelName, maxModelLen } = overlays;
  const key = model !== undefined
    ? "model"
    : servedModelName !== undefined
    ? "servedModelName"
    : maxModelLen !== undefined
    ? "maxModelLen"
    : undefined;
  if (key === undefined) return graph;
  if (!engineTable(graph).servesModel || graph.model === undefined) {
    throw noModel(graph, key);
  }
  for (const text of [model, servedModelName]) {
    if (text !== undefined && !/^[A-Za-z0-9_./-][A-Za-z0-9_./:@-]*$/.test(text)) {
      throw badValue(key, text, "a Hugging Face model name (organisation/name) or a path");
    }
  }
  const { id, servedName, maxLength } = graph.model;
  // Another model under the old one's name would mislead its callers.
  const name = servedModelName ?? (model === undefined || model === id ? servedName : undefined);
  const length = maxModelLen ?? maxLength;
  return {
    ...graph,
    model: {
      id: model ?? id,
      ...(name === undefined ? {} : { servedName: name }),
      ...(length === undefined ? {} : { maxLength: length }),
    },
  };
}

function noModel(graph: Graph, key: OverlayKey): Error {
  return usageError(
    "OVERLAY_EMPTY",
    `--${optionName(key)}: the graph "${graph.name}" serves no model`,
    "Choose an example with a model: deno task deploy lists them.",
  );
}

function changeParallelism(
  graph: Graph,
  tensor: readonly string[],
  gpus: readonly string[],
): Graph {
  if (tensor.length === 0 && gpus.length === 0) return graph;
  if (!engineTable(graph).servesModel) {
    throw noModel(graph, tensor.length > 0 ? "tensorParallel" : "gpus");
  }
  const split = assignments(graph, "tensorParallel", tensor, isEngine);
  const counts = assignments(graph, "gpus", gpus, isEngine);
  return mapComponents(graph, (component) => {
    const parallel = valueFor(split, component);
    const count = valueFor(counts, component);
    if (parallel === undefined && count === undefined) return component;
    const pipeline = component.args.pipelineParallel ?? 1;
    const wantedGpus = count === undefined
      ? Math.ceil(wholeNumber("tensorParallel", parallel!, 1) * pipeline / component.nodes)
      : wholeNumber("gpus", count, 0);
    // Only the engine splits a model; a frontend with a GPU has nothing to split.
    if (!isEngine(component)) {
      if (parallel !== undefined) throw notAnEngine(graph, component);
      return { ...component, gpus: wantedGpus };
    }
    const tensorParallel = parallel === undefined
      ? Math.max(1, Math.floor(wantedGpus * component.nodes / pipeline))
      : wholeNumber("tensorParallel", parallel, 1);
    return { ...component, gpus: wantedGpus, args: { ...component.args, tensorParallel } };
  });
}

function notAnEngine(graph: Graph, component: Component): Error {
  return usageError(
    "OVERLAY_EMPTY",
    `--tensor-parallel: ${component.name} runs no model`,
    `Components that do: ${engineNames(graph) || "none"}.`,
  );
}

function changeEnv(graph: Graph, texts: readonly string[]): Graph {
  return texts.reduce((result, text) => {
    const match = /^(?:([A-Za-z0-9-]+):)?([A-Za-z_][\w.-]*)=(.*)$/s.exec(text);
    if (match === null) throw badValue("env", text.split("=")[0]!, "[component:]NAME=value");
    const [, where, name, value] = match;
    if (isSecretName(name!)) {
      throw usageError(
        "OVERLAY_VALUE",
        `--env ${name}: looks like a secret, and would be readable in the manifest`,
        "Put it into a Secret, and write {secret: NAME, key: KEY} under env in a graph.yaml.",
      );
    }
    const chosen = where === undefined
      ? new Set(result.components)
      : componentsNamed(result, "env", where);
    return mapComponents(
      result,
      (component) =>
        chosen.has(component)
          ? { ...component, env: { ...component.env, [name!]: value! } }
          : component,
    );
  }, graph);
}

function assign(
  graph: Graph,
  key: OverlayKey,
  texts: readonly string[] | undefined,
  scope: Scope,
  change: (component: Component, value: string) => Component,
): Graph {
  const list = assignments(graph, key, texts ?? [], scope);
  if (list.length === 0) return graph;
  return mapComponents(graph, (component) => {
    const value = valueFor(list, component);
    return value === undefined ? component : change(component, value);
  });
}

function assignments(
  graph: Graph,
  key: OverlayKey,
  texts: readonly string[],
  scope: Scope,
): Assignment[] {
  return texts.map((text) => {
    const at = text.indexOf("=");
    const value = text.slice(at + 1);
    if (value === "") throw badValue(key, text, "[component=]value");
    const components = at < 0
      ? new Set(graph.components.filter(scope))
      : componentsNamed(graph, key, text.slice(0, at));
    if (components.size === 0) {
      throw usageError(
        "OVERLAY_EMPTY",
        `--${
          optionName(key)
        } ${text}: the graph "${graph.name}" has no component that runs an engine`,
        `Components: ${names(graph)}.`,
      );
    }
    return { value, components };
  });
}

// The last one wins, and one with a name over one without.
function valueFor(list: readonly Assignment[], component: Component): string | undefined {
  const mine = list.filter((one) => one.components.has(component));
  mine.sort((a, b) => b.components.size - a.components.size);
  return mine.at(-1)?.value;
}

function componentsNamed(graph: Graph, key: OverlayKey, name: string): ReadonlySet<Component> {
  const byName = graph.components.filter((component) => component.name === name);
  const found = byName.length > 0 ? byName : graph.components.filter((c) => c.role === name);
  if (found.length > 0) return new Set(found);
  const known = graph.components.map((component) => component.name);
  throw usageError(
    "COMPONENT_UNKNOWN",
    `--${optionName(key)}: the graph "${graph.name}" has no component "${name}". ${
      didYouMean(name, known)
    }`
      .trim(),
    `Components: ${names(graph)}.`,
  );
}

function mapComponents(graph: Graph, change: (component: Component) => Component): Graph {
  return { ...graph, components: graph.components.map(change) };
}

function wholeNumber(key: OverlayKey, text: string, min: number): number {
  const number = Number(text);
  if (/^\d{1,6}$/.test(text) && number >= min) return number;
  throw badValue(key, text, `a whole number of at least ${min}`);
}

function badValue(key: OverlayKey, value: string, expected: string): Error {
  return usageError("OVERLAY_VALUE", `--${optionName(key)}: "${value}" is not ${expected}`);
}

function names(graph: Graph): string {
  return graph.components.map((component) => `${component.name} (${component.role})`).join(", ");
}

function engineNames(graph: Graph): string {
  return graph.components.filter(isEngine).map((component) => component.name).join(", ");
}
