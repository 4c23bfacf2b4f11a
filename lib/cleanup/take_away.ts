/**
 * Taking objects away and waiting until they are gone; past a deadline the finalizers that
 * nobody takes away are taken away here, one object at a time.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { isCode } from "../kube/objects.ts";
import type { DeleteOptions, Kube, KubeObject } from "../kube/types.ts";
import { type Holding, holdingText } from "./holdings.ts";

/** Options of {@link takeAway}. */
export interface TakeAwayOptions {
  /** How dependents go. */
  readonly propagation?: DeleteOptions["propagation"];
  /** Milliseconds until finalizers are taken away. */
  readonly patienceMs: number;
  /** Told what is left; returns when it changes something that gives the rest more time. */
  readonly onProgress: (left: readonly Holding[]) => void;
}

const POLL_MS = 1_000;
/** Milliseconds that an object may take to go once its finalizers are gone. */
const LAST_MS = 30_000;

/**
 * Deletes the very objects that are given (a new one of the same name stays) and waits until they
 * are gone. Returns those that had to be freed from their finalizers.
 */
export async function takeAway(
  ctx: Context,
  kube: Kube,
  holdings: readonly Holding[],
  options: TakeAwayOptions,
): Promise<Holding[]> {
  const { propagation = "Background", patienceMs, onProgress } = options;
  for (const { ref, uid } of holdings) await kube.delete(ref, { propagation, uid });
  const left = await untilGone(ctx, kube, holdings, patienceMs, onProgress);
  const freed: Holding[] = [];
  for (const one of left) if (await free(ctx, kube, one)) freed.push(one);
  if (freed.length > 0) await untilGone(ctx, kube, freed, LAST_MS, onProgress);
  return freed;
}

/** Waits until none of them is there, at most so long; returns what is. */
export async function untilGone(
  ctx: Context,
  kube: Kube,
  holdings: readonly Holding[],
  patienceMs: number,
  onProgress: (left: readonly Holding[]) => void,
): Promise<Holding[]> {
  const end = ctx.clock.monotonic() + patienceMs;
  let left = [...holdings];
  for (;;) {
    const found = await Promise.all(left.map((one) => theVery(kube, one)));
    left = left.filter((_, index) => found[index] !== undefined);
    if (left.length === 0 || ctx.clock.monotonic() >= end) return left;
    onProgress(left);
    await ctx.clock.sleep(Math.min(POLL_MS, Math.max(1, end - ctx.clock.monotonic())), ctx.signal);
  }
}

async function theVery(kube: Kube, { ref, uid }: Holding): Promise<KubeObject | undefined> {
  const found = await kube.get(ref);
  return found?.metadata.uid === uid ? found : undefined;
}

/** Takes away the finalizers of an object that is being deleted; false when it holds none. */
async function free(ctx: Context, kube: Kube, holding: Holding): Promise<boolean> {
  const object = await theVery(kube, holding);
  const { finalizers = [], deletionTimestamp, resourceVersion } = object?.metadata ?? {};
  if (deletionTimestamp === undefined || finalizers.length === 0) return false;
  ctx.ui.warn(
    `${holdingText(holding)} is held by ${finalizers.join(", ")}, which nobody took away: doing ` +
      "so; what it had in AWS is left to the sweep",
  );
  try {
    // With the version: an object that changes at this moment is somebody's at work.
    await kube.patch(holding.ref, "merge", { metadata: { finalizers: null, resourceVersion } });
    return true;
  } catch (error) {
    if (!isCode(error, "KUBE_NOTFOUND", "KUBE_CONFLICT")) throw error;
    return false;
  }
}
