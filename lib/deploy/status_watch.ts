/**
 * `status --watch`: the status again whenever something changed.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { graphKinds } from "./graphs.ts";
import { followObjects } from "./live_objects.ts";
import type { GraphSession } from "./session.ts";
import { type Status, statusReader } from "./status.ts";

// Changes come in bursts; what is not watched (other namespaces' pods) is read this often.
const PAUSE_MS = 300;
const EVERY_MS = 10_000;

/** A status, or why it cannot be read right now. */
export type WatchedStatus = { readonly status: Status } | { readonly trouble: string };

/** Yields statuses until the task is interrupted. */
export async function* watchStatus(
  ctx: Context,
  session: GraphSession,
): AsyncGenerator<WatchedStatus> {
  const read = statusReader(ctx, session);
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const changes = followObjects(session.kube, {
    kinds: {
      ...graphKinds(session.release.graphApiVersion),
      nodes: { apiVersion: "v1", kind: "Node", optional: true },
    },
    namespace: session.target.namespace,
    signal,
  });
  let next = changes.next();
  try {
    while (!signal.aborted) {
      let found: WatchedStatus;
      try {
        found = { status: await read() };
      } catch (error) {
        if (signal.aborted) return;
        found = { trouble: messageOf(error) };
      }
      yield found;
      const timer = new AbortController();
      const waited = ctx.clock.sleep(EVERY_MS, AbortSignal.any([signal, timer.signal]))
        .then(() => undefined, () => undefined);
      const change = await Promise.race([next, waited]);
      timer.abort();
      if (change?.done === true) return;
      if (change !== undefined) next = changes.next();
      await ctx.clock.sleep(PAUSE_MS, signal).catch(() => {});
    }
  } finally {
    stop.abort();
    next.catch(() => {});
    await changes.return(undefined);
  }
}
