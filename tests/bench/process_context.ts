/**
 * The context of a measuring process: the real one, without a terminal.
 *
 * @module
 */
import { workerContext } from "../../lib/bench/worker_context.ts";
import type { Context } from "../../lib/cli/context.ts";

/** A context that says nothing. */
export function processContext(): Context {
  return workerContext(new AbortController().signal);
}
