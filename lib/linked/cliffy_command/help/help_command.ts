/**
 * The `help` command.
 *
 * @module
 */
import { Command } from "../command.ts";
import { ValidationError } from "../errors.ts";
import { suggestCommand } from "../words.ts";

/** Shows the help of its parent, or of a command beside it: `help [command]`. */
export class HelpCommand extends Command {
  /** Builds the command; without `cmd` it is about its parent. */
  constructor(cmd?: Command) {
    super();
    this.description("Show this help or the help of a sub-command.")
      .arguments("[command:string]")
      .noGlobals()
      .action((_: unknown, name?: string) => {
        const parent = cmd ?? this.getParent();
        const asked = name === undefined ? parent : parent?.getCommand(name);
        if (asked === undefined) {
          const names = (parent?.getCommands() ?? []).map((command) => command.getName());
          throw new ValidationError(
            `Unknown command "${name}".${suggestCommand(name ?? "", names)}`,
          );
        }
        asked.showHelp();
      });
  }
}
