/**
 * Checks a value against the part of JSON Schema that this project's schemas and Kubernetes'
 * structural schemas use, with messages for people.
 *
 * @module
 */
import { didYouMean } from "../cli/suggest.ts";
import { type Problem, shown } from "./problems.ts";

/** A schema. Keywords that are not listed here are not checked. */
export interface JsonSchema {
  /** Type or types: object, array, string, integer, number, boolean, null. */
  readonly type?: string | readonly string[];
  /** What it is, for people; editors show it. */
  readonly description?: string;
  /** `#/$defs/<name>`. */
  readonly $ref?: string;
  /** Schemas that `$ref` names. */
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  /** Schemas of the keys of a map. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Keys that have to be there. */
  readonly required?: readonly string[];
  /** Schema of other keys, or false for none. */
  readonly additionalProperties?: boolean | JsonSchema;
  /** Schema of all keys. */
  readonly propertyNames?: JsonSchema;
  /** Schema of the entries of a list. */
  readonly items?: JsonSchema;
  /** At least one has to fit. */
  readonly anyOf?: readonly JsonSchema[];
  /** The only values. */
  readonly enum?: readonly unknown[];
  /** Regular expression for a text. */
  readonly pattern?: string;
  /** What a failed `pattern` says; editors show it as well. */
  readonly patternErrorMessage?: string;
  /** Fewest characters. */
  readonly minLength?: number;
  /** Most characters. */
  readonly maxLength?: number;
  /** Smallest number. */
  readonly minimum?: number;
  /** Largest number. */
  readonly maximum?: number;
  /** Fewest entries. */
  readonly minItems?: number;
  /** Most entries. */
  readonly maxItems?: number;
  /** Whether null fits as well. */
  readonly nullable?: boolean;
  /** A whole number or a text. */
  readonly "x-kubernetes-int-or-string"?: boolean;
  /** Keys that no property names are kept. */
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

/** Options of {@link schemaProblems}. */
export interface SchemaOptions {
  /** As the API server's strict field validation: a key that no property names is an error. */
  readonly closed?: boolean;
  /** Path in front of all paths. */
  readonly path?: string;
}

interface Check {
  readonly root: JsonSchema;
  readonly closed: boolean;
  readonly problems: Problem[];
}

/** All differences between the value and the schema; none when it fits. */
export function schemaProblems(
  schema: JsonSchema,
  value: unknown,
  options: SchemaOptions = {},
): Problem[] {
  const check: Check = { root: schema, closed: options.closed ?? false, problems: [] };
  visit(check, schema, value, options.path ?? "");
  return check.problems;
}

function visit(check: Check, given: JsonSchema, value: unknown, path: string): void {
  const schema = resolve(check.root, given);
  const add = (message: string, at = path) =>
    check.problems.push({ severity: "error", path: at, message });
  if (value === null && schema.nullable === true) return;
  if (!typeFits(schema, value)) {
    return void add(`${shown(value)} is not ${expectation(check, schema)}`);
  }
  if (schema.anyOf !== undefined && schema["x-kubernetes-int-or-string"] !== true) {
    visitAny(check, schema, value, path);
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const known = schema.enum.map(String);
    add(
      `${shown(value)} is not known (${known.join(", ")}). ${didYouMean(String(value), known)}`
        .trim(),
    );
  }
  if (typeof value === "string") visitText(schema, value, add);
  if (typeof value === "number") visitNumber(schema, value, add);
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Infinity } = schema;
    if (value.length < minItems) {
      add(`has ${value.length} entries, and must have at least ${minItems}`);
    }
    if (value.length > maxItems) {
      add(`has ${value.length} entries, and must have at most ${maxItems}`);
    }
    const items = schema.items;
    if (items !== undefined) value.forEach((item, i) => visit(check, items, item, `${path}[${i}]`));
  } else if (typeof value === "object" && value !== null) {
    visitObject(check, schema, value as Record<string, unknown>, path);
  }
}

