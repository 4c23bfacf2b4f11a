/**
 * The `help` command.
 *
 * @module
 */
export { HelpCommand } from "./help_command.ts";
