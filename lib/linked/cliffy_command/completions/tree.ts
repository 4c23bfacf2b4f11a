/**
 * What the completion scripts are made from.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** An option as a shell sees it. */
export interface CompletionOption {
  /** Its flags, short and long. */
  readonly flags: readonly string[];
  /** One line about it. */
  readonly description: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** Known values; empty when any will do. */
  readonly values: readonly string[];
}

/** A command as a shell sees it. */
export interface CompletionTree {
  /** Names from the main command on. */
  readonly path: readonly string[];
  /** One line about it. */
  readonly description: string;
  /** Options of the command. */
  readonly options: readonly CompletionOption[];
  /** Its subcommands. */
  readonly commands: readonly CompletionTree[];
  /** Known values of the first argument. */
  readonly values: readonly string[];
}

/** Gathers what completions need; `name` is the main command's. */
export function completionTree(
  name: string,
  command: Command,
  parents: readonly string[] = [],
): CompletionTree {
  const path = [...parents, name];
  const first = command.getArguments()[0];
  const valuesOf = (
    argument: Parameters<Command["getValues"]>[0] | undefined,
  ) => argument === undefined ? [] : (command.getValues(argument) ?? []).map(String);
  return {
    path,
    description: command.getShortDescription(),
    options: command.getOptions().map((option) => ({
      flags: option.flags,
      description: option.description.trim().split("\n")[0] ?? "",
      takesValue: option.argument !== undefined && !option.argument.optional,
      values: valuesOf(option.argument),
    })),
    commands: command.getCommands().map((sub) => completionTree(sub.getName(), sub, path)),
    values: valuesOf(first),
  };
}

/** The command and all below it. */
export function allCommands(tree: CompletionTree): CompletionTree[] {
  return [tree, ...tree.commands.flatMap(allCommands)];
}

/** A name that shells accept for functions. */
export function identifier(words: readonly string[]): string {
  return words.join("_").replace(/[^a-zA-Z0-9_]/g, "_");
}

/** A word in single quotes, for POSIX shells. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
