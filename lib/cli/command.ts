/**
 * Commands as data, and what is made of them: a parser, help, completions.
 *
 * @module
 */
import { Command, ValidationError } from "@cliffy/command";
import type { Context } from "./context.ts";
import { type ExitCode, messageOf, usageError } from "./errors.ts";
import { fitHelp } from "./help_text.ts";
import {
  type Option,
  optionProblem,
  type Options,
  optionSyntax,
  type OptionValues,
  restorePlaceholders,
} from "./options.ts";

// Of any terminal, and of logs of CI.
const HELP_COLUMNS = 80;

/** A positional argument. */
export interface Argument {
  /** Name in `--help`. */
  readonly name: string;
  /** What it is. */
  readonly description: string;
  /** Whether all further words belong to it; only for the last one. */
  readonly variadic?: boolean;
  /** Whether it must be there; false unless given. */
  readonly required?: boolean;
}

/** One example of `--help`. */
export interface Example {
  /** What follows `deno task`. */
  readonly command: string;
  /** What it does. */
  readonly text: string;
}

/** What a command is called with. */
export interface Invocation<S extends Options> {
  /** Values of all options. */
  readonly options: OptionValues<S>;
  /** Positional arguments, in order. */
  readonly args: readonly string[];
  /** Options given on the command line, by key. */
  readonly given: ReadonlySet<string>;
}

/** A command as data. */
export interface CommandSpec<S extends Options = Options> {
  /** Name of the task. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** More about it, below the line. */
  readonly description?: string;
  /** Positional arguments. */
  readonly args?: readonly Argument[];
  /** Options. */
  readonly options: S;
  /** Examples. */
  readonly examples: readonly Example[];
  /** Does it; a returned number is the exit code. */
  run(ctx: Context, invocation: Invocation<S>): Promise<ExitCode | void>;
}

/** Declares a command; the options' types are inferred. */
export function defineCommand<const S extends Options>(
  spec: CommandSpec<S>,
): CommandSpec<S> {
  return spec;
}

/** Result of {@link parseCommand}: what to run, or text to show instead. */
export type Parsed<S extends Options> =
  | { readonly kind: "run"; readonly invocation: Invocation<S> }
  | { readonly kind: "help"; readonly text: string };

/** The parser of a command, as Cliffy has it. `onRun` gets raw values. */
export function cliffyCommand<S extends Options>(
  spec: CommandSpec<S>,
  onRun: (options: Record<string, unknown>, args: string[]) => void,
): Command {
  // Cliffy infers option types from literals; ours come from data, so its inference is not used.
  // deno-lint-ignore no-explicit-any
  let command: any = new Command()
    .name(`deno task ${spec.name}`)
    .description(
      spec.description === undefined ? spec.summary : `${spec.summary}\n\n${spec.description}`,
    );
  const args = spec.args ?? [];
  if (args.length > 0) {
    command = command.arguments(
      args.map(({ name, required, variadic }) => {
        const word = `${name}${variadic ? "..." : ""}:string`;
        return required ? `<${word}>` : `[${word}]`;
      }).join(" "),
    );
  }
  for (const [key, option] of Object.entries<Option>(spec.options)) {
    command = command.group(option.group ?? null).option(
      optionSyntax(key, option),
      option.description,
      {
        ...("default" in option && option.default !== undefined ? { default: option.default } : {}),
        ...(option.kind === "list" ? { collect: true } : {}),
      },
    );
  }
  for (const example of spec.examples) {
    command = command.example(`deno task ${example.command}`, example.text);
  }
  return command.action((options: Record<string, unknown>, ...rest: string[]) =>
    onRun(options, rest)
  );
}

/**
 * Reads a command line.
 *
 * @throws {TaskError} with exit code 2 for unknown or malformed words.
 */
export async function parseCommand<S extends Options>(
  spec: CommandSpec<S>,
  words: readonly string[],
): Promise<Parsed<S>> {
  let raw: { options: Record<string, unknown>; args: string[] } | undefined;
  const command = cliffyCommand(
    spec,
    (options, args) => raw = { options, args },
  ).throwErrors();
  if (wantsHelp(words)) {
    const text = restorePlaceholders(
      command.getHelp({ colors: false }),
      spec.options,
    );
    const commands = spec.examples.map(({ command }) => `deno task ${command}`);
    return { kind: "help", text: fitHelp(text, { width: HELP_COLUMNS, commands }) };
  }
  try {
    await command.parse([...words]);
  } catch (error) {
    if (error instanceof ValidationError) throw usage(spec, error.message);
    throw error;
  }
  if (raw === undefined) throw usage(spec, "nothing to do");
  const options: Record<string, unknown> = {};
  for (const [key, option] of Object.entries<Option>(spec.options)) {
    const value = raw.options[key] ?? negated(key, raw.options);
    const problem = optionProblem(key, option, value);
    if (problem !== undefined) throw usage(spec, problem);
    options[key] = value ??
      (option.kind === "flag" ? false : option.kind === "list" ? [] : undefined);
  }
  return {
    kind: "run",
    invocation: {
      options: options as OptionValues<S>,
      args: raw.args.filter((arg) => arg !== undefined),
      given: givenOptions(spec.options, words),
    },
  };
}

// Cliffy takes `--no-wait` for the negation of an option `wait`, and says `wait: false`.
function negated(
  key: string,
  raw: Readonly<Record<string, unknown>>,
): true | undefined {
  const [, first, rest] = /^no([A-Z])(.*)$/.exec(key) ?? [];
  return first !== undefined && raw[first.toLowerCase() + rest] === false ? true : undefined;
}

function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  const before = end < 0 ? words : words.slice(0, end);
  return before.includes("--help") || before.includes("-h");
}

function givenOptions(
  options: Options,
  words: readonly string[],
): ReadonlySet<string> {
  const given = new Set<string>();
  for (const [key, option] of Object.entries(options)) {
    const names = optionSyntax(key, option).split(/[ ,]+/).filter((word) => word.startsWith("-"));
    if (
      words.some((word) => names.includes(word) || names.includes(word.split("=")[0]!))
    ) {
      given.add(key);
    }
  }
  return given;
}

function usage<S extends Options>(
  spec: CommandSpec<S>,
  problem: unknown,
): Error {
  return usageError(
    "USAGE",
    `${spec.name}: ${messageOf(problem)}`,
    `See deno task ${spec.name} --help.`,
  );
}
