/**
 * Watches that go on through time-outs, expired versions, lost connections and kinds that
 * are not served yet.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { type Status, statusError } from "./api_error.ts";
import { startDeadline } from "./deadline.ts";
import { type Discovery, type Resource, resourcePath } from "./discovery.ts";
import { linesOf } from "./lines.ts";
import { isCode, listObjects } from "./objects.ts";
import type { ApiCall, ApiClient } from "./request.ts";
import type { KindRef, KubeObject, WatchEvent, WatchOptions } from "./types.ts";

/** What a watch needs. */
export interface WatchParts {
  /** Calls of the API server. */
  readonly api: ApiClient;
  /** Paths of kinds. */
  readonly discovery: Discovery;
}

interface WireEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject & Status;
}

// The server ends a watch after this time; it sends a bookmark each minute.
const SERVER_SECONDS = 300;
const SILENCE_MS = 100_000;
const SHORTEST_MS = 1_000;
const QUIET_MS = 30_000;
const FIRST_WAIT_MS = 250;
const MOST_WAIT_MS = 10_000;
const UNSERVED_WAIT_MS = 1_000;

// An API server that has just started refuses everybody until it has read who may do what.
const REFUSED = ["KUBE_UNAUTHORIZED", "KUBE_FORBIDDEN"];
const REFUSED_MS = 20_000;

// Errors that no repetition mends.
const FATAL = [
  "KUBE_UNAUTHORIZED",
  "KUBE_FORBIDDEN",
  "KUBE_BADREQUEST",
  "KUBE_INVALID",
  "KUBE_CREDENTIALS",
  "KUBE_TLS",
  "INTERRUPTED",
];

/**
 * Yields `SYNC` with all objects, then changes; `SYNC` again after each new start. While the
 * kind is not served the list is empty.
 *
 * @throws {TaskError} when the server refuses the watch for good, or the task is interrupted.
 */
export async function* watchObjects<T extends KubeObject>(
  ctx: Context,
  { api, discovery }: WatchParts,
  kind: KindRef,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { signal } = options;
  const stops = [signal, ctx.signal, api.closed];
  let failures = 0;
  let failedAt = 0;
  let served = true;
  let worked = false;
  let refusedSince: number | undefined;
  while (!signal.aborted) {
    try {
      const resource = await discovery.find(kind);
      if (resource === undefined) {
        if (served) yield { type: "SYNC", items: [] };
        served = false;
        await pause(ctx, UNSERVED_WAIT_MS, stops);
      } else {
        served = true;
        for await (
          const event of followFromList<T>(ctx, { api, discovery }, resource, kind, options)
        ) {
          worked = true;
          refusedSince = undefined;
          yield event;
        }
      }
    } catch (error) {
      if (signal.aborted || isCode(error, "KUBE_CLOSED")) return;
      const now = ctx.clock.monotonic();
      if (worked && isCode(error, ...REFUSED)) {
        refusedSince ??= now;
        if (now - refusedSince > REFUSED_MS) throw error;
      } else if (isCode(error, ...FATAL)) throw error;
      if (isCode(error, "KUBE_NOTFOUND")) discovery.forget(kind);
      options.onRetry?.(messageOf(error));
      failures = now - failedAt > QUIET_MS ? 0 : failures + 1;
      failedAt = now;
      // An expired version alone is no sign of trouble.
      const expired = isCode(error, "KUBE_EXPIRED", "KUBE_GONE");
      if (failures > 0 || !expired) await pause(ctx, backOff(failures), stops);
    }
  }
}

function backOff(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** failures, MOST_WAIT_MS) * (0.75 + Math.random() / 2);
}

/** Waits; ends early without an error when a signal is aborted. */
async function pause(ctx: Context, ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const stop = startDeadline(ctx.clock, undefined, signals);
  try {
    await ctx.clock.sleep(ms, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    stop.end();
  }
}

/** Lists, then follows from there until something fails. */
async function* followFromList<T extends KubeObject>(
  ctx: Context,
  { api, discovery }: WatchParts,
  resource: Resource,
  kind: KindRef,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const list = await listObjects<T>(api, discovery, resource, kind, options);
  yield { type: "SYNC", items: list.items };
  let resourceVersion = list.resourceVersion;
  for (;;) {
    const call = watchCall(resource, kind, options, resourceVersion);
    const started = ctx.clock.monotonic();
    try {
      for await (const line of linesOf(api.stream(call, SILENCE_MS))) {
        const { type, object } = JSON.parse(line) as WireEvent;
        if (type === "ERROR") throw statusError(call, object);
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
        if (type !== "BOOKMARK") yield { type, object: object as KubeObject as T };
      }
    } catch (error) {
      // Silence may mean a connection that died unseen; the version is still good.
      if (!isCode(error, "KUBE_TIMEOUT")) throw error;
      options.onRetry?.(messageOf(error));
    }
    // The server ends each watch after a while; one that ends at once must not be hammered.
    if (ctx.clock.monotonic() - started < SHORTEST_MS) {
      await pause(ctx, SHORTEST_MS, [options.signal, ctx.signal, api.closed]);
    }
  }
}

function watchCall(
  resource: Resource,
  kind: KindRef,
  options: WatchOptions,
  resourceVersion: string,
): ApiCall {
  return {
    verb: "watch",
    about: kind.kind,
    path: resourcePath(resource, options.namespace),
    query: {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      // Watches that started together should not end together.
      timeoutSeconds: SERVER_SECONDS + Math.floor(Math.random() * SERVER_SECONDS),
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    },
    signal: options.signal,
  };
}
