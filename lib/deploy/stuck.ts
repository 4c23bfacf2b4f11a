/**
 * Objects of our graphs that are being deleted and do not go, because nobody takes their
 * finalizers away: those are taken away here, late, one object at a time, with a warning.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { timeoutError } from "../cli/errors.ts";
import { isCode } from "../kube/objects.ts";
import type { Kube, ObjectRef } from "../kube/types.ts";
import { COMPONENT_KIND, GRAPH_KIND } from "./graph_state.ts";

/** Milliseconds that nothing may change while only the graph and its components are left. */
export const ALONE_MS = 20_000;
/** Milliseconds that nothing may change while pods or Deployments are left, too. */
export const STILL_MS = 90_000;

/** Notices when nothing moves any more. */
export interface StuckWatch extends AsyncDisposable {
  /** Tells what is left, as `kind/name`. */
  see(left: readonly string[]): void;
}

/**
 * Watches a removal. Once nothing has changed for {@link ALONE_MS} (or {@link STILL_MS}) the
 * finalizers of the graph and of its components are taken away, if they are marked as deleted and
 * the graph carries our label.
 */
export function watchForStuck(
  ctx: Context,
  kube: Kube,
  graph: ObjectRef,
  signal: AbortSignal,
): StuckWatch {
  let left: readonly string[] = [];
  let since = ctx.clock.monotonic();
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const watching = (async () => {
    while (!ended.aborted) {
      await ctx.clock.sleep(500, ended).catch(() => {});
      const alone = left.every((one) => isOwnKind(one));
      if (left.length === 0) continue;
      if (ctx.clock.monotonic() - since < (alone ? ALONE_MS : STILL_MS)) continue;
      await freeAll(ctx, kube, { graph, left }).catch((error) => {
        if (!ended.aborted) ctx.ui.warn(`Finalizers could not be taken away: ${error.message}`);
      });
      since = ctx.clock.monotonic();
    }
  })();
  return {
    see(now) {
      if (now.join() !== left.join()) since = ctx.clock.monotonic();
      left = now;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
    },
  };
}

function isOwnKind(text: string): boolean {
  return text.startsWith(`${GRAPH_KIND}/`) || text.startsWith(`${COMPONENT_KIND}/`);
}

async function freeAll(
  ctx: Context,
  kube: Kube,
  { graph, left }: { readonly graph: ObjectRef; readonly left: readonly string[] },
): Promise<void> {
  const found = await kube.get(graph);
  // What others made is left alone, whatever holds it.
  const labels = found?.metadata.labels ?? {};
  if (found !== undefined && labels["app.kubernetes.io/managed-by"] !== "dynamo-eks") return;
  const components = left.filter((one) => one.startsWith(`${COMPONENT_KIND}/`))
    .map((one) => ({ ...graph, kind: COMPONENT_KIND, name: one.split("/")[1]! }));
  // Components first: the graph's own end lets the garbage collector take the rest.
  for (const ref of [...components, graph]) await freeObject(ctx, kube, ref);
}

/** Takes the finalizers of one object away if it is marked as deleted, and says so. */
async function freeObject(ctx: Context, kube: Kube, ref: ObjectRef): Promise<void> {
  const object = await kube.get(ref);
  const finalizers: readonly string[] = object?.metadata.finalizers ?? [];
  if (object?.metadata.deletionTimestamp === undefined || finalizers.length === 0) return;
  ctx.ui.warn(
    `${ref.kind} ${ref.namespace}/${ref.name} is held by ${finalizers.join(", ")}, which nobody ` +
      "took away: doing so",
  );
  try {
    await kube.patch(ref, "merge", { metadata: { finalizers: null } });
  } catch (error) {
    if (!isCode(error, "KUBE_NOTFOUND")) throw error;
  }
}

/** What of an object of ours is to go. */
export interface RemoveObjectOptions {
  /** Milliseconds until its finalizers are taken away; {@link ALONE_MS} unless given. */
  readonly patienceMs?: number;
  /** Milliseconds after which the wait fails. */
  readonly timeoutMs: number;
}

/**
 * Deletes an object of ours that has nothing below it and waits until it is gone; finalizers that
 * nobody takes away are taken away late. Returns false when there was none.
 *
 * @throws {TaskError} REMOVE_TIMEOUT (exit code 4).
 */
export async function removeObject(
  ctx: Context,
  kube: Kube,
  ref: ObjectRef,
  { patienceMs = ALONE_MS, timeoutMs }: RemoveObjectOptions,
): Promise<boolean> {
  const uid = (await kube.get(ref))?.metadata.uid;
  if (uid === undefined) return false;
  const existed = await kube.delete(ref, { propagation: "Background", uid });
  const start = ctx.clock.monotonic();
  let freed = false;
  for (;;) {
    const left = await kube.get(ref);
    if (left === undefined || left.metadata.uid !== uid) return existed;
    const spent = ctx.clock.monotonic() - start;
    if (spent >= timeoutMs) {
      const seconds = Math.round(timeoutMs / 1000);
      throw timeoutError(
        "REMOVE_TIMEOUT",
        `${ref.kind} ${ref.namespace}/${ref.name} was not gone after ${seconds} s`,
        { hint: "Is the operator running? deno task status shows it." },
      );
    }
    if (spent >= patienceMs && !freed) {
      await freeObject(ctx, kube, ref);
      freed = true;
    }
    await ctx.clock.sleep(100, ctx.signal);
  }
}
