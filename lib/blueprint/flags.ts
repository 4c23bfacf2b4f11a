/**
 * Between tasks' options and the blueprint.
 *
 * @module
 */
import { resolveRelease } from "./release.ts";
import type { Blueprint, Release } from "./types.ts";

/** Options of tasks that set something of the blueprint. */
export interface BlueprintOptions {
  /** `--name` */
  readonly name?: string | undefined;
  /** `--region` */
  readonly region?: string | undefined;
  /** `--namespace` */
  readonly namespace?: string | undefined;
  /** `--dynamo-version` */
  readonly dynamoVersion?: string | undefined;
}

/** What {@link loadBlueprint} takes as `flags`, from a task's options. */
export function blueprintFlags(
  options: BlueprintOptions,
): Readonly<Record<string, string | undefined>> {
  return {
    name: options.name,
    region: options.region,
    namespace: options.namespace,
    "dynamo-version": options.dynamoVersion,
  };
}

/**
 * The release that the blueprint asks for.
 *
 * @throws {TaskError} as `resolveRelease`, naming the flag, variable or line it came from.
 */
export function releaseOf(blueprint: Blueprint): Release {
  return resolveRelease(blueprint.dynamoVersion.value, blueprint.dynamoVersion.source);
}
