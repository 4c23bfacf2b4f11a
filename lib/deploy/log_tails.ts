/**
 * The last log lines of containers that are not ready, kept up to date by following them.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Kube, KubeObject, LogOptions } from "../kube/types.ts";
import { isTelling } from "./diagnosis/model.ts";
import { containersOf } from "./diagnosis/objects.ts";
import { logKey } from "./diagnosis/types.ts";

/** Lines kept of each container. */
const KEPT_LINES = 60;
/** Pods followed at the same time, so that a large graph opens no hundred streams. */
const MOST_PODS = 8;
// A container that has just started may not have a log yet.
const RETRY_MS = 1_000;

/** Last lines of several containers. */
export interface LogTails extends AsyncDisposable {
  /** Lines, oldest first, by {@link logKey}. */
  readonly lines: ReadonlyMap<string, readonly string[]>;
  /** Takes over which pods there are: follows those that are not ready, and lets go of others. */
  update(pods: readonly KubeObject[]): void;
}

/** Options of {@link followLogTails}. */
export interface LogTailOptions {
  /** Namespace of the pods. */
  readonly namespace: string;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Called when a line came that a diagnosis is made from, or a log has ended. */
  readonly onTelling: () => void;
}

/** Follows logs until disposed. A log that cannot be read is no error: there is none, then. */
export function followLogTails(
  ctx: Pick<Context, "clock">,
  kube: Kube,
  { namespace, signal, onTelling }: LogTailOptions,
): LogTails {
  const lines = new Map<string, string[]>();
  const running = new Map<string, AbortController>();
  const tasks = new Set<Promise<void>>();

  const read = async (key: string, pod: string, options: LogOptions, stop: AbortSignal) => {
    const kept: string[] = [];
    for await (const line of kube.logs({ name: pod, namespace }, { ...options, signal: stop })) {
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
      lines.set(key, kept);
      if (isTelling(line)) onTelling();
    }
  };

  const begin = (key: string, pod: string, options: LogOptions) => {
    if (running.has(key)) return;
    const stop = new AbortController();
    running.set(key, stop);
    const ended = AbortSignal.any([signal, stop.signal]);
    const task = (async () => {
      for (let tries = 0; tries < 5 && !ended.aborted; tries++) {
        try {
          await read(key, pod, options, ended);
          if (lines.has(key)) break;
        } catch {
          // Not started yet, gone already, or the API server is away: tried again.
        }
        await ctx.clock.sleep(RETRY_MS, ended).catch(() => {});
      }
      if (!ended.aborted) onTelling();
    })();
    tasks.add(task);
    task.finally(() => tasks.delete(task));
  };

  return {
    lines,
    update(pods) {
      const troubled = pods.filter((pod) =>
        pod.metadata.deletionTimestamp === undefined && pod["spec"]?.nodeName !== undefined &&
        !(pod["status"]?.conditions ?? []).some((one: KubeObject) =>
          one["type"] === "Ready" && one["status"] === "True"
        )
      ).slice(0, MOST_PODS);
      const wanted = new Set<string>();
      for (const pod of troubled) {
        for (const { name, status } of containersOf(pod)) {
          const { state = {}, lastState = {}, restartCount = 0 } = status;
          const key = logKey(pod.metadata.name, name, restartCount);
          wanted.add(key);
          const common = { container: name, tailLines: KEPT_LINES };
          if (state.running !== undefined) {
            begin(key, pod.metadata.name, { ...common, follow: true });
            if (lastState.terminated === undefined) continue;
            // A start before ours was over before anybody looked.
            const before = logKey(pod.metadata.name, name, restartCount - 1);
            wanted.add(before);
            begin(before, pod.metadata.name, { ...common, previous: true });
          } else if (state.terminated !== undefined) {
            begin(key, pod.metadata.name, common);
          } else if (lastState.terminated !== undefined) {
            begin(key, pod.metadata.name, { ...common, previous: true });
          }
        }
      }
      for (const [key, stop] of running) if (!wanted.has(key)) stop.abort();
    },
    async [Symbol.asyncDispose]() {
      for (const stop of running.values()) stop.abort();
      await Promise.all(tasks);
    },
  };
}
