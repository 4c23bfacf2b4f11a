/**
 * A command: what it is called with, what it does, what its help says.
 *
 * @module
 */
import {
  type Argument,
  type Option,
  type OptionSettings,
  parseArguments,
  parseFlags,
  shortForm,
} from "./definitions.ts";
import { ValidationError } from "./errors.ts";
import { type HelpOptions, helpText } from "./help/text.ts";
import { columns, exit, noColor, print, printError } from "./output.ts";
import { builtInTypes, Type, type TypeOrTypeHandler } from "./types.ts";
import { checkOptions, convertArguments, convertOption } from "./values.ts";
import { splitWords, suggestCommand } from "./words.ts";

/** What a command or an option does; `this` is the command. */
export type ActionHandler = (
  this: Command,
  // The shape follows from the declarations, which this edition does not infer.
  // deno-lint-ignore no-explicit-any
  options: any,
  // deno-lint-ignore no-explicit-any
  ...args: any[]
) => unknown;

/** What an option can have besides its flags and description. */
export interface OptionOptions extends OptionSettings {
  /** Runs before the command's action; with `standalone`, instead of it. */
  action?: ActionHandler;
  /** Changes the value; gets the previous one when the option is given again. */
  // deno-lint-ignore no-explicit-any
  value?: (value: any, previous?: any) => unknown;
  /** Goes before the options declared so far. */
  prepend?: boolean;
}

/** What {@link Command.parse} returns. */
export interface CommandResult {
  /** Values of the options, by name. */
  // deno-lint-ignore no-explicit-any
  options: any;
  /** Values of the arguments, in order. */
  // deno-lint-ignore no-explicit-any
  args: any[];
  /** Words behind `--`. */
  literal: string[];
  /** The command that ran. */
  cmd: Command;
}

type DeclaredOption = Option & OptionOptions;

/**
 * A command. Methods that declare return the command, for chaining; after
 * {@link Command.command} they declare for the new subcommand, until {@link Command.reset}.
 */
export class Command {
  #selected: Command = this;
  #parent: Command | undefined;
  #name = "COMMAND";
  #version: string | undefined;
  #description: string | (() => string) = "";
  #usage: string | undefined;
  #group: string | undefined;
  #hidden = false;
  #noGlobals = false;
  #throwErrors = false;
  #noExit = false;
  #hasDefaults = false;
  #isRoot = false;
  #action: ActionHandler | undefined;
  #arguments: Argument[] = [];
  #literal: string[] = [];
  #words: readonly string[] = [];
  readonly #aliases: string[] = [];
  readonly #options: DeclaredOption[] = [];
  readonly #examples: { name: string; description: string }[] = [];
  readonly #commands = new Map<string, Command>();
  readonly #types = new Map<
    string,
    { handler: TypeOrTypeHandler; global: boolean }
  >();

  /** Sets the name of the main command; a subcommand's name is the one it is added under. */
  name(name: string): this {
    this.#selected.#name = name;
    return this;
  }

  /** Sets the version; the main command then takes `-V, --version`. */
  version(version: string): this {
    this.#selected.#version = version;
    return this;
  }

  /** Sets the description; a list of commands shows its first line. */
  description(description: string | (() => string)): this {
    this.#selected.#description = description;
    return this;
  }

  /** Replaces what stands behind the name in `Usage:`. */
  usage(usage: string): this {
    this.#selected.#usage = usage;
    return this;
  }

  /** Leaves the command out of help and completions. */
  hidden(): this {
    this.#selected.#hidden = true;
    return this;
  }

  /** Adds another name for the command. */
  alias(alias: string): this {
    this.#selected.#aliases.push(alias);
    return this;
  }

  /** Declares the arguments: `<file:string> [rest...:string]`. */
  arguments(definition: string): this {
    this.#selected.#arguments = parseArguments(definition);
    return this;
  }

  /** Names the section of the help that further options stand in; null for `Options`. */
  group(name: string | null): this {
    this.#selected.#group = name ?? undefined;
    return this;
  }

