/**
 * `--values file`: a file laid over an example. It has either the keys of `graph.yaml`, of which
 * only those that differ are needed, or the form of a Dynamo service configuration (`Common`,
 * `Frontend`, `<Worker>.ServiceArgs`), see `values_file_services.ts`.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import {
  changeDocument,
  componentIndexes,
  componentNames,
  isMapping,
  type Mapping,
} from "./overlays_document.ts";
import { parsePlainYaml } from "../cli/plain_yaml.ts";
import { shown } from "./problems.ts";
import type { Graph } from "./types.ts";
import { lineOf } from "./values_file_lines.ts";
import { hasServiceForm, servicePatch } from "./values_file_services.ts";

/** A file that was read. */
export interface ValuesFile {
  /** Its name, for messages. */
  readonly file: string;
  /** Its text. */
  readonly text: string;
  /** Its content; always a mapping. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Longest text that is read; values files have some hundred characters. */
const MAX_CHARACTERS = 1_000_000;

/**
 * Reads the files of `--values`, in their order; `locate` says where a file is. Errors as
 * {@link parseValues}.
 */
export async function readValuesFiles(
  ctx: Pick<Context, "fs">,
  files: readonly string[] = [],
  locate: (file: string) => string = (file) => file,
): Promise<ValuesFile[]> {
  return await Promise.all(files.map(async (file) => {
    let text: string;
    try {
      text = await ctx.fs.readTextFile(locate(file));
    } catch (error) {
      throw usageError("VALUES_MISSING", `--values ${file} cannot be read: ${messageOf(error)}`);
    }
    return parseValues(text, file);
  }));
}

/**
 * Reads the text of a values file.
 *
 * @throws {TaskError} VALUES_MISSING, VALUES_SYNTAX or VALUES_INVALID (exit code 2) with the file.
 */
export function parseValues(text: string, file: string): ValuesFile {
  if (text.length > MAX_CHARACTERS) {
    throw usageError("VALUES_INVALID", `${file} has ${text.length} characters: no values file`);
  }
  let values: unknown;
  try {
    values = parsePlainYaml(text);
  } catch (error) {
    throw usageError("VALUES_SYNTAX", `${file} is not YAML: ${messageOf(error)}`);
  }
  if (!isMapping(values) || Object.keys(values).length === 0) {
    throw usageError(
      "VALUES_INVALID",
      `${file}: has to be keys with values, and is ${shown(values)}`,
      "For example:  model: { id: Qwen/Qwen3-8B }",
    );
  }
  return { file, text, values };
}

/**
 * The graph with the files laid over it, one after the other. Mappings are merged, lists and
 * single values replaced, and `null` takes a key away; components are found by name or role,
 * in a list (`- name: Frontend`) or a mapping (`Frontend: {…}`).
 *
 * @throws {TaskError} VALUES_INVALID (exit code 2) with `file:line`, the key, and what was expected.
 */
export function applyValues(graph: Graph, files: readonly ValuesFile[]): Graph {
  return files.reduce(applyFile, graph);
}

function applyFile(graph: Graph, { file, text, values }: ValuesFile): Graph {
  const at = (path: readonly string[]) => {
    const line = lineOf(text, path);
    return line === undefined ? file : `${file}:${line}`;
  };
  const hollow = hasServiceForm(values) ? undefined : emptyKey(values);
  if (hollow !== undefined) {
    throw usageError(
      "VALUES_INVALID",
      `${at(hollow)}: ${hollow.join(".")} has nothing in it and would change nothing`,
      "Leave it out, or give null to take the key away.",
    );
  }
  const { patch, origins } = hasServiceForm(values)
    ? servicePatch(graph, values, at)
    : { patch: values, origins: undefined };
  const kept = ["description", "stage"].filter((key) => Object.hasOwn(patch, key));
  if (kept.length > 0) {
    throw usageError(
      "VALUES_INVALID",
      `${at([kept[0]!])}: ${kept[0]} is for people and changes nothing that is deployed`,
      "Leave it out.",
    );
  }
  return changeDocument(graph, {
    change: (document) => merge(document, patch, at),
    keepsServedName: isMapping(patch.model) && patch.model.servedName !== undefined,
    code: "VALUES_INVALID",
    subject: file,
    locate: (path) => {
      const steps = stepsOf(path, graph);
      return at(origins?.get(steps.join(".")) ?? steps);
    },
  });
}

// Of lists only that of components is merged; other empty ones replace what is there.
function emptyKey(values: Readonly<Mapping>, above: readonly string[] = []): string[] | undefined {
  for (const [key, value] of Object.entries(values)) {
    const path = [...above, key];
    if (Array.isArray(value) && value.length === 0 && path.join() === "components") return path;
    if (!isMapping(value)) continue;
    if (Object.keys(value).length === 0) return path;
    const inner = emptyKey(value, path);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function merge(
  document: Mapping,
  patch: Readonly<Mapping>,
  at: (path: readonly string[]) => string,
): void {
  const { components, ...others } = patch;
  mergeMapping(document, others);
  if (components === undefined) return;
  for (const [name, change] of componentChanges(components, at)) {
    const indexes = componentIndexes(document, name);
    const list = document.components as unknown[];
    if (indexes.length === 0) {
      if (isMapping(change) && typeof change.role === "string") {
        list.push({ ...change, name });
        continue;
      }
      const known = componentNames(document);
      throw usageError(
        "VALUES_INVALID",
        `${at(["components", name])}: components: the graph has no "${name}". ${
          didYouMean(name, known)
        }`.trim(),
        `Components: ${known.join(", ")}. A new one needs a role.`,
      );
    }
    for (const index of indexes.toReversed()) {
      if (change === null) list.splice(index, 1);
      else if (isMapping(change)) mergeMapping(list[index] as Mapping, change);
      else list[index] = change;
    }
  }
}

function componentChanges(
  components: unknown,
  at: (path: readonly string[]) => string,
): [string, unknown][] {
  if (isMapping(components)) return Object.entries(components);
  const list = Array.isArray(components) ? components : [undefined];
  return list.map((one, index) => {
    if (isMapping(one) && typeof one.name === "string") {
      const { name, ...change } = one;
      return [name, change];
    }
    throw usageError(
      "VALUES_INVALID",
      `${at(["components", String(index)])}: components: ${
        shown(Array.isArray(components) ? one : components)
      } is not a component with a name`,
      "Write  components: { NAME: { … } }  or a list with  name: NAME.",
    );
  });
}

function mergeMapping(target: Mapping, patch: Readonly<Mapping>): void {
  for (const [key, value] of Object.entries(patch)) {
    const own = Object.hasOwn(target, key) ? target[key] : undefined;
    if (value === null) delete target[key];
    else if (isMapping(value) && isMapping(own)) mergeMapping(own, value);
    else {
      Object.defineProperty(target, key, {
        value: isMapping(value) ? withoutNulls(value) : value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
}

function withoutNulls(value: Readonly<Mapping>): Mapping {
  const result: Mapping = {};
  mergeMapping(result, value);
  return result;
}

// `components[1].gpus` of the changed graph is `components.NAME.gpus` in the file.
function stepsOf(path: string, graph: Graph): string[] {
  const steps = [...path.matchAll(/\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)]
    .map((match) => match[1] ?? match[2] ?? match[3]!);
  const component = steps[0] === "components" ? graph.components[Number(steps[1])] : undefined;
  return component === undefined ? steps : ["components", component.name, ...steps.slice(2)];
}
