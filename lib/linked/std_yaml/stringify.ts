/**
 * Writing YAML.
 *
 * @module
 */
import { dump } from "js-yaml";

/** Options of {@link stringify}. */
export interface StringifyOptions {
  /** Spaces of one level; 2 unless given. */
  indent?: number;
  /** Indent the items of a list below their key; true unless given. */
  arrayIndent?: boolean;
  /** Leave out values that YAML has no form for, instead of throwing. */
  skipInvalid?: boolean;
  /** From this level on collections stand on one line; -1, never, unless given. */
  flowLevel?: number;
  /** Sort the keys of maps, in ASCII order or as the function says. */
  sortKeys?: boolean | ((a: string, b: string) => number);
  /** Lines of text are folded at this width; 80 unless given, -1 for never. */
  lineWidth?: number;
  /** Write an object met twice as an anchor and a reference; true unless given. */
  useAnchors?: boolean;
}

/**
 * Writes a value as one document, with a line end.
 *
 * @throws {TypeError} when the value holds something that YAML has no form for.
 */
export function stringify(data: unknown, options: StringifyOptions = {}): string {
  if (!options.skipInvalid) refuseInvalid(data, new Set());
  return dump(data, {
    indent: options.indent ?? 2,
    seqNoIndent: !(options.arrayIndent ?? true),
    skipInvalid: options.skipInvalid ?? false,
    flowLevel: options.flowLevel ?? -1,
    sortKeys: options.sortKeys ?? false,
    lineWidth: options.lineWidth ?? 80,
    noRefs: !(options.useAnchors ?? true),
  });
}

// js-yaml drops undefined without a word; the original throws.
function refuseInvalid(value: unknown, seen: Set<unknown>): void {
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`Cannot stringify ${value === undefined ? "undefined" : typeof value}`);
  }
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  for (const item of Object.values(value)) refuseInvalid(item, seen);
}
