/**
 * Small tools for plain JSON: pruning, canonical text, hashes, merging.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** A value whose fields may also be undefined. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** A copy without undefined values, at any depth. Required fields must be given a value. */
export function prune<T extends object>(value: Loose<T>): T {
  return withoutUndefined(value) as T;
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, withoutUndefined(item)]),
  );
}

/** JSON text with sorted keys: equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (item === null || typeof item !== "object" || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1));
  });
}

/** SHA-256 of a value's canonical JSON, in hex. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** Whether two values are the same JSON, key order aside. */
export function sameJson(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** Whether a value counts as not set: undefined, null, "", 0, false, or an empty list or object. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) {
    return true;
  }
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** `base` with the fields of `over` that are set; objects are merged, lists replaced. */
export function mergeSet<T extends object>(base: T, over: object | undefined): T {
  const result: Record<string, unknown> = { ...base as Record<string, unknown> };
  for (const [key, value] of Object.entries(over ?? {})) {
    if (isEmpty(value)) continue;
    const old = result[key];
    result[key] = isPlainObject(old) && isPlainObject(value) ? mergeSet(old, value) : value;
  }
  return result as T;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The map when it has entries, else undefined. */
export function unlessEmpty<T extends object>(map: T | undefined): T | undefined {
  return map === undefined || Object.keys(map).length === 0 ? undefined : map;
}

/** A copy sorted by name. */
export function byName<T extends { readonly name?: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.name ?? "") < (b.name ?? "") ? -1 : 1);
}

/** Lists of named items merged, later lists winning, sorted by name. */
export function mergeByName<T extends { readonly name?: string }>(
  ...lists: (readonly T[] | undefined)[]
): T[] {
  const merged = new Map<string, T>();
  for (const item of lists.flatMap((list) => list ?? [])) merged.set(item.name ?? "", item);
  return byName([...merged.values()]);
}
