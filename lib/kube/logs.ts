/**
 * Log lines of pods.
 *
 * @module
 */
import { linesOf } from "./lines.ts";
import type { ApiClient } from "./request.ts";
import type { LogOptions } from "./types.ts";

const SILENCE_MS = 30_000;

/**
 * Log lines as they are, without the line feed. With `follow` until the container ends;
 * an aborted signal ends the iteration without an error.
 *
 * @throws {TaskError} KUBE_NOTFOUND, KUBE_BADREQUEST (the container has not started, or there are several)
 * and others.
 */
export async function* podLogs(
  api: ApiClient,
  pod: { readonly name: string; readonly namespace: string },
  options: LogOptions = {},
): AsyncGenerator<string> {
  const { signal, ...query } = options;
  const call = {
    verb: "read the log of",
    about: `Pod ${pod.namespace}/${pod.name}`,
    path: `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${
      encodeURIComponent(pod.name)
    }/log`,
    query,
    signal,
  };
  try {
    yield* linesOf(api.stream(call, options.follow ? undefined : SILENCE_MS));
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
