/**
 * `--set path=value`: one key of a graph by its path in `graph.yaml`. Pure.
 *
 * `components.VllmDecodeWorker.replicas=2` (a component by its name, role or `[index]`),
 * `model.maxLength=8192`, `cache[0].size=100Gi`, `components.decode.extraArgs=[--a, --b]`,
 * `components.worker.resources.limits["vpc.amazonaws.com/efa"]=4`. `null` takes the key away.
 *
 * @module
 */
import { usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import type { JsonSchema } from "./json_schema.ts";
import {
  changeDocument,
  componentIndexes,
  componentNames,
  GRAPH_SCHEMA,
  isMapping,
  type Mapping,
} from "./overlays_document.ts";
import { parsePlainYaml } from "../cli/plain_yaml.ts";
import { shown } from "./problems.ts";
import type { Graph } from "./types.ts";
import { isSecretName } from "./validate.ts";

/** A step of a path: a key, or an index of a list. */
export type PathStep = string | number;

/** A `--set`, read. */
export interface PathAssignment {
  /** The path as it was given. */
  readonly path: string;
  /** The path in steps. */
  readonly steps: readonly PathStep[];
  /** Text behind the `=`. */
  readonly value: string;
}

/** Keys that are for people: a change of them would change nothing that is deployed. */
const FOR_PEOPLE = ["description", "stage"];

/**
 * The graph with the assignments made, one after the other.
 *
 * @throws {TaskError} with exit code 2: SET_SYNTAX, SET_UNKNOWN (with a suggestion), SET_INVALID
 * (the value does not fit), each with the path.
 */
export function setPaths(graph: Graph, texts: readonly string[]): Graph {
  return texts.reduce((result, text) => setPath(result, parseAssignment(text)), graph);
}

/**
 * Splits `path=value`.
 *
 * @throws {TaskError} SET_SYNTAX (exit code 2).
 */
export function parseAssignment(text: string): PathAssignment {
  const match = /^((?:[^=[\]]|\["[^"]*"\]|\[\d+\])+)=(.*)$/s.exec(text);
  const steps = match === null ? undefined : parsePath(match[1]!);
  if (match === null || steps === undefined) {
    // Without what may be a secret behind the sign.
    throw usageError(
      "SET_SYNTAX",
      `--set: "${text.split("=")[0]}" is not path=value`,
      'For example model.maxLength=8192, cache[0].size=100Gi, or resources.limits["a.b/c"]=1 ' +
        "below components.NAME.",
    );
  }
  return { path: match[1]!, steps, value: match[2]! };
}

/** Steps of a path, or undefined when it is none. */
export function parsePath(path: string): PathStep[] | undefined {
  const steps: PathStep[] = [];
  const token = /(?:^|(?<=.)\.)([\w-]+)|\[(\d{1,4})\]|\["([^"]+)"\]/y;
  while (token.lastIndex < path.length) {
    const match = token.exec(path);
    if (match === null) return undefined;
    steps.push(match[2] === undefined ? match[1] ?? match[3]! : Number(match[2]));
  }
  return steps.length === 0 ? undefined : steps;
}

function setPath(graph: Graph, assignment: PathAssignment): Graph {
  const { path, steps } = assignment;
  const first = String(steps[0]);
  if (FOR_PEOPLE.includes(first)) {
    throw usageError(
      "SET_UNKNOWN",
      `--set ${path}: ${first} is for people and changes nothing that is deployed`,
    );
  }
  return changeDocument(graph, {
    change: (document) => {
      for (const place of places(document, assignment)) put(document, place, assignment);
    },
    keepsServedName: path === "model.servedName" || path === "model",
    code: "SET_INVALID",
    subject: `--set ${path}`,
  });
}

// A role stands for all components that have it.
function places(document: Mapping, { path, steps }: PathAssignment): PathStep[][] {
  const name = steps[1];
  if (steps[0] !== "components" || typeof name !== "string") return [[...steps]];
  const indexes = componentIndexes(document, name);
  if (indexes.length === 0) {
    const known = componentNames(document);
    throw usageError(
      "SET_UNKNOWN",
      `--set ${path}: the graph has no component "${name}". ${didYouMean(name, known)}`.trim(),
      `Components: ${known.join(", ")}.`,
    );
  }
  return indexes.map((index) => ["components", index, ...steps.slice(2)]);
}

function put(document: Mapping, steps: readonly PathStep[], assignment: PathAssignment): void {
  let holder: unknown = document;
  let schema: JsonSchema | undefined = GRAPH_SCHEMA;
  steps.forEach((step, depth) => {
    schema = stepInto(resolve(schema), step, assignment);
    const last = depth === steps.length - 1;
    const value = last ? readValue(resolve(schema), assignment) : undefined;
    if (Array.isArray(holder)) {
      const index = checkedIndex(holder, step, assignment);
      if (!last) holder = holder[index] ??= emptyFor(steps[depth + 1]!);
      else if (value === null) holder.splice(index, 1);
      else holder[index] = value;
    } else if (isMapping(holder)) {
      // Own keys only: `__proto__` is a key like any other here.
      const own = Object.hasOwn(holder, step) ? holder[step] : undefined;
      if (last && value === null) delete holder[step];
      else {
        const next: unknown = last ? value : own ?? emptyFor(steps[depth + 1]!);
        Object.defineProperty(holder, step, {
          value: next,
          enumerable: true,
          writable: true,
          configurable: true,
        });
        holder = next;
      }
    } else {
      throw usageError(
        "SET_UNKNOWN",
        `--set ${assignment.path}: ${shown(step)} is looked for in ${shown(holder)}, ` +
          "which has no keys",
      );
    }
  });
}

function emptyFor(next: PathStep): unknown {
  return typeof next === "number" ? [] : {};
}

function checkedIndex(list: readonly unknown[], step: PathStep, { path }: PathAssignment): number {
  if (typeof step === "number" && step <= list.length) return step;
  throw usageError(
    "SET_UNKNOWN",
    `--set ${path}: ${shown(step)} is not an index of a list with ${list.length} entries`,
    "The index behind the last entry adds one.",
  );
}

// The schema of a key; a key that it does not know is refused here, with the whole path.
function stepInto(
  schema: JsonSchema | undefined,
  step: PathStep,
  { path }: PathAssignment,
): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  if (typeof step === "number") return schema.items;
  const mapping = schema.anyOf?.map(resolve).find((one) => one?.properties !== undefined) ??
    schema;
  const properties = mapping.properties ?? {};
  if (Object.hasOwn(properties, step)) return properties[step];
  if (typeof mapping.additionalProperties === "object") return mapping.additionalProperties;
  const known = Object.keys(properties);
  if (known.length === 0) return undefined;
  throw usageError(
    "SET_UNKNOWN",
    `--set ${path}: "${step}" is not a key of graph.yaml. ${didYouMean(step, known)}`.trim(),
    `Known here: ${known.join(", ")}.`,
  );
}

// A key that takes text takes it as it is: `--set env.DEBUG=1` is no number.
function readValue(schema: JsonSchema | undefined, assignment: PathAssignment): unknown {
  const { path, steps, value } = assignment;
  if (value === "null") return null;
  let parsed: unknown;
  try {
    parsed = parsePlainYaml(value) ?? value;
  } catch {
    parsed = value;
  }
  if (typeof parsed === "object" && takes(schema, Array.isArray(parsed) ? "array" : "object")) {
    return parsed;
  }
  if (steps.at(-2) === "env" && isSecretName(String(steps.at(-1)))) {
    throw usageError(
      "SET_INVALID",
      `--set ${path}: looks like a secret, and would be readable in the manifest`,
      `Put it into a Secret and write --set '${path}={secret: NAME, key: KEY}'.`,
    );
  }
  if (takes(schema, "number") || !takes(schema, "string")) return parsed;
  return /^["']/.test(value) && typeof parsed === "string" ? parsed : value;
}

// Nothing is known of a key without schema: the check of the whole document judges it.
function takes(schema: JsonSchema | undefined, type: string): boolean {
  if (schema === undefined) return true;
  if (schema.anyOf !== undefined) return schema.anyOf.some((one) => takes(resolve(one), type));
  return schema.type === undefined || [schema.type].flat().includes(type);
}

function resolve(schema: JsonSchema | undefined): JsonSchema | undefined {
  if (schema?.$ref === undefined) return schema;
  return GRAPH_SCHEMA.$defs?.[schema.$ref.replace("#/$defs/", "")];
}
