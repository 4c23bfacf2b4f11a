/**
 * The controller: watches, one queue, two reconcilers, and a look at everything now and then.
 *
 * @module
 */
import type { Context } from "../../../cli/context.ts";
import type { Kube } from "../../../kube/types.ts";
import { reconcileComponent } from "./component_controller.ts";
import { reconcileGraph } from "./graph_controller.ts";
import {
  errorLine,
  isPassing,
  type Log,
  type OperatorParts,
  type OperatorSettings,
  type Stores,
} from "./parts.ts";
import { makeStore } from "./store.ts";
import { startWatches } from "./watches.ts";
import { makeQueue } from "./work_queue.ts";

/** Options of {@link runOperator}. */
export interface RunOptions {
  /** Settings of the process. */
  readonly settings: OperatorSettings;
  /** Writes a line of the log. */
  readonly log: Log;
  /** Called when the first lists are in and work begins. */
  readonly onReady?: () => void;
  /** Milliseconds between looks at everything; 5 minutes unless given. */
  readonly resyncMs?: number;
}

const RESYNC_MS = 300_000;

/**
 * Runs until the context's signal is aborted.
 *
 * @throws {TaskError} when a watch is refused for good, for example for lack of rights.
 */
export async function runOperator(ctx: Context, kube: Kube, options: RunOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([ctx.signal, failed.signal]);
  const stores: Stores = {
    graphs: makeStore(),
    components: makeStore(),
    deployments: makeStore(),
    services: makeStore(),
  };
  const queue = makeQueue(ctx, {
    signal,
    work: (key) => work(parts, key),
    onFailure: (key, error, waitMs) => {
      const level = isPassing(error) ? "info" : "warn";
      options.log(level, `again in ${waitMs} ms: ${errorLine(error)}`, { key });
    },
  });
  const parts: OperatorParts = {
    ctx,
    kube,
    settings: options.settings,
    stores,
    log: options.log,
    enqueue: (kind, key) => queue.add(`${kind}:${key}`),
  };
  const watches = startWatches(parts, signal);
  try {
    await Promise.race([watches.synced, watches.ended]);
    queue.start();
    if (!signal.aborted) options.onReady?.();
    await Promise.all([watches.ended, resync(parts, signal, options.resyncMs ?? RESYNC_MS)]);
  } finally {
    failed.abort();
    await queue.idle();
  }
}

async function work(parts: OperatorParts, key: string): Promise<void> {
  const at = key.indexOf(":");
  const name = key.slice(at + 1);
  if (key.slice(0, at) === "graph") await reconcileGraph(parts, name);
  else await reconcileComponent(parts, name);
}

async function resync(parts: OperatorParts, signal: AbortSignal, everyMs: number): Promise<void> {
  while (!signal.aborted) {
    try {
      await parts.ctx.clock.sleep(everyMs, signal);
    } catch {
      return;
    }
    for (const graph of parts.stores.graphs.all()) {
      parts.enqueue("graph", `${graph.metadata.namespace}/${graph.metadata.name}`);
    }
    for (const component of parts.stores.components.all()) {
      parts.enqueue("component", `${component.metadata.namespace}/${component.metadata.name}`);
    }
  }
}
