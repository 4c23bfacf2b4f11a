/**
 * YAML of which nothing but plain values may come: aliases can make a value contain itself, and
 * few characters millions of values, on which everything behind the reader would hang. Pure.
 *
 * @module
 */
import { parse } from "@std/yaml";

/** Most values in one YAML text, aliases written out; manifests have some hundreds. */
const MAX_VALUES = 20_000;

/** Deepest nesting of a YAML text. */
const MAX_DEPTH = 40;

/**
 * Reads YAML whose only types are text, number, boolean, null, list and mapping.
 *
 * @throws {Error} of the YAML library, or as {@link checkPlain}.
 */
export function parsePlainYaml(text: string): unknown {
  // The core schema turns nothing but numbers, booleans and null into other types than text.
  const value = parse(text, { schema: "core" });
  checkPlain(value);
  return value;
}

/**
 * Checks that a value that was read can be walked through.
 *
 * @throws {SyntaxError} when it contains itself, is nested more than 40 deep, or has more than
 * 20 000 values.
 */
export function checkPlain(value: unknown): void {
  const above = new Set<unknown>();
  let count = 0;
  const visit = (one: unknown): void => {
    if (++count > MAX_VALUES) {
      throw new SyntaxError(`it has more than ${MAX_VALUES} values, aliases written out`);
    }
    if (typeof one !== "object" || one === null) return;
    if (above.has(one)) throw new SyntaxError("a value contains itself through an alias");
    if (above.size >= MAX_DEPTH) throw new SyntaxError(`it is nested more than ${MAX_DEPTH} deep`);
    above.add(one);
    for (const inner of Object.values(one)) visit(inner);
    above.delete(one);
  };
  visit(value);
}
