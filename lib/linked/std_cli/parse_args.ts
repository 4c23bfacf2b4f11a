/**
 * Reading a command line into an object.
 *
 * @module
 */
import { parseArgs as tokenize } from "node:util";

/** Options of {@link parseArgs}. */
export interface ParseOptions {
  /** Put what follows `--` under `"--"` instead of `_`. */
  "--"?: boolean;
  /** Other names: `{ help: ["h"] }`. */
  alias?: Record<string, string | readonly string[]>;
  /** Options that take no value; false unless given. */
  boolean?: string | readonly string[];
  /** Values of options that were not given. */
  default?: Record<string, unknown>;
  /** All that follows the first operand is an operand. */
  stopEarly?: boolean;
  /** Options whose values are never turned into numbers. */
  string?: string | readonly string[];
  /** Options whose values are gathered into a list. */
  collect?: string | readonly string[];
  /** Options that `--no-…` turns off. */
  negatable?: string | readonly string[];
  /** Called with words that are not declared; false leaves the word out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Options by name, and the operands under `_`. */
export interface Args {
  /** Value of an option. */
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
  /** Operands, numbers where they look like one. */
  _: (string | number)[];
}

/** Reads a command line; see {@link ParseOptions} for what can be declared. */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const names = aliasGroups(options.alias ?? {});
  const spread = (list: string | readonly string[] | undefined) =>
    new Set([list ?? []].flat().flatMap((name) => names.get(name) ?? [name]));
  const booleans = spread(options.boolean);
  const strings = spread(options.string);
  const collected = spread(options.collect);
  const negatable = spread(options.negatable);
  const known = new Set([...booleans, ...strings, ...collected, ...names.keys()]);

  const end = args.indexOf("--");
  const words = end < 0 ? [...args] : args.slice(0, end);
  const behind = end < 0 ? [] : args.slice(end + 1);
  const result: Args = { _: [] };

  const set = (word: string, key: string, raw: string | boolean) => {
    if (key === "__proto__") return;
    if (!known.has(key) && options.unknown?.(word, key, raw) === false) return;
    const value = typeof raw === "string" && !strings.has(key) ? numberOr(raw) : raw;
    for (const name of names.get(key) ?? [key]) {
      result[name] = collected.has(name) ? [...(result[name] ?? []), value] : value;
    }
  };

  // Node's tokens say what is an option; which of them take the next word is decided here.
  const { tokens } = tokenize({ args: words, strict: false, tokens: true, allowPositionals: true });
  let skip = -1;
  for (const [at, token] of tokens.entries()) {
    if (token.index <= skip) continue;
    if (token.kind === "positional") {
      if (options.unknown?.(token.value) !== false) {
        result._.push(strings.has("_") ? token.value : numberOr(token.value));
      }
      if (!options.stopEarly) continue;
      result._.push(...words.slice(token.index + 1));
      break;
    }
    if (token.kind !== "option") continue;
    const word = words[token.index]!;
    const key = token.name;
    const off = key.startsWith("no-") && token.rawName.startsWith("--") ? key.slice(3) : undefined;
    if (token.value !== undefined) {
      set(word, key, booleans.has(key) ? token.value !== "false" : token.value);
      continue;
    }
    if (off !== undefined && negatable.has(off)) {
      set(word, off, false);
      continue;
    }
    const next = words[token.index + 1];
    const following = tokens[at + 1];
    const lastOfGroup = following?.kind !== "option" || following.index !== token.index;
    if (lastOfGroup && (next === "true" || next === "false")) {
      set(word, key, next === "true");
      skip = token.index + 1;
    } else if (lastOfGroup && next !== undefined && !next.startsWith("-") && !booleans.has(key)) {
      set(word, key, next);
      skip = token.index + 1;
    } else set(word, key, strings.has(key) ? "" : true);
  }

  for (const [key, value] of Object.entries(options.default ?? {})) {
    for (const name of names.get(key) ?? [key]) if (!(name in result)) result[name] = value;
  }
  for (const name of booleans) result[name] ??= collected.has(name) ? [] : false;
  for (const name of strings) if (collected.has(name)) result[name] ??= [];
  if (options["--"]) result["--"] = behind;
  else result._.push(...behind);
  return result;
}

function aliasGroups(alias: Record<string, string | readonly string[]>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, others] of Object.entries(alias)) {
    const group = [name, ...[others].flat()];
    for (const member of group) groups.set(member, group);
  }
  return groups;
}

function numberOr(word: string): string | number {
  return word.trim() !== "" && Number.isFinite(Number(word)) ? Number(word) : word;
}
