/**
 * Edition of `@std/yaml` over `js-yaml`, for machines that reach npm and not JSR.
 * It offers what a reader and writer of manifests uses, as the original documents it.
 *
 * @module
 */
export { parse, parseAll, type ParseOptions, type SchemaType } from "./parse.ts";
export { stringify, type StringifyOptions } from "./stringify.ts";
export { type YamlPosition, YamlSyntaxError } from "./types.ts";
