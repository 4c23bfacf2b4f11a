/**
 * Changes to a graph from the command line. Pure: the graph given stays as it is.
 *
 * @module
 */
import { usageError } from "../cli/errors.ts";
import { engineTable } from "./engines.ts";
import { parseImage } from "./images.ts";
import { isDnsLabel, NAME_LIMIT } from "./names.ts";
import type { Overlays } from "./overlay_options.ts";
import {
  assign,
  assignments,
  badValue,
  componentsNamed,
  engineNames,
  mapComponents,
  noModel,
  valueFor,
  wholeNumber,
} from "./overlays_assign.ts";
import { changeCache, changeModel, changeTokenSecret } from "./overlays_model.ts";
import { parseQuantity } from "./quantity.ts";
import { setPaths } from "./set_path.ts";
import { type Component, type Graph, isEngine } from "./types.ts";
import { isSecretName } from "./validate.ts";
import { applyValues, type ValuesFile } from "./values_file.ts";

/**
 * The graph with the overlays on it: files first, then the options, `--set` last. A component is
 * named by its name or its role; without one an option is for the components that run the engine
 * (`--image` and `--env`: for all).
 *
 * @param values the files of `overlays.values`, from `readValuesFiles`
 * @throws {TaskError} with exit code 2: OVERLAY_EMPTY when an overlay matches nothing,
 * COMPONENT_UNKNOWN, OVERLAY_VALUE, SET_… and VALUES_…; each names what there is.
 */
export function applyOverlays(
  graph: Graph,
  overlays: Overlays,
  values: readonly ValuesFile[] = [],
): Graph {
  if (values.length !== (overlays.values ?? []).length) {
    throw new Error(`--values names ${overlays.values?.length ?? 0} files, ${values.length} read`);
  }
  const steps: ((graph: Graph) => Graph)[] = [
    (g) => applyValues(g, values),
    (g) => rename(g, overlays.name),
    (g) => changeModel(g, overlays),
    (g) => changeTokenSecret(g, overlays.hfTokenSecret),
    (g) => changeCache(g, overlays.cachePvc),
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
      assign(g, "instanceType", overlays.instanceType, isEngine, (component, value) => {
        if (value.length <= NAME_LIMIT && /^[a-z0-9-]+\.[a-z0-9-]+$/.test(value)) {
          return { ...component, instanceType: value };
        }
        throw badValue("instanceType", value, "an EC2 instance type, such as g5.2xlarge");
      }),
    (g) =>
      assign(g, "sharedMemory", overlays.sharedMemory, isEngine, (component, value) => {
        const bytes = parseQuantity(value);
        // Below a mebibyte somebody forgot the unit.
        if (bytes !== undefined && bytes >= 2 ** 20) return { ...component, sharedMemory: value };
        throw badValue("sharedMemory", value, "a size of at least 1Mi, such as 16Gi");
      }),
    (g) =>
      assign(g, "image", overlays.image, () => true, (component, value) => {
        if (parseImage(value) !== undefined) return { ...component, image: value };
        throw badValue("image", value, "an image reference, registry/name:tag");
      }),
    (g) => changeEnv(g, overlays.env ?? []),
    (g) => setPaths(g, overlays.set ?? []),
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
    if (chosen.size === 0) {
      throw usageError("OVERLAY_EMPTY", `--env: ${graph.name} has no components`);
    }
    return mapComponents(
      result,
      (component) =>
        chosen.has(component)
          ? { ...component, env: { ...component.env, [name!]: value! } }
          : component,
    );
  }, graph);
}
