/**
 * Completions for zsh.
 *
 * @module
 */
import {
  allCommands,
  type CompletionOption,
  type CompletionTree,
  identifier,
  quote,
} from "./tree.ts";

/** Writes the script: one function for each command, as `_arguments` wants it. */
export function zshScript(tree: CompletionTree): string {
  const name = tree.path[0] ?? "";
  const functions = allCommands(tree).map(commandFunction).join("\n\n");
  const main = `_${identifier(tree.path)}`;
  return `#compdef ${name}

# zsh completion support for ${name}

${functions}

if [ "\${funcstack[1]}" = "${main}" ]; then
  ${main} "$@"
else
  compdef ${main} ${name}
fi`;
}

function commandFunction(command: CompletionTree): string {
  const specs = command.options.map(optionSpec);
  let dispatch = "";
  if (command.commands.length > 0) {
    specs.push(quote("1: :->command"), quote("*:: :->rest"));
    const list = command.commands.map((sub) =>
      quote(`${escape(sub.path.at(-1) ?? "")}:${escape(sub.description)}`)
    );
    const cases = command.commands.map((sub) =>
      `        ${quote(sub.path.at(-1) ?? "")}) _${identifier(sub.path)} ;;`
    );
    dispatch = `
  case "$state" in
    command)
      local -a commands
      commands=(${list.join(" ")})
      _describe 'command' commands
      ;;
    rest)
      case "\${words[1]}" in
${cases.join("\n")}
      esac
      ;;
  esac`;
  } else if (command.values.length > 0) {
    specs.push(quote(`1: :(${command.values.map(escape).join(" ")})`));
  }
  return `_${identifier(command.path)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${specs.join(" ")}${dispatch}
}`;
}

function optionSpec(option: CompletionOption): string {
  const description = `[${escape(option.description)}]`;
  const value = !option.takesValue
    ? ""
    : option.values.length > 0
    ? `: :(${option.values.map(escape).join(" ")})`
    : ": :_files";
  const exclusive = `(${option.flags.join(" ")})`;
  return option.flags.map((flag) => quote(`${exclusive}${flag}${description}${value}`)).join(" ");
}

function escape(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}
