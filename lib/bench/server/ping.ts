/**
 * Small requests on the load's way, for the time that the network takes.
 *
 * @module
 */
import type { Clock } from "../../cli/context.ts";
import { httpClient } from "../http_client.ts";
import type { Dial } from "../transport.ts";

/** Sends one small request after the other over a connection of its own. */
export interface Pinger {
  /** Milliseconds of one; undefined when they do not count, as it had to dial first. */
  ping(signal: AbortSignal): Promise<number | undefined>;
  /** Closes the connection. */
  close(): void;
}

// Dynamo's frontends answer it at once; elsewhere a 404 is as good.
const PATH = "/live";
const MAX_BYTES = 64 * 1024;

/** Makes one; it dials with the first request. `url` is the base URL of the server. */
export function pinger(
  options: { readonly dial: Dial; readonly url: string; readonly clock: Clock },
): Pinger {
  const { dial, url, clock } = options;
  const client = httpClient({ dial, target: { url }, now: () => clock.monotonic() });
  return {
    async ping(signal) {
      const { ms, kept } = await client.get({
        path: PATH,
        signal,
        accept: "*/*",
        maxBytes: MAX_BYTES,
      });
      return kept ? ms : undefined;
    },
    close: () => client.close(),
  };
}
