/**
 * Reads a `.tfvars` file: attributes with constant values, each with its place.
 *
 * @module
 */
import {
  type Position,
  positionOf,
  readToken,
  type SourceText,
  syntaxError,
  type Token,
  tokenName,
} from "./hcl_lexer.ts";

/** A constant, with the place where it starts. */
export type HclValue =
  | { readonly kind: "string"; readonly value: string; readonly at: Position }
  | { readonly kind: "number"; readonly value: number; readonly at: Position }
  | { readonly kind: "bool"; readonly value: boolean; readonly at: Position }
  | { readonly kind: "null"; readonly at: Position }
  | { readonly kind: "list"; readonly items: readonly HclValue[]; readonly at: Position }
  | { readonly kind: "object"; readonly entries: readonly HclEntry[]; readonly at: Position };

/** `key = value`. */
export interface HclEntry {
  /** Name, or key of an object. */
  readonly key: string;
  /** Where the key starts. */
  readonly at: Position;
  /** What it is set to. */
  readonly value: HclValue;
}

const MAX_DEPTH = 100;

interface Reader {
  readonly source: SourceText;
  /** The next word. */
  token: Token;
  /** Inside `[]` line ends mean nothing. */
  newlinesCount: boolean;
  depth: number;
}

/**
 * Reads the attributes of a file, in order.
 *
 * @throws {TaskError} TFVARS_SYNTAX (exit code 3), its message `file:line:column: expected …`.
 */
export function parseTfvars(file: string, text: string): HclEntry[] {
  const source = { file, text };
  const reader: Reader = { source, token: readToken(source, 0), newlinesCount: true, depth: 0 };
  const entries: HclEntry[] = [];
  const seen = new Map<string, Position>();
  while (true) {
    skipNewlines(reader);
    const key = reader.token;
    if (key.kind === "end") return entries;
    if (key.kind !== "name") throw unexpected(reader, "the name of a setting");
    const at = positionOf(source, key.start);
    refuseTwice(reader, seen, key, at);
    advance(reader);
    const next: Token = reader.token;
    if (next.kind === "{" || next.kind === "string" || next.kind === "name") {
      throw unexpected(reader, `= behind "${key.value}" (blocks are not allowed here)`);
    }
    if (next.kind !== "=") throw unexpected(reader, `= behind "${key.value}"`);
    advance(reader);
    entries.push({ key: key.value, at, value: readValue(reader) });
    const end: Token = reader.token;
    if (end.kind !== "newline" && end.kind !== "end") {
      throw unexpected(reader, `the end of the line behind the value of "${key.value}"`);
    }
  }
}

/** The value as plain data; objects keep the order of their keys. */
export function plainValue(value: HclValue): unknown {
  switch (value.kind) {
    case "null":
      return null;
    case "list":
      return value.items.map(plainValue);
    case "object":
      return Object.fromEntries(value.entries.map((entry) => [entry.key, plainValue(entry.value)]));
    default:
      return value.value;
  }
}

function readValue(reader: Reader): HclValue {
  const { source, token } = reader;
  const at = positionOf(source, token.start);
  switch (token.kind) {
    case "string":
      advance(reader);
      return { kind: "string", value: token.value, at };
    case "number":
      advance(reader);
      return { kind: "number", value: toNumber(reader, token), at };
    case "-":
      return readNegative(reader, at);
    case "name":
      return readWord(reader, at);
    case "[":
      return { kind: "list", items: nested(reader, false, readItems), at };
    case "{":
      return { kind: "object", entries: nested(reader, true, readEntries), at };
    default:
      throw unexpected(reader, "a value");
  }
}

function readWord(reader: Reader, at: Position): HclValue {
  const { token } = reader;
  if (token.value === "true" || token.value === "false") {
    advance(reader);
    return { kind: "bool", value: token.value === "true", at };
  }
  if (token.value === "null") {
    advance(reader);
    return { kind: "null", at };
  }
  throw unexpected(
    reader,
    "a value",
    `A text stands in double quotes: "${token.value}". Variables and functions are not known here.`,
  );
}

function readNegative(reader: Reader, at: Position): HclValue {
  advance(reader);
  const { token } = reader;
  if (token.kind !== "number") throw unexpected(reader, "a number behind -");
  advance(reader);
  return { kind: "number", value: -toNumber(reader, token), at };
}

function toNumber(reader: Reader, token: Token): number {
  const value = Number(token.value);
  if (Number.isFinite(value)) return value;
  throw syntaxError(reader.source, token.start, `expected a number of a size that can be held`);
}

/** Reads what stands between an opening and its closing word, and passes both. */
function nested<T>(reader: Reader, newlinesCount: boolean, read: (reader: Reader) => T): T {
  if (++reader.depth > MAX_DEPTH) {
    throw syntaxError(reader.source, reader.token.start, `expected at most ${MAX_DEPTH} levels`);
  }
  const outside = reader.newlinesCount;
  reader.newlinesCount = newlinesCount;
  advance(reader);
  const result = read(reader);
  reader.newlinesCount = outside;
  reader.depth--;
  advance(reader);
  return result;
}

function readItems(reader: Reader): HclValue[] {
  const items: HclValue[] = [];
  while (reader.token.kind !== "]") {
    items.push(readValue(reader));
    const end: Token = reader.token;
    if (end.kind === ",") advance(reader);
    else if (end.kind !== "]") throw unexpected(reader, ", or ] in this list");
  }
  return items;
}

function readEntries(reader: Reader): HclEntry[] {
  const entries: HclEntry[] = [];
  const seen = new Map<string, Position>();
  skipNewlines(reader);
  while (reader.token.kind !== "}") {
    const key = readKey(reader);
    const at = positionOf(reader.source, key.start);
    refuseTwice(reader, seen, key, at);
    if (reader.token.kind !== "=" && reader.token.kind !== ":") {
      throw unexpected(reader, `= or : behind the key "${key.value}"`);
    }
    advance(reader);
    entries.push({ key: key.value, at, value: readValue(reader) });
    const end = reader.token;
    if (end.kind === ",") advance(reader);
    else if (end.kind !== "newline" && end.kind !== "}") {
      throw unexpected(reader, ", or } or the end of the line in this object");
    }
    skipNewlines(reader);
  }
  return entries;
}

function readKey(reader: Reader): Token {
  const { token } = reader;
  if (token.kind !== "name" && token.kind !== "string" && token.kind !== "number") {
    throw unexpected(reader, "a key or } in this object");
  }
  advance(reader);
  return token.kind === "number" ? { ...token, value: String(toNumber(reader, token)) } : token;
}

function refuseTwice(
  reader: Reader,
  seen: Map<string, Position>,
  key: Token,
  at: Position,
): void {
  const before = seen.get(key.value);
  if (before !== undefined) {
    throw syntaxError(
      reader.source,
      key.start,
      `expected "${key.value}" once, found it again (first on line ${before.line})`,
      "Remove one of the two.",
    );
  }
  seen.set(key.value, at);
}

function advance(reader: Reader): void {
  reader.token = readToken(reader.source, reader.token.end);
  while (!reader.newlinesCount && reader.token.kind === "newline") {
    reader.token = readToken(reader.source, reader.token.end);
  }
}

function skipNewlines(reader: Reader): void {
  while (reader.token.kind === "newline") advance(reader);
}

function unexpected(reader: Reader, expected: string, hint?: string): Error {
  const { source, token } = reader;
  return syntaxError(source, token.start, `expected ${expected}, found ${tokenName(token)}`, hint);
}
