/**
 * Typed values out of a `.tfvars` file, or an error that says where and what was expected.
 *
 * @module
 */
import { preconditionError, type TaskError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import type { Position } from "./hcl_lexer.ts";
import type { HclEntry, HclValue } from "./hcl_parser.ts";

/** What reading needs and gathers. */
export interface ReadContext {
  /** The file, as messages call it. */
  readonly file: string;
  /** Things to know, gathered while reading. */
  readonly warnings: string[];
}

const KIND_NAMES: Readonly<Record<HclValue["kind"], string>> = {
  string: "a text",
  number: "a number",
  bool: "a truth value",
  null: "null",
  list: "a list",
  object: "an object",
};

/** An error at a place: `file:line:column: expected …` (exit code 3). */
export function expectedError(
  read: ReadContext,
  at: Position,
  expected: string,
  code = "TFVARS_VALUE",
  hint?: string,
): TaskError {
  return preconditionError(
    code,
    `${read.file}:${at.line}:${at.column}: expected ${expected}`,
    hint ?? `Correct that line of ${read.file}.`,
  );
}

/** Warns of a name that means nothing here. */
export function warnUnknown(
  read: ReadContext,
  entry: HclEntry,
  known: Iterable<string>,
  prefix = "",
): void {
  const suggestion = didYouMean(entry.key, known);
  read.warnings.push(
    `${read.file}:${entry.at.line}:${entry.at.column}: the setting "${prefix}${entry.key}" is not known here` +
      (suggestion === "" ? "" : `. ${suggestion}`),
  );
}

/** A text. */
export function stringOf(read: ReadContext, name: string, value: HclValue): string {
  if (value.kind === "string") return value.value;
  throw wrongType(
    read,
    name,
    value,
    "a text in double quotes",
    value.kind === "number" || value.kind === "bool" ? "Put it in quotes." : undefined,
  );
}

/** A truth value. */
export function boolOf(read: ReadContext, name: string, value: HclValue): boolean {
  if (value.kind === "bool") return value.value;
  const quoted = value.kind === "string" && /^(true|false)$/.test(value.value);
  throw wrongType(
    read,
    name,
    value,
    "true or false",
    quoted ? `Write ${value.value} without quotes.` : undefined,
  );
}

/** A whole number in a range. */
export function numberOf(
  read: ReadContext,
  name: string,
  value: HclValue,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  if (value.kind !== "number") throw wrongType(read, name, value, "a number");
  if (Number.isInteger(value.value) && value.value >= min && value.value <= max) return value.value;
  throw expectedError(
    read,
    value.at,
    `a whole number from ${min} to ${max} for ${name}, found ${value.value}`,
  );
}

/** The items of a list. */
export function itemsOf(
  read: ReadContext,
  name: string,
  value: HclValue,
): readonly HclValue[] {
  if (value.kind === "list") return value.items;
  throw wrongType(read, name, value, "a list ([…])");
}

/** The entries of an object. */
export function objectOf(
  read: ReadContext,
  name: string,
  value: HclValue,
): readonly HclEntry[] {
  if (value.kind === "object") return value.entries;
  throw wrongType(read, name, value, "an object ({…})");
}

/** One of some texts. */
export function oneOf<const T extends string>(
  read: ReadContext,
  name: string,
  value: HclValue,
  choices: readonly T[],
): T {
  const text = stringOf(read, name, value);
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw expectedError(
    read,
    value.at,
    `${choices.map((choice) => `"${choice}"`).join(" or ")} for ${name}, found "${text}"`,
    "TFVARS_VALUE",
    didYouMean(text, choices) || undefined,
  );
}

function wrongType(
  read: ReadContext,
  name: string,
  value: HclValue,
  expected: string,
  hint?: string,
): TaskError {
  return expectedError(
    read,
    value.at,
    `${expected} for ${name}, found ${KIND_NAMES[value.kind]}`,
    "TFVARS_TYPE",
    hint,
  );
}
