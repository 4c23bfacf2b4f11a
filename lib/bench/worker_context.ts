/**
 * The context of a thread that has no terminal.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { denoContext } from "../cli/context_deno.ts";
import { plainUi } from "../cli/ui_plain.ts";

/** The real context, without a word to anybody. */
export function workerContext(signal: AbortSignal): Context {
  const silent = plainUi({
    writeError: () => {},
    writeOut: () => {},
    now: () => performance.now(),
    verbose: false,
    color: false,
    width: 80,
  });
  return denoContext(silent, signal);
}
