/**
 * Port-forwards to pods, one each, kept as long as they are wanted.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { forwardPort } from "../kube/port_forward.ts";
import type { Kube, PortForwarder } from "../kube/types.ts";

/** A port of a pod. */
export interface ForwardedPod {
  /** Name of the pod. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Port of its container. */
  readonly port: number;
}

/** Port-forwards by pod; disposing closes them. */
export interface PodForwards extends AsyncDisposable {
  /** Base URL of the pod's port. Opened on first use. */
  url(pod: ForwardedPod): Promise<string>;
  /** Closes those of other pods. */
  keep(names: readonly string[]): Promise<void>;
}

/** Opens none yet. */
export function podForwards(ctx: Context, kube: Kube): PodForwards {
  const opened = new Map<string, Promise<PortForwarder>>();
  const close = async (one: Promise<PortForwarder>) =>
    await (await one.catch(() => undefined))?.close();
  return {
    async url({ name, namespace, port }) {
      const forwarder = opened.get(name) ?? forwardPort(ctx, kube, {
        pod: () => Promise.resolve({ name, namespace }),
        port,
        // Who asks says what is missing.
        quiet: true,
      });
      opened.set(name, forwarder);
      return (await forwarder).url;
    },
    async keep(names) {
      for (const [name, forwarder] of opened) {
        if (names.includes(name)) continue;
        opened.delete(name);
        await close(forwarder);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...opened.values()].map(close));
    },
  };
}
