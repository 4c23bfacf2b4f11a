/**
 * Edition of `@std/cli` for machines that reach npm and not JSR: what a task runner
 * uses of it, over Deno and Node's own modules, as the original documents it.
 *
 * @module
 */
export { type Args, parseArgs, type ParseOptions } from "./parse_args.ts";
export { promptSecret, type PromptSecretOptions } from "./prompt_secret.ts";
export { unicodeWidth } from "./unicode_width.ts";
