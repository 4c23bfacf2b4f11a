/**
 * Namespaces on their way out: the API server takes nothing new into one, also not when it is to be
 * made again.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { timeoutError } from "../cli/errors.ts";
import type { Kube } from "./types.ts";

const POLL_MS = 200;

/**
 * Waits while the namespace is being deleted, as by a cleanup that was broken off; at once when it
 * is not there or stays.
 *
 * @throws {TaskError} NAMESPACE_STUCK (exit code 4) with what the namespace says.
 */
export async function waitForNamespaceEnd(
  ctx: Context,
  kube: Kube,
  options: {
    /** Name of the namespace. */
    readonly namespace: string;
    /** Milliseconds; 60 s unless given. */
    readonly timeoutMs?: number;
    /** Told while it waits. */
    readonly onWait?: (what: string) => void;
  },
): Promise<void> {
  const { namespace, timeoutMs = 60_000, onWait } = options;
  const end = ctx.clock.monotonic() + timeoutMs;
  for (;;) {
    const found = await kube.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
    if (found?.metadata.deletionTimestamp === undefined) return;
    if (ctx.clock.monotonic() >= end) {
      const conditions: { status: string; message?: string }[] = found["status"]?.conditions ?? [];
      throw timeoutError(
        "NAMESPACE_STUCK",
        `The namespace ${namespace} is being deleted, and is not gone after ` +
          `${Math.round(timeoutMs / 1000)} s`,
        {
          hint: "Something in it has a finalizer that nobody takes away. Run the same task again.",
          evidence: conditions.filter(({ status }) => status === "True")
            .flatMap(({ message }) => message ?? []),
        },
      );
    }
    onWait?.(`the namespace ${namespace} to be gone`);
    await ctx.clock.sleep(POLL_MS, ctx.signal);
  }
}
