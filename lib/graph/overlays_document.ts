/**
 * A graph as the document its file would be, for changes by path (`--set`) and by file
 * (`--values`): the changed document goes through the loader's checks again, so neither can make
 * a graph that a file could not. Pure.
 *
 * @module
 */
import schema from "../../examples/graph.schema.json" with { type: "json" };
import { EXIT } from "../cli/errors.ts";
import { type JsonSchema, schemaProblems } from "./json_schema.ts";
import { parseGraph } from "./load.ts";
import { type Problem, throwProblems } from "./problems.ts";
import type { Graph } from "./types.ts";
import { isSecretName } from "./validate.ts";

/** A YAML mapping. */
export type Mapping = Record<string, unknown>;

/** The schema of `graph.yaml`. */
export const GRAPH_SCHEMA: JsonSchema = schema;

/** Whether the value is a mapping. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The document that loads as this graph; a copy that may be changed. */
export function documentOf(graph: Graph): Mapping {
  const { source: _, routing, tokenSecret, components, ...same } = graph;
  return structuredClone({
    ...same,
    ...(routing === undefined ? {} : { routing: { mode: routing } }),
    ...(tokenSecret === undefined ? {} : { secrets: { huggingFace: tokenSecret } }),
    components: components.map(({ requests, limits, ...component }) => ({
      ...component,
      resources: { requests, limits },
    })),
  }) as Mapping;
}

/** Options of {@link changeDocument}. */
export interface DocumentChange {
  /** Changes the document given to it. */
  readonly change: (document: Mapping) => void;
  /** Whether the change names the model's served name, which otherwise goes with its model. */
  readonly keepsServedName: boolean;
  /** The error's code. */
  readonly code: string;
  /** What made the change, in front of the message: `--set`, or the file. */
  readonly subject: string;
  /** Adds to the place in the document where in the subject it comes from. */
  readonly locate?: (path: string) => string;
}

/**
 * The graph with its document changed.
 *
 * @throws {TaskError} with the code given and exit code 2 when the document is not a graph.
 */
export function changeDocument(graph: Graph, options: DocumentChange): Graph {
  const document = documentOf(graph);
  options.change(document);
  const model = document.model;
  // Another model under the old one's name would mislead its callers.
  if (isMapping(model) && model.id !== graph.model?.id && !options.keepsServedName) {
    delete model.servedName;
  }
  const secrets = secretProblems(document);
  // A message of the schema would show the value.
  const problems = secrets.length > 0 ? secrets : schemaProblems(GRAPH_SCHEMA, document);
  const first = problems[0];
  throwProblems(problems, {
    code: options.code,
    subject: first === undefined || options.locate === undefined
      ? options.subject
      : options.locate(first.path),
    exitCode: EXIT.usage,
    hint: "examples/README.md describes the keys.",
  });
  // JSON is YAML, and the loader fills in what the document leaves out.
  return parseGraph(JSON.stringify(document), graph.source);
}

function secretProblems(document: Mapping): Problem[] {
  const components = Array.isArray(document.components) ? document.components : [];
  const places: [string, unknown][] = [["env", document.env]];
  components.forEach((component, index) => {
    if (isMapping(component)) places.push([`components[${index}].env`, component.env]);
  });
  return places.flatMap(([path, env]) =>
    Object.entries(isMapping(env) ? env : {})
      .filter(([name, value]) => isSecretName(name) && !isMapping(value) && value !== "")
      .map(([name]) => ({
        severity: "error" as const,
        path: `${path}.${name}`,
        message: "looks like a secret, and would be readable in the manifest",
        hint: "Put it into a Secret and write {secret: NAME, key: KEY}.",
      }))
  );
}

/**
 * Index of the component with that name, or indexes of those with that role; none when there is
 * neither.
 */
export function componentIndexes(document: Mapping, name: string): number[] {
  const components = Array.isArray(document.components) ? document.components : [];
  const where = (key: "name" | "role") =>
    components.flatMap((one, index) => isMapping(one) && one[key] === name ? [index] : []);
  const named = where("name");
  return named.length > 0 ? named : where("role");
}

/** Names of the components, for suggestions. */
export function componentNames(document: Mapping): string[] {
  const components = Array.isArray(document.components) ? document.components : [];
  return components.flatMap((one) =>
    isMapping(one) && typeof one.name === "string" ? [one.name] : []
  );
}
