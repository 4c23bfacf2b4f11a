/**
 * Which inference engine a component runs, told from its command line.
 *
 * @module
 */
import { specError } from "./errors.ts";
import type { Container } from "./types.ts";

/** Engines with rules of their own. */
export type BackendFramework = "vllm" | "sglang" | "trtllm";

/** The engine named in a command line, or undefined. */
export function detectFramework(container: Container | undefined): BackendFramework | undefined {
  const line = [...container?.command ?? [], ...container?.args ?? []].join(" ");
  const match = /dynamo\.(vllm|sglang|trtllm)\b/.exec(line);
  return match?.[1] as BackendFramework | undefined;
}

/**
 * The engine of a worker: told from its command line, else as configured.
 *
 * @throws {TaskError} when both are known and differ.
 */
export function frameworkOf(
  container: Container | undefined,
  configured: string | undefined,
): string | undefined {
  const detected = detectFramework(container);
  if (detected !== undefined && configured !== undefined && detected !== configured) {
    throw specError(
      `backend framework mismatch: detected "${detected}" from command but explicitly configured as "${configured}"`,
    );
  }
  return detected ?? configured;
}
