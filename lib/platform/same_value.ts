/**
 * Comparing trees of values.
 *
 * @module
 */

/** Whether two JSON values are equal; the order of keys does not count, and null is like absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    const entries = Object.entries(part).filter(([, one]) => one !== undefined && one !== null);
    return Object.fromEntries(entries.sort(([x], [y]) => x < y ? -1 : 1));
  });
}
