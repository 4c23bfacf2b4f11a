/**
 * The `completions` command: `completions bash | fish | zsh`.
 *
 * @module
 */
import { Command } from "../command.ts";
import { ValidationError } from "../errors.ts";
import { print } from "../output.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { completionTree } from "./tree.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS = { bash: bashScript, fish: fishScript, zsh: zshScript };

/** Prints a completion script for the main command. */
export class CompletionsCommand extends Command {
  /** Builds the command; without `cmd` it is about the main command. */
  constructor(cmd?: Command) {
    super();
    const base = () => cmd ?? this.getMainCommand();
    this.description(() =>
      `Generate shell completions.\n\n` +
      `Add to your shell's start-up file: source <(${base().getPath()} completions [shell])`
    ).noGlobals().action(() => this.showHelp());
    for (const [shell, script] of Object.entries(SCRIPTS)) {
      this.reset().command(
        shell,
        new Command()
          .description(`Generate shell completions for ${shell}.`)
          .option("-n, --name <command-name>", "The name of the main command.")
          .action(({ name = base().getName() }) => {
            if (!name || name === "COMMAND") {
              throw new ValidationError(
                "Missing main command name; give it with --name.",
              );
            }
            print(script(completionTree(name, base())));
          }),
      );
    }
    this.reset();
  }
}
