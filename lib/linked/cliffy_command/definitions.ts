/**
 * How options and arguments are declared: `-p, --port <port:integer>`, `<file:string> [rest...]`.
 *
 * @module
 */

/** A positional argument, or the value of an option. */
export interface Argument {
  /** Name, as in `<name:type>`. */
  name: string;
  /** Name of its type. */
  type: string;
  /** `[name]` rather than `<name>`. */
  optional: boolean;
  /** `<name...>`: takes all that follows. */
  variadic: boolean;
  /** `<name:type[]>`: values with commas between. */
  list: boolean;
  /** As it was declared. */
  raw: string;
}

/** What an option can have besides its flags and description. */
export interface OptionSettings {
  /** Value when it is not given, or a function that makes it. */
  default?: unknown;
  /** Text shown for the default. */
  defaultText?: string;
  /** Must be given. */
  required?: boolean;
  /** May be given several times; the value is a list. */
  collect?: boolean;
  /** Not in help and completions. */
  hidden?: boolean;
  /** Known to all subcommands. */
  global?: boolean;
  /** Ends the run with its action; nothing else is checked. */
  standalone?: boolean;
  /** Options that must not be given with it. */
  conflicts?: string[];
  /** Options that must be given with it. */
  depends?: string[];
}

/** A declared option. */
export interface Option extends OptionSettings {
  /** Key of its value: `dryRun`. */
  name: string;
  /** `-n`, `--dry-run`. */
  flags: string[];
  /** The long flag, or the short one when there is no other. */
  flag: string;
  /** Whether it is a `--no-…` flag. */
  negated: boolean;
  /** Its value, if it takes one. */
  argument?: Argument;
  /** One line or more. */
  description: string;
  /** Section of the help; `Options` unless given. */
  groupName?: string;
}

/** Reads `-p, --port <port:integer>`. */
export function parseFlags(definition: string, description: string): Option {
  const parts = definition.trim().split(/[, =] */).filter((part) => part !== "");
  const flags = parts.filter((part) => part.startsWith("-"));
  const values = parts.filter((part) => !part.startsWith("-"));
  const flag = flags.find((name) => name.startsWith("--")) ?? flags[0];
  if (flag === undefined || values.length > 1) {
    throw new Error(`Not an option: "${definition}"`);
  }
  const negated = flag.startsWith("--no-");
  const argument = values[0] === undefined ? undefined : parseArgument(values[0]);
  return {
    name: camelCase(flag.replace(negated ? /^--no-/ : /^-+/, "")),
    flags,
    flag,
    negated,
    description,
    ...(argument === undefined ? {} : { argument }),
  };
}

/** Reads `<file:string> [rest...:string]`. */
export function parseArguments(definition: string): Argument[] {
  const args = definition.trim().split(/ +/).filter((word) => word !== "").map(
    parseArgument,
  );
  args.forEach((arg, index) => {
    const before = args[index - 1];
    if (before?.variadic) {
      throw new Error(
        `An argument cannot follow an variadic argument, but got "${arg.raw}".`,
      );
    }
    if (before?.optional && !arg.optional) {
      throw new Error(
        `An required argument cannot follow an optional argument, but "${arg.name}" is defined as required.`,
      );
    }
  });
  return args;
}

function parseArgument(raw: string): Argument {
  const match = /^(?:<([^<>[\]:]+)(?::([\w-]+)(\[\])?)?>|\[([^<>[\]:]+)(?::([\w-]+)(\[\])?)?\])$/
    .exec(raw);
  if (match === null) throw new Error(`Not an argument: "${raw}"`);
  const name = match[1] ?? match[4] ?? "";
  return {
    name: name.replace(/^\.\.\.|\.\.\.$/, ""),
    type: match[2] ?? match[5] ?? "string",
    optional: match[4] !== undefined,
    variadic: name.startsWith("...") || name.endsWith("..."),
    list: (match[3] ?? match[6]) !== undefined,
    raw,
  };
}

/** The name without its type, as help shows it: `<port>`. */
export function shortForm(argument: Argument): string {
  const name = `${argument.name}${argument.variadic ? "..." : ""}`;
  return argument.optional ? `[${name}]` : `<${name}>`;
}

/** `dry-run` → `dryRun`. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
