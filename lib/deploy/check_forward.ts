/**
 * A port-forward to a graph's frontend that tells when the frontend is replaced, and moves on.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { forwardPort, resolveServicePod } from "../kube/port_forward.ts";
import type { Kube, PortForwarder } from "../kube/types.ts";
import { listModels } from "../serving/probes.ts";
import { FRONTEND_PORT } from "./frontend.ts";

/** The port-forward, and what happens to the pod behind it. */
export interface WatchedForward extends AsyncDisposable {
  /** Base URL; another one after the pod was replaced. */
  readonly url: string;
  /** Resolves when the pod is gone, or is going and had time to end what it was asked. */
  gone(signal: AbortSignal): Promise<void>;
  /**
   * Whether the pod is gone or going, or was since this was last asked. Then it waits until
   * another one serves a model, and says so in words; undefined when the pod is still there, or
   * no other one comes.
   */
  replaced(): Promise<string | undefined>;
}

// A pod is made within seconds; its image is on the node.
const NEW_POD_WITHIN_MS = 90_000;
const MODELS_WITHIN_MS = 3_000;
const RETRY_MS = 300;
// A pod that is being deleted ends its answers, or hangs until it is killed.
const LOOK_EVERY_MS = 1_000;
const LAST_WORDS_MS = 2_000;
// Requests that went to the pod before may fail after others have moved on.
const STILL_BREAKS_MS = 5_000;

/** Opens it on a free port of 127.0.0.1. */
export async function watchedForward(
  ctx: Context,
  kube: Kube,
  where: { readonly namespace: string; readonly service: string },
): Promise<WatchedForward> {
  let asked = "";
  const open = async (): Promise<PortForwarder> => {
    const pod = await resolveServicePod(kube, { ...where, port: FRONTEND_PORT });
    asked = pod.name;
    return await forwardPort(ctx, kube, {
      port: FRONTEND_PORT,
      pod: () => Promise.resolve(pod),
      quiet: true,
    });
  };
  let forwarder = await open();
  let moving: Promise<string | undefined> | undefined;
  let moved: { readonly words: string; readonly at: number } | undefined;

  async function isThere(): Promise<boolean> {
    const { namespace } = where;
    const pod = await kube.get({ apiVersion: "v1", kind: "Pod", name: asked, namespace });
    return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
  }

  async function move(): Promise<string | undefined> {
    const before = asked;
    const end = ctx.clock.monotonic() + NEW_POD_WITHIN_MS;
    while (ctx.clock.monotonic() < end) {
      try {
        if (!await isThere()) {
          const next = await open();
          await forwarder.close();
          forwarder = next;
        }
        const models = await listModels(ctx, { url: forwarder.url, timeoutMs: MODELS_WITHIN_MS });
        if (models.length > 0) return `pod ${before} went away; asked again at ${asked}`;
      } catch (error) {
        if (ctx.signal.aborted) throw error;
        ctx.ui.debug(`Waiting for another frontend: ${messageOf(error)}`);
      }
      await ctx.clock.sleep(RETRY_MS, ctx.signal);
    }
    return undefined;
  }

  return {
    get url() {
      return forwarder.url;
    },
    async gone(signal) {
      const either = AbortSignal.any([signal, ctx.signal]);
      do await ctx.clock.sleep(LOOK_EVERY_MS, either); while (await isThere());
      await ctx.clock.sleep(LAST_WORDS_MS, either);
    },
    async replaced() {
      // Checks that run side by side break together, and one of them moves all.
      if (moving === undefined && await isThere()) {
        return moved !== undefined && ctx.clock.monotonic() - moved.at < STILL_BREAKS_MS
          ? moved.words
          : undefined;
      }
      moving ??= move().finally(() => moving = undefined);
      const words = await moving;
      if (words !== undefined) moved = { words, at: ctx.clock.monotonic() };
      return words;
    },
    [Symbol.asyncDispose]: () => forwarder.close(),
  };
}
