/**
 * A port-forward to a graph's frontend that tells whether the frontend was replaced meanwhile.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { forwardPort, resolveServicePod } from "../kube/port_forward.ts";
import type { Kube, PortForwarder } from "../kube/types.ts";
import { listModels } from "../serving/probes.ts";
import { FRONTEND_PORT } from "./frontend.ts";

/** The port-forward, and what happened to the pod behind it. */
export interface WatchedForward {
  /** The port-forward; the next connection goes to a new pod when the one before is gone. */
  readonly forwarder: PortForwarder;
  /**
   * Whether the pod that was asked is gone or was going. Then it waits until another one serves
   * a model, and says so in words; undefined when the pod is still there, or none comes.
   */
  replaced(): Promise<string | undefined>;
}

// A pod is made within seconds; its image is on the node.
const NEW_POD_WITHIN_MS = 90_000;
const RETRY_MS = 300;

/** Opens it on a free port of 127.0.0.1. */
export async function watchedForward(
  ctx: Context,
  kube: Kube,
  where: { readonly namespace: string; readonly service: string },
): Promise<WatchedForward> {
  const pick = () => resolveServicePod(kube, { ...where, port: FRONTEND_PORT });
  let asked = await pick();
  let words: string | undefined;
  const forwarder = await forwardPort(ctx, kube, {
    port: FRONTEND_PORT,
    pod: async () => {
      const pod = await pick();
      if (pod.name !== asked.name) {
        words = `pod ${asked.name} went away; asked again at ${pod.name}`;
        asked = pod;
      }
      return pod;
    },
  });

  async function isThere(): Promise<boolean> {
    const pod = await kube.get({
      apiVersion: "v1",
      kind: "Pod",
      name: asked.name,
      namespace: where.namespace,
    });
    return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
  }

  async function answers(): Promise<void> {
    const end = ctx.clock.monotonic() + NEW_POD_WITHIN_MS;
    for (;;) {
      try {
        if (await isThere() || (await pick()).name !== asked.name) {
          const models = await listModels(ctx, { url: forwarder.url });
          if (models.length > 0 && await isThere()) return;
        }
      } catch (error) {
        if (ctx.signal.aborted) throw error;
        if (ctx.clock.monotonic() > end) throw error;
        ctx.ui.debug(`Waiting for another frontend: ${messageOf(error)}`);
      }
      if (ctx.clock.monotonic() > end) throw new Error("no other pod serves a model");
      await ctx.clock.sleep(RETRY_MS, ctx.signal);
    }
  }

  return {
    forwarder,
    async replaced() {
      // The forward may have moved on by itself; then the new pod may not know its models yet.
      if (words === undefined && await isThere()) return undefined;
      try {
        await answers();
      } catch (error) {
        if (ctx.signal.aborted) throw error;
        return undefined;
      }
      const said = words;
      words = undefined;
      return said;
    },
  };
}
