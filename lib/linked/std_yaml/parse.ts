/**
 * Reading YAML.
 *
 * @module
 */
import {
  binaryTag,
  CORE_SCHEMA,
  FAILSAFE_SCHEMA,
  JSON_SCHEMA,
  loadAll,
  mergeTag,
  omapTag,
  pairsTag,
  type Schema,
  setTag,
  timestampTag,
  YAMLException,
} from "js-yaml";
import { YamlSyntaxError } from "./types.ts";

/**
 * Which values a plain scalar may turn into. `default` is the core schema with merge keys
 * (`<<`), time stamps, and the explicit types binary, omap, pairs and set.
 */
export type SchemaType = "failsafe" | "json" | "core" | "default";

/** Options of {@link parse} and {@link parseAll}. */
export interface ParseOptions {
  /** The schema; `default` unless given. */
  schema?: SchemaType;
  /** The later of two equal keys wins instead of being an error. */
  allowDuplicateKeys?: boolean;
}

function schemaOf(name: SchemaType): Schema {
  switch (name) {
    case "failsafe":
      return FAILSAFE_SCHEMA;
    case "json":
      return JSON_SCHEMA;
    case "core":
      return CORE_SCHEMA;
    case "default":
      return CORE_SCHEMA.withTags(mergeTag, timestampTag, binaryTag, omapTag, pairsTag, setTag);
  }
}

/**
 * Reads a text of one document; an empty text is `null`.
 *
 * @throws {SyntaxError} a {@link YamlSyntaxError} when the text is not YAML or holds more documents.
 */
export function parse(content: string, options: ParseOptions = {}): unknown {
  const documents = parseAll(content, options);
  if (documents.length > 1) {
    throw new YamlSyntaxError(
      "Found more than 1 document in the stream: expected a single document",
      endOf(content),
    );
  }
  return documents[0] ?? null;
}

/**
 * Reads a text of any number of documents.
 *
 * @throws {SyntaxError} a {@link YamlSyntaxError} when the text is not YAML.
 */
export function parseAll(content: string, options: ParseOptions = {}): unknown[] {
  try {
    return loadAll(content, {
      schema: schemaOf(options.schema ?? "default"),
      json: options.allowDuplicateKeys ?? false,
    });
  } catch (error) {
    throw error instanceof YAMLException ? syntaxError(error, content) : error;
  }
}

function syntaxError(error: YAMLException, content: string): YamlSyntaxError {
  const mark = error.mark;
  const position = mark === undefined
    ? endOf(content)
    : { line: mark.line + 1, column: mark.column + 1, offset: mark.position };
  return new YamlSyntaxError(error.reason, position, mark?.snippet ?? undefined);
}

function endOf(content: string): { line: number; column: number; offset: number } {
  const lines = content.split("\n");
  return {
    line: lines.length,
    column: (lines.at(-1) ?? "").length + 1,
    offset: content.length,
  };
}
