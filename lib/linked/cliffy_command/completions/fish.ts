/**
 * Completions for fish.
 *
 * @module
 */
import { allCommands, type CompletionTree, identifier } from "./tree.ts";

/** Writes the script: one `complete` line for each option, command and known value. */
export function fishScript(tree: CompletionTree): string {
  const name = tree.path[0] ?? "";
  const fn = `__fish_${identifier([name])}_at`;
  const lines: string[] = [];
  for (const command of allCommands(tree)) {
    const at = `-c ${name} -n ${quoteFish(`${fn} ${quoteFish(command.path.join(" "))}`)}`;
    for (const sub of command.commands) {
      lines.push(
        `complete ${at} -f -a ${quoteFish(sub.path.at(-1) ?? "")} -d ${quoteFish(sub.description)}`,
      );
    }
    for (const option of command.options) {
      const flags = option.flags.map((flag) =>
        flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
      );
      const value = option.takesValue
        ? option.values.length > 0 ? ` -x -a ${quoteFish(option.values.join(" "))}` : " -r"
        : " -f";
      lines.push(
        `complete ${at} ${flags.join(" ")}${value} -d ${quoteFish(option.description)}`,
      );
    }
    if (command.values.length > 0) {
      lines.push(`complete ${at} -f -a ${quoteFish(command.values.join(" "))}`);
    }
  }
  const edges = allCommands(tree).flatMap((command) =>
    command.commands.map((sub) =>
      `            case ${quoteFish(`${command.path.join(" ")}|${sub.path.at(-1)}`)}\n` +
      `                set at ${quoteFish(sub.path.join(" "))}`
    )
  );
  return `#!/usr/bin/env fish
# fish completion support for ${name}

function ${fn}
    set -l at ${quoteFish(name)}
    for word in (commandline -opc)[2..-1]
        switch "$at|$word"
${edges.join("\n")}
        end
    end
    test "$at" = "$argv[1]"
end

${lines.join("\n")}`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
