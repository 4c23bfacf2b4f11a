/**
 * Splitting a command line into options, operands and what is unknown. `commander` does the work.
 *
 * @module
 */
import {
  Command as Commander,
  CommanderError,
  createOption,
  type Option as CommanderOption,
} from "commander";
import type { Option } from "./definitions.ts";
import { ValidationError } from "./errors.ts";

/** A command line, split. */
export interface Words {
  /** Values of the options given, by name. */
  readonly values: Record<string, unknown>;
  /** Names of the options given. */
  readonly given: ReadonlySet<Option>;
  /** Words that are not options. */
  readonly operands: readonly string[];
  /** The subcommand met first, and the words behind it. */
  readonly sub?: { readonly name: string; readonly rest: readonly string[] };
}

/** What {@link splitWords} needs to know of the command. */
export interface Known {
  /** All options, inherited ones too. */
  readonly options: readonly Option[];
  /** Names of subcommands. */
  readonly commands: readonly string[];
  /** Turns a word into an option's value. */
  convert(option: Option, word: string, previous: unknown): unknown;
}

/**
 * Splits the words before `--`.
 *
 * @throws {ValidationError} for unknown options and missing or surplus values.
 */
export function splitWords(words: readonly string[], known: Known): Words {
  const parser = quiet();
  const given = new Set<Option>();
  for (const option of known.options) {
    const declared = declare(option);
    if (option.argument !== undefined) {
      declared.argParser((word, previous) => known.convert(option, word, previous));
    }
    parser.addOption(declared);
    parser.on(`option:${declared.name()}`, () => {
      if (given.has(option) && !option.collect && !option.argument?.variadic) {
        throw new ValidationError(
          `Option "${option.flag}" can only occur once, but was found several times.`,
        );
      }
      given.add(option);
    });
  }
  for (const name of known.commands) parser.command(name);
  const { operands, unknown } = parse(parser, words, known.options);
  const sub = operands.length === 1 && known.commands.includes(operands[0] ?? "")
    ? { name: operands[0] ?? "", rest: unknown }
    : undefined;
  const stranger = sub === undefined ? unknown[0] : undefined;
  if (stranger !== undefined) throw unknownOption(stranger, known.options);
  return {
    values: parser.opts(),
    given,
    operands: sub === undefined ? operands : [],
    ...(sub === undefined ? {} : { sub }),
  };
}

/** ` Did you mean command "x"?`, or an empty text. */
export function suggestCommand(word: string, names: readonly string[]): string {
  const parser = quiet();
  for (const name of names) parser.command(name);
  return suggestion("command", () => parser.parse([word], { from: "user" }));
}

function quiet(): Commander {
  return new Commander()
    .helpOption(false)
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: () => {},
      writeErr: () => {},
      writeOut: () => {},
    });
}

function declare(option: Option): CommanderOption {
  const value = option.argument;
  const name = value?.variadic ? "value..." : "value";
  const suffix = value === undefined ? "" : value.optional ? ` [${name}]` : ` <${name}>`;
  return createOption(`${option.flags.join(", ")}${suffix}`);
}

function parse(
  parser: Commander,
  words: readonly string[],
  options: readonly Option[],
): { operands: string[]; unknown: string[] } {
  try {
    return parser.parseOptions([...words]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const option = options.find((known) => error.message.includes(`'${declare(known).flags}'`));
    throw new ValidationError(
      option === undefined ? error.message : `Missing value for option "${option.flag}".`,
      { cause: error },
    );
  }
}

function unknownOption(
  word: string,
  options: readonly Option[],
): ValidationError {
  const [name = word, ...value] = word.split("=");
  const known = options.find((option) => option.flags.includes(name));
  if (known !== undefined) {
    return new ValidationError(
      `Option "${known.flag}" doesn't take a value, but got "${value.join("=")}".`,
    );
  }
  const parser = quiet();
  for (const option of options) {
    if (!option.hidden) parser.addOption(declare(option));
  }
  const hint = suggestion(
    "option",
    () => parser.parse([name], { from: "user" }),
  );
  return new ValidationError(`Unknown option "${name}".${hint}`);
}

// Commander words its suggestions itself: "(Did you mean --port?)".
function suggestion(kind: string, provoke: () => void): string {
  try {
    provoke();
  } catch (error) {
    const match = /\(Did you mean (?:one of )?([^,?]+)/.exec(
      error instanceof Error ? error.message : "",
    );
    if (match !== null) return ` Did you mean ${kind} "${match[1]}"?`;
  }
  return "";
}
