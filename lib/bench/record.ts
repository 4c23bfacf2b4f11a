/**
 * What is remembered of one request.
 *
 * @module
 */

/**
 * Why a request failed:
 * - `connect`: no connection could be opened;
 * - `reset`: the connection ended before the response was complete;
 * - `timeout`: the request as a whole took too long; `idle_timeout`: no byte for too long;
 * - `http_404`, `http_503`, …: a status other than 200 (503 and 529 mean overload);
 * - `stream_error`: the stream reported an error; `truncated`: it ended without its end mark;
 * - `empty`: a complete answer without any output;
 * - `not_sse`: a streamed request answered with something else; `protocol`: broken HTTP or JSON;
 * - `unfinished`: still running when the grace period was over.
 */
export type FailureKind =
  | "connect"
  | "reset"
  | "timeout"
  | "idle_timeout"
  | `http_${number}`
  | "stream_error"
  | "truncated"
  | "empty"
  | "not_sse"
  | "protocol"
  | "unfinished";

/** One request. Times are milliseconds from the start of the measured run; NaN means not reached. */
export interface RequestRecord {
  /** Number of the request, from 0, in the order of the schedule. */
  readonly index: number;
  /** Number of the lane (connection) that sent it. */
  lane: number;
  /** When it was due. */
  scheduled: number;
  /** Just before it was written to the connection. */
  sent: number;
  /** Return of the read that held the first output. */
  first: number;
  /** Return of the read that held the last output. */
  last: number;
  /** End of the response. */
  ended: number;
  /** Events with output. */
  events: number;
  /** Longest gap between two events with output, in milliseconds. */
  longestGap: number;
  /** Tokens in the first event with output: from usage in every chunk, else 1. */
  firstTokens: number;
  /** Tokens of the answer as the server counts them; NaN when it does not. */
  outputTokens: number;
  /** Tokens of the prompt as the server counts them; NaN when it does not. */
  inputTokens: number;
  /** Prompt tokens from a cache; NaN when the server does not say. */
  cachedTokens: number;
  /** HTTP status; 0 before there is one. */
  status: number;
  /** Sent again because the kept connection had been closed by the server meanwhile. */
  resent: boolean;
  /** Why it failed; undefined when it did not. */
  failure: FailureKind | undefined;
  /** What the server or the system said about the failure. */
  message: string;
}

/** Fields that are numbers, in the order in which rows of requests have them, after index and lane. */
export const RECORD_NUMBERS = [
  "scheduled",
  "sent",
  "first",
  "last",
  "ended",
  "events",
  "longestGap",
  "firstTokens",
  "outputTokens",
  "inputTokens",
  "cachedTokens",
  "status",
] as const satisfies readonly (keyof RequestRecord)[];

/** A request that has been scheduled. */
export function newRecord(index: number, lane: number, scheduled: number): RequestRecord {
  return {
    index,
    lane,
    scheduled,
    sent: NaN,
    first: NaN,
    last: NaN,
    ended: NaN,
    events: 0,
    longestGap: 0,
    firstTokens: 1,
    outputTokens: NaN,
    inputTokens: NaN,
    cachedTokens: NaN,
    status: 0,
    resent: false,
    failure: undefined,
    message: "",
  };
}

/** Notes a failure; the first one stays. */
export function fail(record: RequestRecord, kind: FailureKind, message: string): void {
  if (record.failure !== undefined) return;
  record.failure = kind;
  record.message = message;
}

/** Tokens of the answer: the server's count, else one an event. */
export function tokensOf(record: RequestRecord): number {
  return Number.isNaN(record.outputTokens) ? record.events : record.outputTokens;
}

/**
 * Time per output token after the first event, in milliseconds: (last − first)/(n − k₁), with
 * k₁ tokens in the first event. NaN for answers of one event.
 */
export function timePerToken(record: RequestRecord): number {
  const tokens = tokensOf(record) - record.firstTokens;
  return record.events > 1 && tokens > 0 ? (record.last - record.first) / tokens : NaN;
}
