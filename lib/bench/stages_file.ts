/**
 * Stages from a file. Apart from `stages.ts`, as a load generator that runs in a pod has no YAML.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { messageOf } from "../cli/errors.ts";
import { type Stage, stagesError, stagesOf } from "./stages.ts";

/** Whether a value of `--stages` names a file. */
export function isStagesFile(text: string): boolean {
  return /\.(ya?ml|json)$/i.test(text);
}

/**
 * Reads a YAML or JSON list of stages, as {@link stagesOf} takes it.
 *
 * @param path for messages.
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the file and the stage.
 */
export function parseStagesFile(text: string, path: string): Stage[] {
  let items: unknown;
  try {
    items = parse(text);
  } catch (error) {
    throw stagesError(`${path} is not YAML: ${messageOf(error)}`);
  }
  return stagesOf(items, path);
}
