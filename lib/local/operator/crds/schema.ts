/**
 * Builders for structural schemas of custom resource definitions.
 *
 * @module
 */

/** A node of a structural schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** A validation rule in CEL. */
export interface Rule {
  /** The rule; false refuses. */
  readonly rule: string;
  /** What is said then. */
  readonly message?: string;
  /** Expression that makes the message. */
  readonly messageExpression?: string;
  /** Kind of the refusal. */
  readonly reason?:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueForbidden"
    | "FieldValueDuplicate";
  /** Field that it names, below the schema. */
  readonly fieldPath?: string;
  /** Also asked at creation, when there is no old value. */
  readonly optionalOldSelf?: boolean;
}

/** A string; `limits` are the schema's own words: minLength, pattern, enum … */
export function string(limits: Schema = {}): Schema {
  return { type: "string", ...limits };
}

/** One of several words. */
export function oneOf(...words: readonly string[]): Schema {
  return { type: "string", enum: words };
}

/** A 32-bit integer. */
export function integer(limits: Schema = {}): Schema {
  return { type: "integer", format: "int32", ...limits };
}

/** A 64-bit integer. */
export function long(limits: Schema = {}): Schema {
  return { type: "integer", format: "int64", ...limits };
}

/** A number. */
export function number(limits: Schema = {}): Schema {
  return { type: "number", ...limits };
}

/** True or false. */
export function boolean(limits: Schema = {}): Schema {
  return { type: "boolean", ...limits };
}

/** A point in time. */
export function time(): Schema {
  return { type: "string", format: "date-time" };
}

/** A quantity of Kubernetes: a number or a string such as `8Gi`. */
export function quantity(): Schema {
  return {
    anyOf: [{ type: "integer" }, { type: "string" }],
    pattern:
      "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
    "x-kubernetes-int-or-string": true,
  };
}

/** An object of these fields only. `required` fields must be there. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  extra: { readonly required?: readonly string[]; readonly rules?: readonly Rule[] } = {},
): Schema {
  return {
    type: "object",
    properties,
    ...(extra.required === undefined ? {} : { required: extra.required }),
    ...withRules(extra.rules),
  };
}

/** An object whose keys are free. */
export function map(values: Schema): Schema {
  return { type: "object", additionalProperties: values };
}

/** A list. */
export function list(items: Schema, limits: Schema = {}): Schema {
  return { type: "array", items, ...limits };
}

/** A list of objects told apart by some fields, so that appliers can share it. */
export function listBy(keys: readonly string[], items: Schema, limits: Schema = {}): Schema {
  return list(items, {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": keys,
    ...limits,
  });
}

/** An object of a core type: checked when it is used, kept as it is here. */
export function anyObject(): Schema {
  return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
}

/** A list of objects of a core type. */
export function anyObjects(): Schema {
  return list(anyObject());
}

/** Any value. */
export function anything(): Schema {
  return { "x-kubernetes-preserve-unknown-fields": true };
}

/** Validation rules as a schema has them; nothing for none. */
export function withRules(rules: readonly Rule[] | undefined): Schema {
  return rules === undefined || rules.length === 0 ? {} : { "x-kubernetes-validations": rules };
}