function visitObject(
  check: Check,
  schema: JsonSchema,
  value: Record<string, unknown>,
  path: string,
): void {
  const add = (at: string, message: string) =>
    check.problems.push({ severity: "error", path: at, message });
  const properties = schema.properties ?? {};
  for (const key of schema.required ?? []) {
    if (value[key] !== undefined) continue;
    const property = properties[key];
    const wanted = property === undefined
      ? "a value"
      : expectation(check, resolve(check.root, property));
    add(join(path, key), `is missing, and must be ${wanted}`);
  }
  // Where only alternatives say what keys there are, they check them.
  const others = schema.anyOf !== undefined && schema.properties === undefined;
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || !check.closed || others;
  for (const [key, item] of Object.entries(value)) {
    const at = join(path, key);
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (schema.propertyNames !== undefined) visit(check, schema.propertyNames, key, at);
    if (property !== undefined) visit(check, property, item, at);
    else if (typeof schema.additionalProperties === "object") {
      visit(check, schema.additionalProperties, item, at);
    } else if (
      schema.additionalProperties === false || (schema.additionalProperties === undefined && !open)
    ) {
      const known = Object.keys(properties);
      add(at, `is not a known key. ${didYouMean(key, known) || `Known: ${known.join(", ")}`}`);
    }
  }
}

// The alternative whose type fits says best what is wrong.
function visitAny(check: Check, schema: JsonSchema, value: unknown, path: string): void {
  const alternatives = (schema.anyOf ?? []).map((one) => resolve(check.root, one));
  const fitting = alternatives.filter((one) => typeFits(one, value));
  let best: Problem[] | undefined;
  for (const one of fitting) {
    const inner: Check = { ...check, problems: [] };
    visit(inner, one, value, path);
    if (inner.problems.length === 0) return;
    best ??= inner.problems;
  }
  check.problems.push(
    ...(best ?? [{
      severity: "error" as const,
      path,
      message: `${shown(value)} is not ${
        alternatives.map((one) => expectation(check, one)).join(" or ")
      }`,
    }]),
  );
}

function visitText(schema: JsonSchema, value: string, add: (message: string) => void): void {
  const { minLength = 0, maxLength = Infinity } = schema;
  if (value.length < minLength) add(value === "" ? "is empty" : `${shown(value)} is too short`);
  else if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    add(`${shown(value)} is not ${schema.patternErrorMessage ?? `of the form ${schema.pattern}`}`);
  }
  if (value.length > maxLength) {
    add(`${shown(value)} has ${value.length} characters, and must have at most ${maxLength}`);
  }
}

function visitNumber(schema: JsonSchema, value: number, add: (message: string) => void): void {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  if (value < minimum) add(`is ${value}, and must be at least ${minimum}`);
  if (value > maximum) add(`is ${value}, and must be at most ${maximum}`);
}

function typeFits(schema: JsonSchema, value: unknown): boolean {
  if (schema["x-kubernetes-int-or-string"] === true) {
    return typeof value === "string" || Number.isInteger(value);
  }
  if (schema.type === undefined) return true;
  const types = typeof schema.type === "string" ? [schema.type] : schema.type;
  return types.some((type) => {
    switch (type) {
      case "object":
        return typeof value === "object" && value !== null && !Array.isArray(value);
      case "array":
        return Array.isArray(value);
      case "integer":
        return Number.isInteger(value);
      case "null":
        return value === null;
      case "string":
        return typeof value === "string";
      case "number":
        return typeof value === "number";
      case "boolean":
        return typeof value === "boolean";
      default:
        throw new Error(`schema has the unknown type ${type}`);
    }
  });
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "a text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  null: "empty",
};

function expectation(check: Check, schema: JsonSchema): string {
  if (schema.patternErrorMessage !== undefined) return schema.patternErrorMessage;
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if (schema["x-kubernetes-int-or-string"] === true) return "a whole number or a text";
  if (schema.type === undefined && schema.anyOf !== undefined) {
    return schema.anyOf.map((one) => expectation(check, resolve(check.root, one))).join(" or ");
  }
  const types = schema.type === undefined || typeof schema.type === "string"
    ? [schema.type ?? "object"]
    : schema.type;
  return types.map((type) => TYPE_WORDS[type] ?? type).join(" or ");
}

function resolve(root: JsonSchema, schema: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const found = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
  if (found === undefined) throw new Error(`schema has no ${schema.$ref}`);
  return found;
}

function join(path: string, key: string): string {
  const plain = /^[\w-]+$/.test(key);
  if (path === "") return plain ? key : `["${key}"]`;
  return plain ? `${path}.${key}` : `${path}["${key}"]`;
}
