/**
 * Output of the real terraform for tests, recorded under `tests/fixtures/terraform`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { readEvent, type TerraformEvent } from "./stream.ts";

/** The events of a recording: `apply-fails` is `apply-fails.jsonl`. */
export async function recorded(name: string): Promise<TerraformEvent[]> {
  const lines = (await Deno.readTextFile(recordingPath(`${name}.jsonl`))).split("\n");
  return lines.map(readEvent).filter((event) => event !== undefined);
}

/** Path of a recorded file. */
export function recordingPath(file: string): string {
  return fileURLToPath(new URL(`../../tests/fixtures/terraform/${file}`, import.meta.url));
}
