/**
 * Runs a task as a user does: a process of its own, in a state folder of the test's.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** Root of the project. */
export const PROJECT_ROOT: string = fileURLToPath(new URL("../..", import.meta.url)).replace(
  /\/$/,
  "",
);

/** Result of {@link runTaskProcess}. */
export interface TaskResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly ms: number;
}

/** Options of {@link runTaskProcess}. */
export interface TaskProcessOptions {
  /** State folder (`DYNAMO_HOME`). */
  readonly home: string;
  /** More environment variables. */
  readonly env?: Record<string, string>;
  /** Milliseconds after which the test gives up. */
  readonly timeoutMs?: number;
  /** Called with the process once it runs, for signals. */
  readonly onStart?: (child: Deno.ChildProcess) => void;
}

/** Runs `deno task <words>` without a terminal. */
export async function runTaskProcess(
  words: readonly string[],
  options: TaskProcessOptions,
): Promise<TaskResult> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...words],
    cwd: PROJECT_ROOT,
    env: { DYNAMO_HOME: options.home, NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(options.timeoutMs ?? 300_000),
  }).spawn();
  options.onStart?.(child);
  const output = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    code: output.code,
    stdout: text(output.stdout),
    stderr: text(output.stderr),
    ms: performance.now() - start,
  };
}
