/**
 * The time to first token, split into the server's part and what lies before it. Pure.
 *
 * @module
 */
import type { Interval, ServerTimes, TtftSplit } from "./types.ts";

/** What is compared. Milliseconds. */
export interface SplitInput {
  /** The client's `ttft_service_ms`; undefined when nothing was measured. */
  readonly client: { readonly count: number; readonly mean: number; readonly p50: number } | null;
  /** The server's. */
  readonly server: ServerTimes | null;
  /** Small requests on the same way during the run. */
  readonly roundTrip: { readonly mean: number; readonly p50: number } | undefined;
  /** What the client adds to its median, from the calibration. */
  readonly clientErrorMs: number;
}

// What timers and schedulers of two processes may add, and half a round trip: answers are longer
// than those of the small requests.
const SLACK_MS = 1;
const SLACK_SHARE = 0.5;
// Linux sends an acknowledgement that nothing else carries after 40 ms.
const DELAYED_ACK_MS = 40;
// Requests that only one side counts, as a share; more and the means are of different things.
const COUNT_SHARE = 0.01;

/** Puts both sides next to each other; null when one of them has nothing. */
export function splitTtft(input: SplitInput): TtftSplit | null {
  const { client, server, roundTrip } = input;
  if (client === null || server === null) return null;
  const network = client.mean - server.mean;
  const verdict = compare(input, client.count, server, network);
  return {
    same_requests: client.count === server.count,
    client_mean: client.mean,
    server_mean: server.mean,
    network_mean: network,
    client_p50: client.p50,
    server_p50: server.p50,
    network_p50: difference(client.p50, server.p50),
    round_trip_mean: roundTrip?.mean ?? null,
    round_trip_p50: roundTrip?.p50 ?? null,
    ...verdict,
  };
}

function difference(value: number, { low, high }: Interval): Interval {
  return {
    low: high === null ? 0 : Math.max(0, value - high),
    high: Math.max(0, value - low),
  };
}

function compare(
  { roundTrip, clientErrorMs }: SplitInput,
  count: number,
  server: ServerTimes,
  network: number,
): Pick<TtftSplit, "agrees" | "note"> {
  if (Math.abs(server.count - count) > COUNT_SHARE * count) {
    return {
      agrees: null,
      note: `the server counted ${server.count} first tokens, the client ${count}: ` +
        "failed requests or others' are among them",
    };
  }
  const slack = SLACK_MS + Math.abs(clientErrorMs);
  if (network < -slack) {
    return { agrees: false, note: "the server counts more time than the client" };
  }
  if (roundTrip === undefined) return { agrees: null, note: "no round trip was measured" };
  const most = (1 + SLACK_SHARE) * roundTrip.mean + slack;
  if (network <= most) return { agrees: true, note: null };
  const beyond = `${(network - roundTrip.mean).toFixed(1)} ms more than a round trip`;
  return {
    agrees: false,
    note: network <= most + DELAYED_ACK_MS
      ? `${beyond}: the server or a proxy holds the first bytes back, for example until TCP ` +
        "acknowledges the ones before (up to 40 ms without TCP_NODELAY); other clients meet " +
        "that as well"
      : `${beyond}: requests wait before the server's clock starts (connections it has not ` +
        "accepted, a proxy), or answers on their way back",
  };
}
