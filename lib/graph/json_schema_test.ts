import assert from "node:assert/strict";
import { type JsonSchema, schemaProblems } from "./json_schema.ts";
import { problemText } from "./problems.ts";

function texts(schema: JsonSchema, value: unknown, closed = false): string[] {
  return schemaProblems(schema, value, { closed }).map(problemText);
}

const SCHEMA: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { type: "string", pattern: "^[a-z]+$", patternErrorMessage: "lower-case letters" },
    count: { type: "integer", minimum: 1, maximum: 3 },
    mode: { type: "string", enum: ["fast", "slow"] },
    list: { type: "array", minItems: 1, maxItems: 2, items: { $ref: "#/$defs/amount" } },
    env: {
      type: "object",
      propertyNames: { type: "string", pattern: "^[A-Z]+$", patternErrorMessage: "capitals" },
      additionalProperties: {
        anyOf: [{ type: "string" }, {
          type: "object",
          required: ["key"],
          properties: { key: { type: "string" } },
        }],
      },
    },
  },
  $defs: { amount: { type: ["string", "number"], pattern: "^[0-9]+$", minimum: 0 } },
};

Deno.test("a fitting value has no problems", () => {
  const value = {
    name: "a",
    count: 2,
    mode: "fast",
    list: ["1", 2],
    env: { A: "x", B: { key: "k" } },
  };
  assert.deepEqual(texts(SCHEMA, value), []);
});

Deno.test("each problem has path, value and expectation", () => {
  assert.deepEqual(texts(SCHEMA, { name: "a", count: 9 }), ["count: is 9, and must be at most 3"]);
  assert.deepEqual(texts(SCHEMA, { name: "a", count: 1.5 }), ["count: 1.5 is not a whole number"]);
  assert.deepEqual(texts(SCHEMA, { name: "A1" }), ['name: "A1" is not lower-case letters']);
  assert.deepEqual(texts(SCHEMA, {}), ["name: is missing, and must be lower-case letters"]);
  assert.deepEqual(texts(SCHEMA, { name: "a", list: [] }), [
    "list: has 0 entries, and must have at least 1",
  ]);
  assert.deepEqual(texts(SCHEMA, { name: "a", list: ["1", true] }), [
    "list[1]: true is not a text or a number",
  ]);
  assert.deepEqual(texts(SCHEMA, { name: "a", list: ["x"] }), [
    'list[0]: "x" is not of the form ^[0-9]+$',
  ]);
  assert.deepEqual(texts(SCHEMA, { name: "a", env: { a: "x" } }), ['env.a: "a" is not capitals']);
  assert.deepEqual(texts(SCHEMA, [1]), ["[1] is not a map"]);
});

Deno.test("unknown keys and words come with a suggestion", () => {
  assert.deepEqual(texts(SCHEMA, { name: "a", cuont: 1 }), [
    'cuont: is not a known key. Did you mean "count"?',
  ]);
  assert.deepEqual(texts(SCHEMA, { name: "a", zzzzzzzz: 1 }), [
    "zzzzzzzz: is not a known key. Known: name, count, mode, list, env",
  ]);
  assert.deepEqual(texts(SCHEMA, { name: "a", mode: "fsat" }), [
    'mode: "fsat" is not known (fast, slow). Did you mean "fast"?',
  ]);
});

Deno.test("of several alternatives the one of the right type speaks", () => {
  assert.deepEqual(texts(SCHEMA, { name: "a", env: { A: {} } }), [
    "env.A.key: is missing, and must be a text",
  ]);
  assert.deepEqual(texts(SCHEMA, { name: "a", env: { A: 3 } }), [
    "env.A: 3 is not a text or a map",
  ]);
});

Deno.test("closed schemas refuse keys that no property names, as strict field validation does", () => {
  const structural: JsonSchema = {
    type: "object",
    properties: {
      a: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  };
  assert.deepEqual(texts(structural, { a: "1Gi", unheard: 1 }), []);
  assert.deepEqual(texts(structural, { a: 1, unheard: 1, free: { x: 1 } }, true), [
    "unheard: is not a known key. Known: a, free",
  ]);
  assert.deepEqual(texts(structural, { a: true }, true), [
    "a: true is not a whole number or a text",
  ]);
});

Deno.test("names of inherited properties are not known keys", () => {
  assert.equal(texts(SCHEMA, { name: "a", constructor: 1 }).length, 1);
});
