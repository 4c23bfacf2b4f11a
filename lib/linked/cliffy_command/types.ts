/**
 * Types of option values and arguments: what turns a word into a value.
 *
 * @module
 */
import { ValidationError } from "./errors.ts";

/** A word that is to become a value. */
export interface ArgumentValue {
  /** `Option` or `Argument`. */
  label: string;
  /** Name of the type, as in `<port:integer>`. */
  type: string;
  /** Flag or name of the argument. */
  name: string;
  /** The word. */
  value: string;
}

/** A function that makes the value, or throws. */
export type TypeHandler<T = unknown> = (value: ArgumentValue) => T;

/** A type, as a class or as a function. */
export type TypeOrTypeHandler<T = unknown> = Type<T> | TypeHandler<T>;

/** Base class of types. */
export abstract class Type<T> {
  /** Makes the value, or throws a {@link ValidationError}. */
  abstract parse(value: ArgumentValue): T;
  /** Values shown in the help and offered by completions. */
  values?(): readonly (string | number | boolean)[];
}

/** Any text. */
export class StringType extends Type<string> {
  /** Returns the word. */
  parse(value: ArgumentValue): string {
    return value.value;
  }
}

/** Any finite number. */
export class NumberType extends Type<number> {
  /** Returns the number, or throws. */
  parse(value: ArgumentValue): number {
    const number = Number(value.value);
    if (value.value !== "" && Number.isFinite(number)) return number;
    throw invalidType(value);
  }
}

/** A whole number. */
export class IntegerType extends Type<number> {
  /** Returns the number, or throws. */
  parse(value: ArgumentValue): number {
    const number = Number(value.value);
    if (value.value !== "" && Number.isInteger(number)) return number;
    throw invalidType(value);
  }
}

/** `true`, `false`, `1` or `0`. */
export class BooleanType extends Type<boolean> {
  /** Returns the truth value, or throws. */
  parse(value: ArgumentValue): boolean {
    if (value.value === "true" || value.value === "1") return true;
    if (value.value === "false" || value.value === "0") return false;
    throw invalidType(value, ["true", "false", "1", "0"]);
  }

  /** Values shown in the help. */
  override values(): readonly boolean[] {
    return [true, false];
  }
}

/** One of some values. */
export class EnumType<const T extends string | number | boolean> extends Type<T> {
  readonly #values: readonly T[];

  /** Builds the type from its values. */
  constructor(values: readonly T[]) {
    super();
    this.#values = values;
  }

  /** Returns the value that reads like the word, or throws. */
  parse(value: ArgumentValue): T {
    const found = this.#values.find((known) => String(known) === value.value);
    if (found !== undefined) return found;
    throw invalidType(value, this.#values);
  }

  /** Values shown in the help. */
  override values(): readonly T[] {
    return this.#values;
  }
}

/** The types that every command knows, by name. */
export function builtInTypes(): Map<string, TypeOrTypeHandler> {
  return new Map<string, TypeOrTypeHandler>([
    ["string", new StringType()],
    ["file", new StringType()],
    ["number", new NumberType()],
    ["integer", new IntegerType()],
    ["boolean", new BooleanType()],
  ]);
}

function invalidType(
  { label, name, type, value }: ArgumentValue,
  expected?: readonly unknown[],
): ValidationError {
  const values = expected?.map((known) => `"${known}"`).join(", ");
  return new ValidationError(
    `${label} "${name}" must be of type "${type}", but got "${value}".` +
      (values === undefined ? "" : ` Expected values: ${values}`),
  );
}
