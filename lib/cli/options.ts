/**
 * Options of commands as data, with the type of their value.
 *
 * @module
 */

/** What all options have. */
export interface OptionBase {
  /** One letter, for `-x`. */
  readonly short?: string;
  /** What it does, for `--help`. */
  readonly description: string;
  /** Name of the value in `--help`. */
  readonly placeholder?: string;
  /** Section of `--help`; that of all options unless given. */
  readonly group?: string;
}

/** `--flag`: true when given. */
export interface FlagOption extends OptionBase {
  /** Which sort of option this is. */
  readonly kind: "flag";
}

/** `--name <text>`. */
export interface TextOption extends OptionBase {
  /** Which sort of option this is. */
  readonly kind: "text";
  /** Value when the option is not given. */
  readonly default?: string;
  /** The only values accepted. */
  readonly choices?: readonly string[];
}

/** `--name <number>`. */
export interface NumberOption extends OptionBase {
  /** Which sort of option this is. */
  readonly kind: "number" | "integer";
  /** Value when the option is not given. */
  readonly default?: number;
  /** Least value accepted. */
  readonly min?: number;
  /** Greatest value accepted. */
  readonly max?: number;
}

/** `--name <text>`, any number of times. */
export interface ListOption extends OptionBase {
  /** Which sort of option this is. */
  readonly kind: "list";
}

/** Any option. */
export type Option = FlagOption | TextOption | NumberOption | ListOption;

/** Options by name in camel case: `dryRun` is `--dry-run`. */
export type Options = Readonly<Record<string, Option>>;

/** The same options, in a section of their own in `--help`. */
export function inGroup<const S extends Options>(group: string, options: S): S {
  return Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, { ...option, group }]),
  ) as Options as S;
}

/** Type of one option's value. */
export type OptionValue<O extends Option> = O extends FlagOption ? boolean
  : O extends ListOption ? string[]
  : O extends NumberOption ? (O extends { readonly default: number } ? number : number | undefined)
  : O extends { readonly choices: readonly (infer C)[]; readonly default: string } ? C
  : O extends { readonly choices: readonly (infer C)[] } ? C | undefined
  : O extends { readonly default: string } ? string
  : string | undefined;

/** Values of a set of options. */
export type OptionValues<S extends Options> = {
  readonly [K in keyof S]: OptionValue<S[K]>;
};

/** `dryRun` → `dry-run`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** How the option is declared to the parser: `-n, --requests <count:integer>`. */
export function optionSyntax(key: string, option: Option): string {
  const name = `${option.short === undefined ? "" : `-${option.short}, `}--${optionName(key)}`;
  if (option.kind === "flag") return name;
  const type = option.kind === "integer" || option.kind === "number" ? option.kind : "string";
  return `${name} <${
    safePlaceholder(
      option.placeholder ?? (type === "string" ? "text" : "count"),
    )
  }:${type}>`;
}

// Cliffy reads `=`, brackets and colons in a definition as its own syntax.
function safePlaceholder(placeholder: string): string {
  return placeholder.replace(/[^\w.-]/g, "-");
}

/** Puts the placeholders as they were written back into a help text. */
export function restorePlaceholders(help: string, options: Options): string {
  let text = help;
  for (const option of Object.values(options)) {
    const { placeholder } = option;
    if (placeholder !== undefined) {
      text = text.replaceAll(
        `<${safePlaceholder(placeholder)}>`,
        `<${placeholder}>`,
      );
    }
  }
  return text;
}

/** What is wrong with a value, or undefined. */
export function optionProblem(
  key: string,
  option: Option,
  value: unknown,
): string | undefined {
  const name = `--${optionName(key)}`;
  if (value === undefined) return undefined;
  if (option.kind === "text") {
    if (value === "") return `${name} has an empty value`;
    if (
      option.choices !== undefined && !option.choices.includes(String(value))
    ) {
      return `${name} does not know "${value}" (it takes ${option.choices.join(", ")})`;
    }
  }
  if (option.kind === "integer" || option.kind === "number") {
    const number = Number(value);
    if (option.min !== undefined && number < option.min) {
      return `${name} is ${number}, and must be at least ${option.min}`;
    }
    if (option.max !== undefined && number > option.max) {
      return `${name} is ${number}, and must be at most ${option.max}`;
    }
  }
  return undefined;
}

/** The options that every task takes. */
export const commonOptions = {
  target: {
    kind: "text",
    short: "t",
    choices: ["local", "eks", "context"],
    placeholder: "where",
    description:
      "Where to run: local (embedded cluster), eks, or context (a kubeconfig context); " +
      "remembered from install",
  },
  namespace: {
    kind: "text",
    short: "n",
    placeholder: "name",
    description: "Kubernetes namespace of the Dynamo platform and its graphs",
  },
  output: {
    kind: "text",
    short: "o",
    choices: ["text", "json"],
    default: "text",
    placeholder: "form",
    description: "Form of the data on stdout: text or json",
  },
  yes: {
    kind: "flag",
    short: "y",
    description: "Do not ask, agree to everything",
  },
  dryRun: { kind: "flag", description: "Print the plan and change nothing" },
  verbose: {
    kind: "flag",
    short: "v",
    description: "Say more, with stacks of errors",
  },
} as const satisfies Options;

/** `--dynamo-version`, for the tasks that decide on a release. */
export const dynamoVersionOption = {
  kind: "text",
  placeholder: "version",
  description: "Dynamo version; wins over DYNAMO_VERSION and terraform/blueprint.tfvars",
} as const satisfies TextOption;
