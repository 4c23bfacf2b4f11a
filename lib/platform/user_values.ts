/**
 * The user's own values of the chart.
 *
 * @module
 */
import { parsePlainYaml } from "../cli/plain_yaml.ts";
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError } from "../cli/errors.ts";
import { readIfThere } from "../cli/files.ts";
import { DEFAULT_VALUES_FILE } from "./options.ts";
import { isTree } from "./values.ts";

/**
 * Reads the file asked for, or the project's own where it is there.
 *
 * @throws {TaskError} VALUES_FILE (exit code 3).
 */
export async function readUserValues(
  ctx: Context,
  asked: string | undefined,
): Promise<Record<string, unknown>> {
  const path = asked ?? `${ctx.root}/${DEFAULT_VALUES_FILE}`;
  const text = await readIfThere(ctx, path);
  if (text === undefined) {
    if (asked === undefined) return {};
    throw broken(path, "it is not there");
  }
  let values: unknown;
  try {
    values = parsePlainYaml(text);
  } catch (error) {
    throw broken(path, messageOf(error), error);
  }
  if (values === null || values === undefined) return {};
  if (!isTree(values)) throw broken(path, "it is not a mapping of keys and values");
  return values;
}

function broken(path: string, reason: string, cause?: unknown): Error {
  return preconditionError(
    "VALUES_FILE",
    `The values in ${path} cannot be used: ${reason}`,
    "It has to be YAML with keys of the chart dynamo-platform.",
    cause,
  );
}