  /** Declares an option: `-p, --port <port:integer>`. */
  option(
    flags: string,
    description: string,
    options: OptionOptions = {},
  ): this {
    const cmd = this.#selected;
    const option = {
      ...(cmd.#group === undefined ? {} : { groupName: cmd.#group }),
      ...parseFlags(flags, description),
      ...options,
    };
    if (
      cmd.#options.some((known) => known.flags.some((flag) => option.flags.includes(flag)))
    ) {
      throw new Error(
        `An option with name '${option.flag}' is already registered on command '${cmd.#name}'.`,
      );
    }
    if (options.prepend) cmd.#options.unshift(option);
    else cmd.#options.push(option);
    return this;
  }

  /** Declares an option that all subcommands know too. */
  globalOption(
    flags: string,
    description: string,
    options: OptionOptions = {},
  ): this {
    return this.option(flags, description, { ...options, global: true });
  }

  /** Keeps global options and types of the parents out. */
  noGlobals(): this {
    this.#selected.#noGlobals = true;
    return this;
  }

  /** Adds a type for this command; with `global`, for its subcommands too. */
  type(
    name: string,
    handler: TypeOrTypeHandler,
    options: { global?: boolean } = {},
  ): this {
    this.#selected.#types.set(name, {
      handler,
      global: options.global ?? false,
    });
    return this;
  }

  /** Adds a type for this command and its subcommands. */
  globalType(name: string, handler: TypeOrTypeHandler): this {
    return this.type(name, handler, { global: true });
  }

  /** Adds an example to the help. */
  example(name: string, description: string): this {
    this.#selected.#examples.push({ name, description });
    return this;
  }

  /** Sets what the command does. */
  action(action: ActionHandler): this {
    this.#selected.#action = action;
    return this;
  }

  /** Adds a subcommand, new or ready made; what is declared next belongs to it. */
  command(nameAndArguments: string, command?: Command | string): this {
    const [name = "", ...rest] = nameAndArguments.trim().split(/ +/);
    if (this.#commands.has(name)) {
      throw new Error(`Duplicate command name "${name}".`);
    }
    const child = command instanceof Command ? command.reset() : new Command();
    child.#name = name;
    child.#parent = this;
    if (typeof command === "string") child.#description = command;
    if (rest.length > 0) child.#arguments = parseArguments(rest.join(" "));
    this.#commands.set(name, child);
    this.#selected = child;
    return this;
  }

  /** Declares for this command again. */
  reset(): this {
    this.#selected = this;
    return this;
  }

  /** Throws errors of usage instead of printing them and ending the process. */
  throwErrors(): this {
    this.#selected.#throwErrors = true;
    return this;
  }

  /** As {@link Command.throwErrors}; and `--help` and `--version` do not end the process. */
  noExit(): this {
    this.#selected.#noExit = true;
    return this.throwErrors();
  }

  /**
   * Reads a command line and runs what it asks for.
   *
   * @throws {ValidationError} for wrong usage, with `throwErrors()`; anything the action throws.
   */
  async parse(words: string[] = Deno.args): Promise<CommandResult> {
    this.#isRoot = true;
    return await this.reset().#run(words, {});
  }

  async #run(
    words: readonly string[],
    inherited: Record<string, unknown>,
  ): Promise<CommandResult> {
    try {
      this.#registerDefaults();
      this.#words = words;
      const end = words.indexOf("--");
      const own = end < 0 ? words : words.slice(0, end);
      this.#literal = end < 0 ? [] : words.slice(end + 1);
      const options = this.#allOptions();
      const split = splitWords(own, {
        options,
        commands: [...this.#commands].flatMap((
          [name, cmd],
        ) => [name, ...cmd.#aliases]),
        convert: (option, word, previous) =>
          convertOption(
            option,
            word,
            previous,
            (type) => this.#typeNamed(type),
          ),
      });
      const standalone = [...split.given].find((option) => option.standalone);
      if (split.sub !== undefined && standalone === undefined) {
        const { name, rest } = split.sub;
        if ([...split.given].some((option) => !option.global)) {
          throw new ValidationError(
            `Too many arguments: ${[name, ...rest].join(" ")}`,
          );
        }
        const child = this.getCommand(name, true)!;
        return await child.#run(
          end < 0 ? rest : [...rest, ...words.slice(end)],
          { ...inherited, ...given(split.values, split.given) },
        );
      }
      if (standalone !== undefined) {
        await (standalone as DeclaredOption).action?.call(this, split.values);
        return {
          options: split.values,
          args: [],
          literal: this.#literal,
          cmd: this,
        };
      }
      const values = {
        ...split.values,
        ...inherited,
        ...given(split.values, split.given),
      };
      checkOptions(options, split.given, values);
      this.#checkOperands(split.operands);
      const args = convertArguments(
        this.#arguments,
        split.operands,
        (type) => this.#typeNamed(type),
      );
      if (
        this.#commands.size > 0 && this.#action === undefined &&
        words.length === 0
      ) {
        this.showHelp();
        this.#exit();
      }
      for (const option of split.given) {
        await (option as DeclaredOption).action?.call(this, values, ...args);
      }
      await this.#action?.call(this, values, ...args);
      return { options: values, args, literal: this.#literal, cmd: this };
    } catch (error) {
      return this.throw(
        error instanceof Error ? error : new Error(`[non-error-thrown] ${error}`),
      );
    }
  }

  #checkOperands(operands: readonly string[]): void {
    const first = operands[0];
    if (this.#arguments.length > 0 || first === undefined) return;
    if (this.#commands.size === 0) {
      throw new ValidationError(
        `No arguments allowed for command "${this.getPath()}".`,
      );
    }
    const names = this.getCommands().map((command) => command.getName());
    throw new ValidationError(
      `Unknown command "${first}".${suggestCommand(first, names)}`,
    );
  }

  /** Ends the run with an error, as `throwErrors()` says. */
  throw(error: Error): never {
    if (
      !(error instanceof ValidationError) ||
      this.#inherits((cmd) => cmd.#throwErrors)
    ) {
      throw error;
    }
    this.showHelp();
    printError(`  error: ${error.message}\n`);
    return exit(error.exitCode);
  }

  #exit(): void {
    if (!this.#inherits((cmd) => cmd.#noExit)) exit(0);
  }

  #inherits(test: (cmd: Command) => boolean): boolean {
    return test(this) ||
      (this.#parent !== undefined && this.#parent.#inherits(test));
  }

  #registerDefaults(): void {
    const main = this.getMainCommand();
    if (main.#hasDefaults) return;
    main.#hasDefaults = true;
    main.reset();
    for (const [name, handler] of builtInTypes()) {
      if (!main.#types.has(name)) {
        main.#types.set(name, { handler, global: true });
      }
    }
    if (main.#version !== undefined) {
      main.option(
        "-V, --version",
        "Show the version number for this program.",
        {
          standalone: true,
          prepend: true,
          action() {
            const version = this.getVersion() ?? "";
            print(
              this.#words.includes("--version") ? `${this.getName()} ${version}` : version,
            );
            this.#exit();
          },
        },
      );
    }
    main.option("-h, --help", "Show this help.", {
      standalone: true,
      global: true,
      prepend: true,
      action() {
        this.showHelp({ long: true });
        this.#exit();
      },
    });
  }

  #allOptions(): DeclaredOption[] {
    const inherited = this.#parent === undefined
      ? []
      : this.#parent.#allOptions().filter((option) =>
        option.global && (!this.#noGlobals || option.flag === "--help") &&
        !this.#options.some((own) => own.flag === option.flag)
      );
    return [...inherited, ...this.#options];
  }

  #typeNamed(name: string, globalOnly = false): TypeOrTypeHandler {
    const found = this.#types.get(name);
    if (found !== undefined && (found.global || !globalOnly)) {
      return found.handler;
    }
    if (this.#parent === undefined) throw new Error(`Unknown type "${name}".`);
    return this.#parent.#typeNamed(name, true);
  }

  /** The name. */
  getName(): string {
    return this.#name;
  }

  /** Other names. */
  getAliases(): string[] {
    return this.#aliases;
  }

  /** Names of the parents and the own one. */
  getPath(name?: string): string {
    return this.#parent === undefined || this.#isRoot
      ? name ?? this.#name
      : `${this.#parent.getPath(name)} ${this.#name}`;
  }

  /** The version, of the nearest command that has one. */
  getVersion(): string | undefined {
    return this.#version ?? this.#parent?.getVersion();
  }

  /** The description. */
  getDescription(): string {
    return typeof this.#description === "function" ? this.#description() : this.#description;
  }

  /** First line of the description. */
  getShortDescription(): string {
    return this.getDescription().trim().split("\n")[0] ?? "";
  }

  /** The parent, if any. */
  getParent(): Command | undefined {
    return this.#parent;
  }

  /** The command at the root. */
  getMainCommand(): Command {
    return this.#parent?.getMainCommand() ?? this;
  }

  /** Declared arguments. */
  getArguments(): Argument[] {
    return this.#arguments;
  }

  /** Words behind `--` of the last run. */
  getLiteralArgs(): string[] {
    return this.#literal;
  }

  /** Options, inherited ones too; hidden ones only when asked for. */
  getOptions(hidden?: boolean): Option[] {
    this.#registerDefaults();
    return this.#allOptions().filter((option) => hidden || !option.hidden);
  }

  /** Subcommands; hidden ones only when asked for. */
  getCommands(hidden?: boolean): Command[] {
    return [...this.#commands.values()].filter((command) => hidden || !command.#hidden);
  }

  /** A subcommand by name or alias. */
  getCommand(name: string, hidden?: boolean): Command | undefined {
    return this.getCommands(hidden).find((command) =>
      command.#name === name || command.#aliases.includes(name)
    );
  }

  /** Values that an argument or an option's value may have, when its type knows them. */
  getValues(argument: Argument): readonly unknown[] | undefined {
    this.#registerDefaults();
    const type = this.#typeNamed(argument.type);
    return type instanceof Type ? type.values?.() : undefined;
  }

  /** The text of `--help`. */
  getHelp(options: HelpOptions = {}): string {
    const visible = this.getOptions();
    const required = visible.filter((option) => option.required).map((option) =>
      [
        option.flag,
        option.argument === undefined ? "" : shortForm(option.argument),
      ].join(" ")
        .trim()
    );
    return helpText(
      {
        path: this.getPath(),
        usage: this.#usage ??
          [...this.#arguments.map(shortForm), ...required].join(" "),
        version: this.getVersion(),
        description: this.getDescription(),
        options: visible,
        commands: this.getCommands().map((command) => ({
          name: [command.#name, ...command.#aliases].join(", "),
          args: command.#arguments,
          description: command.getShortDescription(),
        })),
        examples: this.#examples,
        values: (argument) => this.getValues(argument),
      },
      { ...options, colors: (options.colors ?? true) && !noColor() },
      options.width ?? columns(),
    );
  }

  /** Prints the help to stdout. */
  showHelp(options?: HelpOptions): void {
    print(this.getHelp(options));
  }
}

function given(
  values: Record<string, unknown>,
  options: ReadonlySet<Option>,
): Record<string, unknown> {
  return Object.fromEntries(
    [...options].map((option) => [option.name, values[option.name]]),
  );
}
