/**
 * The context of a measuring process: the real one, without a terminal.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { denoContext } from "../../lib/cli/context_deno.ts";
import { plainUi } from "../../lib/cli/ui_plain.ts";

/** A context that says nothing. */
export function processContext(): Context {
  const ui = plainUi({
    writeError: () => {},
    writeOut: () => {},
    now: () => performance.now(),
    verbose: false,
    color: false,
    width: 80,
  });
  return denoContext(ui, new AbortController().signal);
}
