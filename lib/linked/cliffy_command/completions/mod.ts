/**
 * The `completions` command.
 *
 * @module
 */
export { CompletionsCommand } from "./completions_command.ts";
