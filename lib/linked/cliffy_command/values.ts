/**
 * From words to checked values.
 *
 * @module
 */
import type { Argument, Option } from "./definitions.ts";
import { ValidationError } from "./errors.ts";
import { dashed } from "./help/text.ts";
import { type ArgumentValue, Type, type TypeOrTypeHandler } from "./types.ts";

/** Finds a type by its name. */
export type TypeNamed = (name: string) => TypeOrTypeHandler;

/** Turns the word behind an option into its value; lists grow with each call. */
export function convertOption(
  option: Option & { value?: (value: unknown, previous?: unknown) => unknown },
  word: string,
  previous: unknown,
  typeNamed: TypeNamed,
): unknown {
  const argument = option.argument!;
  const value = convert(argument, "Option", option.flag, word, typeNamed);
  if (option.value !== undefined) return option.value(value, previous);
  if (!option.collect && !argument.variadic) return value;
  return [...(Array.isArray(previous) ? previous : []), value];
}

/**
 * Turns operands into the values of declared arguments.
 *
 * @throws {ValidationError} when one is missing, surplus or of the wrong type.
 */
export function convertArguments(
  args: readonly Argument[],
  operands: readonly string[],
  typeNamed: TypeNamed,
): unknown[] {
  const missing = args.slice(operands.length).filter((arg) => !arg.optional);
  if (missing.length > 0) {
    throw new ValidationError(
      `Missing argument(s): ${missing.map((arg) => arg.name).join(", ")}`,
    );
  }
  if (operands.length > args.length && !args.at(-1)?.variadic) {
    throw new ValidationError(
      `Too many arguments: ${operands.slice(args.length).join(" ")}`,
    );
  }
  return operands.map((word, index) => {
    const arg = args[Math.min(index, args.length - 1)]!;
    return convert(arg, "Argument", arg.name, word, typeNamed);
  });
}

/**
 * Checks what must and must not be given together, and fills in defaults.
 *
 * @throws {ValidationError} when the options do not fit together.
 */
export function checkOptions(
  options: readonly Option[],
  given: ReadonlySet<Option>,
  values: Record<string, unknown>,
): void {
  const isGiven = (name: string) =>
    [...given].some((option) => option.name === name || option.flags.includes(dashed(name)));
  for (const option of given) {
    for (const other of option.conflicts ?? []) {
      if (isGiven(other)) {
        throw new ValidationError(
          `Option "${option.flag}" conflicts with option "${dashed(other)}".`,
        );
      }
    }
    for (const other of option.depends ?? []) {
      if (!isGiven(other)) {
        throw new ValidationError(
          `Option "${option.flag}" depends on option "${dashed(other)}".`,
        );
      }
    }
  }
  for (const option of options) {
    if (
      option.negated &&
      !options.some((other) => other.name === option.name && !other.negated)
    ) {
      values[option.name] ??= true;
    }
    if (values[option.name] === undefined && option.default !== undefined) {
      values[option.name] = typeof option.default === "function"
        ? option.default()
        : option.default;
    }
    if (option.required && values[option.name] === undefined) {
      throw new ValidationError(`Missing required option "${option.flag}".`);
    }
  }
}

function convert(
  argument: Argument,
  label: string,
  name: string,
  word: string,
  typeNamed: TypeNamed,
): unknown {
  const handler = typeNamed(argument.type);
  const one = (value: string) => {
    const asked: ArgumentValue = { label, name, type: argument.type, value };
    return handler instanceof Type ? handler.parse(asked) : handler(asked);
  };
  return argument.list ? word.split(",").map(one) : one(word);
}
