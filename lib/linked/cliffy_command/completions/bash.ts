/**
 * Completions for bash.
 *
 * @module
 */
import { allCommands, type CompletionTree, identifier, quote } from "./tree.ts";

/** Writes the script. It walks the words to the deepest command, then offers what fits there. */
export function bashScript(tree: CompletionTree): string {
  const name = tree.path[0] ?? "";
  const fn = `_${identifier([name])}`;
  const commands = allCommands(tree);
  const edges = commands.flatMap((command) =>
    command.commands.map((sub) =>
      `      ${quote(`${command.path.join(" ")}|${sub.path.at(-1)}`)}) at=${
        quote(sub.path.join(" "))
      } ;;`
    )
  );
  const offers = commands.map((command) => {
    const words = [
      ...command.options.flatMap((option) => option.flags),
      ...command.commands.map((sub) => sub.path.at(-1) ?? ""),
      ...command.values,
    ];
    return `    ${quote(command.path.join(" "))}) words=${quote(words.join(" "))} ;;`;
  });
  const values = commands.flatMap((command) =>
    command.options.filter((option) => option.takesValue).flatMap((option) =>
      option.flags.map((flag) =>
        `    ${quote(`${command.path.join(" ")}|${flag}`)}) words=${
          quote(option.values.join(" "))
        }; files=${option.values.length === 0 ? 1 : 0} ;;`
      )
    )
  );
  return `#!/usr/bin/env bash
# bash completion support for ${name}

${fn}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local at=${quote(name)} words="" files=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at|\${COMP_WORDS[i]}" in
${edges.join("\n")}
    esac
  done
  case "$at" in
${offers.join("\n")}
  esac
  case "$at|$prev" in
${values.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ files -eq 1 ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}

complete -F ${fn} -o default ${name}`.replace(/\n\n( +esac)/g, "\n$1");
}
