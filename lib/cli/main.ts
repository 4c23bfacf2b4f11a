/**
 * Where a task begins and ends: context, signals, errors, exit code.
 *
 * @module
 */
import { type CommandSpec, parseCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { denoContext, denoEnvironment } from "./context_deno.ts";
import { EXIT, type ExitCode, interruptedError, messageOf, TaskError } from "./errors.ts";
import type { Options } from "./options.ts";
import { terminalUi } from "./terminal.ts";
import type { Ui } from "./ui.ts";

/**
 * Runs a command as a process of its own: parses the words, runs it, prints what
 * went wrong and ends the process with the exit code.
 */
export async function runTask<S extends Options>(
  spec: CommandSpec<S>,
  words: readonly string[] = Deno.args,
): Promise<never> {
  const verbose = words.includes("--verbose") || words.includes("-v");
  keepLoopbackDirect();
  const ui = terminalUi(denoEnvironment, verbose);
  const controller = new AbortController();
  const stop = onInterrupt(controller, ui);
  const ctx = denoContext(ui, controller.signal);
  redactSecrets(ctx);
  const code = await runCommand(ctx, spec, words);
  stop();
  ui.close();
  Deno.exit(code);
}

/** Runs a command in a given context and returns its exit code; never throws. */
export async function runCommand<S extends Options>(
  ctx: Context,
  spec: CommandSpec<S>,
  words: readonly string[],
): Promise<ExitCode> {
  try {
    const parsed = await parseCommand(spec, words);
    if (parsed.kind === "help") {
      ctx.ui.out(parsed.text.trimEnd());
      return EXIT.ok;
    }
    return await spec.run(ctx, parsed.invocation) ?? EXIT.ok;
  } catch (error) {
    const shown = ctx.signal.aborted && !isOurs(error) ? interruptedError() : error;
    return reportError(ctx.ui, shown);
  }
}

/** Prints an error for a person and returns the exit code that goes with it. */
export function reportError(ui: Ui, error: unknown): ExitCode {
  if (isOurs(error)) {
    ui.error(error.message);
    for (const line of error.evidence) ui.info(`    ${line}`);
    if (error.hint !== undefined) ui.info(`  ${error.hint}`);
    ui.debug(`${error.code}\n${stacks(error)}`);
    return error.exitCode;
  }
  const known = systemError(error);
  ui.error(known?.message ?? `Unexpected error: ${messageOf(error)}`);
  if (known !== undefined) ui.info(`  ${known.hint}`);
  else if (!ui.verbose) ui.info("  Run again with --verbose for the stack.");
  ui.debug(stacks(error));
  return known?.exitCode ?? EXIT.failed;
}

function isOurs(error: unknown): error is TaskError {
  return error instanceof TaskError;
}

/** Errors of the operating system that can meet any task. */
function systemError(
  error: unknown,
): { message: string; hint: string; exitCode: ExitCode } | undefined {
  const text = messageOf(error);
  if (/ENOSPC|No space left on device|os error 28\b/i.test(text)) {
    return {
      message: `The disk is full: ${text}`,
      hint: "Free some space (the cache and .dynamo hold about 2 GB) and run the task again.",
      exitCode: EXIT.precondition,
    };
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return {
      message: `Not permitted: ${text}`,
      hint: "Check who owns that path; tasks run as an ordinary user.",
      exitCode: EXIT.precondition,
    };
  }
  return undefined;
}

function stacks(error: unknown): string {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    lines.push(at.stack ?? at.message);
  }
  return lines.join("\ncaused by: ");
}

// A terminal signals the whole group of processes, and `deno task` hands it on once more.
const SAME_SIGNAL_MS = 1_000;

/** First Ctrl-C asks the task to stop, the second ends it at once. */
function onInterrupt(controller: AbortController, ui: Ui): () => void {
  let first = 0;
  const handle = () => {
    if (controller.signal.aborted) {
      if (performance.now() - first < SAME_SIGNAL_MS) return;
      ui.close();
      Deno.exit(EXIT.interrupted);
    }
    first = performance.now();
    ui.warn("Stopping (again to stop at once)");
    controller.abort(interruptedError());
  };
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, handle);
  return () => {
    for (const signal of signals) Deno.removeSignalListener(signal, handle);
  };
}

// Deno's fetch sends even 127.0.0.1 to HTTP_PROXY, and our port-forwards listen there.
function keepLoopbackDirect(): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const before = Deno.env.get(name);
    if (name === "no_proxy" && before === undefined) continue;
    Deno.env.set(name, [before, "127.0.0.1", "localhost"].filter(Boolean).join(","));
  }
}

/** Variables whose values are never shown. */
const SECRET_VARIABLES = [
  "HF_TOKEN",
  "HUGGING_FACE_HUB_TOKEN",
  "NGC_API_KEY",
  "OPENAI_API_KEY",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
];

function redactSecrets(ctx: Context): void {
  for (const name of SECRET_VARIABLES) {
    const value = ctx.env.get(name);
    if (value !== undefined) ctx.ui.redact(value);
  }
}
