/**
 * The form of Dynamo's service configurations: `Common` for all workers, `Frontend`, and a
 * section for each worker with the engine's own flag names and `ServiceArgs`.
 *
 * ```yaml
 * Common: { model: Qwen/Qwen3-8B, max-model-len: 32768, tensor-parallel-size: 4 }
 * Frontend: { served_model_name: qwen }
 * VllmWorker: { ServiceArgs: { workers: 2, resources: { gpu: "4" } } }
 * ```
 *
 * @module
 */
import { usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import { isMapping, type Mapping } from "./overlays_document.ts";
import { shown } from "./problems.ts";
import { type Component, type Graph, isEngine } from "./types.ts";

/** `file:line` of a path in the file. */
export type At = (path: readonly string[]) => string;

/** A file of this form in the keys of `graph.yaml`. */
export interface ServicePatch {
  /** The keys. */
  readonly patch: Mapping;
  /** Where in the file a key comes from, by its path: `model.id` is `Common`, `model`. */
  readonly origins: ReadonlyMap<string, readonly string[]>;
}

/** Where a flag goes: into the model, or into a worker's args. */
const FLAGS: Readonly<Record<string, readonly ["model" | "args" | "routing", string]>> = {
  "model": ["model", "id"],
  "model-path": ["model", "id"],
  "served-model-name": ["model", "servedName"],
  "max-model-len": ["model", "maxLength"],
  "context-length": ["model", "maxLength"],
  "router": ["routing", "mode"],
  "router-mode": ["routing", "mode"],
  "tensor-parallel-size": ["args", "tensorParallel"],
  "tp": ["args", "tensorParallel"],
  "pipeline-parallel-size": ["args", "pipelineParallel"],
  "pp": ["args", "pipelineParallel"],
  "gpu-memory-utilization": ["args", "gpuMemoryFraction"],
  "mem-fraction-static": ["args", "gpuMemoryFraction"],
  "block-size": ["args", "kvBlockSize"],
  "page-size": ["args", "kvBlockSize"],
  "max-num-seqs": ["args", "maxSequences"],
  "max-num-batched-tokens": ["args", "maxBatchedTokens"],
  "quantization": ["args", "quantization"],
  "dtype": ["args", "dtype"],
  "trust-remote-code": ["args", "trustRemoteCode"],
  "enforce-eager": ["args", "eager"],
};

/** Whether a file has this form. */
export function hasServiceForm(values: Readonly<Mapping>): boolean {
  return Object.entries(values).some(([key, value]) =>
    key === "Common" || key === "Frontend" || (isMapping(value) && "ServiceArgs" in value)
  );
}

/**
 * The file as keys of `graph.yaml`.
 *
 * @throws {TaskError} VALUES_INVALID (exit code 2) with the line and what is known.
 */
export function servicePatch(graph: Graph, values: Readonly<Mapping>, at: At): ServicePatch {
  const patch: Mapping = {};
  const origins = new Map<string, readonly string[]>();
  const components = new Map<Component, Mapping>();
  const changeOf = (component: Component) => {
    const change = components.get(component) ?? {};
    components.set(component, change);
    return change;
  };
  const workers = graph.components.filter(isEngine);
  // Common first, wherever it stands: a section of its own wins over it.
  const names = Object.keys(values).sort((a, b) => Number(b === "Common") - Number(a === "Common"));
  for (const name of names) {
    const section = values[name];
    if (!isMapping(section)) throw invalid(at([name]), name, section, "a section with keys");
    const own = name === "Common" ? undefined : componentFor(graph, name, at);
    for (const [key, value] of Object.entries(section)) {
      const where = at([name, key]);
      if (key === "ServiceArgs" && own !== undefined) {
        serviceArgs(changeOf(own), value, (path) => at([name, key, ...path]), name);
        recordArgs(origins, own.name, [name, key]);
      } else if (key === "common-configs") {
        // Which of Common a section takes: here all workers take all of it.
        continue;
      } else {
        flag(
          {
            patch,
            origins,
            targets: own === undefined ? workers : [own],
            changeOf,
            name,
            key,
            value,
          },
          where,
        );
      }
    }
  }
  for (const [component, change] of components) followParallelism(component, change);
  const changed = {
    ...patch,
    ...(components.size === 0 ? {} : {
      components: Object.fromEntries([...components].map(([one, change]) => [one.name, change])),
    }),
  };
  return { patch: changed, origins };
}

function recordArgs(
  origins: Map<string, readonly string[]>,
  component: string,
  section: readonly string[],
): void {
  const path = `components.${component}`;
  origins.set(`${path}.replicas`, [...section, "workers"]);
  origins.set(`${path}.gpus`, [...section, "resources", "gpu"]);
  for (const name of ["cpu", "memory"]) {
    origins.set(`${path}.resources.requests.${name}`, [...section, "resources", name]);
  }
}

interface FlagValue {
  readonly patch: Mapping;
  readonly origins: Map<string, readonly string[]>;
  readonly targets: readonly Component[];
  readonly changeOf: (component: Component) => Mapping;
  readonly name: string;
  readonly key: string;
  readonly value: unknown;
}

function flag(given: FlagValue, where: string): void {
  const { patch, origins, targets, changeOf, name, key, value } = given;
  const word = key.replaceAll("_", "-");
  const place = Object.hasOwn(FLAGS, word) ? FLAGS[word] : undefined;
  const forWorkers = targets.some(isEngine);
  if (place === undefined || (place[0] === "args" && !forWorkers)) {
    const known = Object.keys(FLAGS).filter((one) => forWorkers || FLAGS[one]![0] !== "args");
    throw usageError(
      "VALUES_INVALID",
      `${where}: ${name}.${key} is not known. ${didYouMean(word, known)}`
        .trim(),
      `Known: ${known.join(", ")}. Other flags: extraArgs in the keys of graph.yaml.`,
    );
  }
  const [group, setting] = place;
  if (group !== "args") {
    origins.set(`${group}.${setting}`, [name, key]);
    return put(patch, group, setting, value);
  }
  for (const target of targets) {
    if (!isEngine(target)) continue;
    origins.set(`components.${target.name}.args.${setting}`, [name, key]);
    put(changeOf(target), "args", setting, value);
  }
}

function serviceArgs(change: Mapping, value: unknown, at: At, name: string): void {
  const path = `${name}.ServiceArgs`;
  if (!isMapping(value)) throw invalid(at([]), path, value, "a mapping");
  for (const [key, one] of Object.entries(value)) {
    if (key === "workers") change.replicas = wholeNumber(one, at([key]), `${path}.workers`);
    else if (key === "resources") {
      if (!isMapping(one)) throw invalid(at([key]), `${path}.resources`, one, "a mapping");
      for (const [resource, amount] of Object.entries(one)) {
        const where = at([key, resource]);
        if (resource === "gpu") {
          change.gpus = wholeNumber(amount, where, `${path}.resources.gpu`);
        } else if (resource === "cpu" || resource === "memory") {
          const resources = isMapping(change.resources) ? change.resources : {};
          put(resources, "requests", resource, amount);
          change.resources = resources;
        } else throw unknown(where, `${path}.resources.${resource}`, ["gpu", "cpu", "memory"]);
      }
    } else throw unknown(at([key]), `${path}.${key}`, ["workers", "resources"]);
  }
}

// As on the command line: who splits a model over n GPUs gets n, and the other way round.
function followParallelism(component: Component, change: Mapping): void {
  if (!isEngine(component)) return;
  const args = isMapping(change.args) ? change.args : {};
  const number = (value: unknown) => typeof value === "number" ? value : undefined;
  const tensor = number(args.tensorParallel);
  const pipeline = number(args.pipelineParallel) ?? component.args.pipelineParallel ?? 1;
  const gpus = number(change.gpus);
  if (gpus === undefined && (tensor !== undefined || args.pipelineParallel !== undefined)) {
    const split = (tensor ?? component.args.tensorParallel ?? 1) * pipeline;
    change.gpus = Math.ceil(split / component.nodes);
  } else if (gpus !== undefined && gpus > 0 && args.tensorParallel === undefined) {
    const split = Math.max(1, Math.floor(gpus * component.nodes / pipeline));
    if (split > 1 || component.args.tensorParallel !== undefined) {
      put(change, "args", "tensorParallel", split);
    }
  }
}

// Names differ between releases and examples: VllmWorker is whoever decodes or does both.
function componentFor(graph: Graph, name: string, at: At): Component {
  const lower = name.toLowerCase();
  const byName = graph.components.find((one) => one.name.toLowerCase() === lower);
  if (byName !== undefined) return byName;
  const withRole = (...roles: string[]) => graph.components.find((c) => roles.includes(c.role));
  const byRole = lower === "frontend" || lower === "processor"
    ? withRole("frontend")
    : !lower.endsWith("worker")
    ? undefined
    : lower.includes("prefill")
    ? withRole("prefill")
    : withRole("worker", "decode");
  if (byRole !== undefined) return byRole;
  const known = graph.components.map((one) => one.name);
  throw usageError(
    "VALUES_INVALID",
    `${at([name])}: the graph "${graph.name}" has no component "${name}". ${
      didYouMean(name, ["Common", ...known])
    }`.trim(),
    `Sections: Common, ${known.join(", ")}.`,
  );
}

function put(target: Mapping, group: string, key: string, value: unknown): void {
  target[group] = { ...(isMapping(target[group]) ? target[group] : {}), [key]: value };
}

function wholeNumber(value: unknown, where: string, path: string): number {
  // The form writes amounts as text: gpu: '4'.
  const number = typeof value === "string" && /^\d{1,6}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw invalid(where, path, value, "a whole number");
}

function invalid(where: string, path: string, value: unknown, expected: string): Error {
  return usageError("VALUES_INVALID", `${where}: ${path}: ${shown(value)} is not ${expected}`);
}

function unknown(where: string, path: string, known: readonly string[]): Error {
  return usageError(
    "VALUES_INVALID",
    `${where}: ${path} is not known. ${didYouMean(path.split(".").at(-1)!, known)}`.trim(),
    `Known: ${known.join(", ")}.`,
  );
}
