/**
 * What tasks say with `--output json` against the schemas that are published for it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type JsonSchema, schemaProblems } from "../../lib/graph/json_schema.ts";
import { PROJECT_ROOT } from "./task.ts";

/** Folder of the schemas, one a task. */
export const SCHEMAS = `${PROJECT_ROOT}/lib/cli/schemas`;

/** Reads `<name>.schema.json`; `summary` is that of a benchmark's run. */
export async function readSchema(name: string): Promise<JsonSchema> {
  const folder = name === "summary" ? `${PROJECT_ROOT}/lib/bench` : SCHEMAS;
  return JSON.parse(await Deno.readTextFile(`${folder}/${name}.schema.json`));
}

/**
 * Fails when the value has a field that the schema does not know, or lacks one, or one is of
 * another kind. Fails as well when the schema would let such a value pass.
 */
export async function assertFits(name: string, value: unknown): Promise<void> {
  const schema = await readSchema(name);
  const problems = (one: unknown) => schemaProblems(schema, one, { closed: true });
  assert.deepEqual(problems(value), [], `${name}: ${JSON.stringify(value).slice(0, 2000)}`);
  const objects = Array.isArray(value) ? value.slice(0, 1) : [value];
  const wrong = (one: unknown) => Array.isArray(value) ? [one] : one;
  for (const one of objects) {
    assert.ok(typeof one === "object" && one !== null, `${name} is no object`);
    const more = wrong({ ...one, "unheard-of": 1 });
    assert.notDeepEqual(problems(more), [], `${name} takes any field`);
  }
}

/** As {@link assertFits}, for output of one JSON value a line; returns the values. */
// deno-lint-ignore no-explicit-any -- what came out of a process
export async function assertLinesFit(name: string, text: string): Promise<any[]> {
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) await assertFits(name, line);
  return lines;
}

/** As {@link assertFits}, for output that is one JSON value; returns it. */
// deno-lint-ignore no-explicit-any -- what came out of a process
export async function assertTextFits(name: string, text: string): Promise<any> {
  const value = JSON.parse(text);
  await assertFits(name, value);
  return value;
}
