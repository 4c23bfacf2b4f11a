/**
 * Where a value came from, in words.
 *
 * @module
 */
import type { Source } from "./types.ts";

/** `flag --namespace`, `env DYNAMO_VERSION`, `terraform/blueprint.tfvars:12`, `default`. */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case "flag":
      return `flag --${source.name}`;
    case "env":
      return `env ${source.name}`;
    case "file":
      return `${source.path}:${source.line}`;
    case "default":
      return "default";
  }
}

/**
 * The source with the place of a mistake, to begin a message with: as {@link describeSource},
 * files with their column.
 */
export function describePlace(source: Source): string {
  return source.kind === "file"
    ? `${source.path}:${source.line}:${source.column}`
    : describeSource(source);
}
