/**
 * Edition of `@cliffy/command` over `commander`, for machines that reach npm and not JSR.
 * It offers what a task runner uses, as the original documents it; types are looser.
 *
 * @module
 */
export { Command } from "./command.ts";
export type { ActionHandler, CommandResult, OptionOptions } from "./command.ts";
export type { Argument, Option, OptionSettings } from "./definitions.ts";
export { ValidationError, type ValidationErrorOptions } from "./errors.ts";
export type { HelpOptions } from "./help/text.ts";
export {
  type ArgumentValue,
  BooleanType,
  EnumType,
  IntegerType,
  NumberType,
  StringType,
  Type,
  type TypeHandler,
  type TypeOrTypeHandler,
} from "./types.ts";
