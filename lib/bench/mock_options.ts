/**
 * What the mock server does. Plain data, so that it can be handed to a Worker.
 *
 * @module
 */

/** Something that goes wrong with a request. */
export interface Fault {
  /**
   * - `status`: answers with `status` and `body`;
   * - `close-before`: closes the connection without an answer;
   * - `redirect`: answers 307 with another URL;
   * - `half-close`: ends its own direction after `after` events and goes on reading;
   * - `close-midway`: closes it after `after` events;
   * - `truncate`: ends the response properly after `after` events, without the end mark;
   * - `stream-error`: reports an error after `after` events, as Dynamo does;
   * - `hang`: sends nothing more after `after` events (before the headers when 0);
   * - `stall`: pauses for `ms` after `after` events;
   * - `bad-chunk`: breaks the chunked encoding after `after` events;
   * - `gzip`: says that the answer is gzipped;
   * - `not-sse`: answers a streamed request with JSON;
   * - `huge-event`: sends an event of 10 MB after `after` events;
   * - `empty`: a proper stream without any output.
   */
  readonly kind:
    | "status"
    | "close-before"
    | "redirect"
    | "half-close"
    | "close-midway"
    | "truncate"
    | "stream-error"
    | "hang"
    | "stall"
    | "bad-chunk"
    | "gzip"
    | "not-sse"
    | "huge-event"
    | "empty";
  /** Every so many requests; 1 is each. */
  readonly every: number;
  /** First of them, from 0; 0 unless given. */
  readonly offset?: number;
  /** Events before it happens; 3 unless given. */
  readonly after?: number;
  /** HTTP status of `status`. */
  readonly status?: number;
  /** Body of `status`. */
  readonly body?: string;
  /** Milliseconds of `stall`. */
  readonly ms?: number;
}

/** How the mock behaves. */
export interface MockOptions {
  /** Milliseconds from a request to its first token. */
  readonly ttftMs: number;
  /** Milliseconds from one token to the next. */
  readonly itlMs: number;
  /** Port on 127.0.0.1; a free one unless given. */
  readonly port?: number;
  /** Tokens that share an event; 1 unless given. */
  readonly chunk?: number;
  /**
   * Whether each event is a write of its own. Otherwise events that are due at the same moment
   * share one, as a server's buffer has it.
   */
  readonly apart?: boolean;
  /** All streams freeze for `forMs` once in `everyMs`; counted from the start of the server. */
  readonly freeze?: { readonly everyMs: number; readonly forMs: number };
  /** When usage is reported in streams: when asked (as Dynamo 1.x), always in each chunk (0.4.1), never. */
  readonly usage?: "asked" | "always" | "never";
  /** Fields of a request that are refused with 400, as Dynamo 1.x does with those it does not know. */
  readonly refuse?: readonly string[];
  /** Tokens of a prompt besides its words; 5 unless given. */
  readonly templateTokens?: number;
  /** Tokens of a word; 1 unless given. */
  readonly tokensPerWord?: number;
  /** Whether prompts are cached, and usage says how much of one was; false unless given. */
  readonly cache?: boolean;
  /** Requests after which a connection is closed without notice; unlimited unless given. */
  readonly requestsPerConnection?: number;
  /** Faults, tried in order; the first that applies to a request is it. */
  readonly faults?: readonly Fault[];
  /** Faults apply to requests for more tokens than this, so that probes pass; 16 unless given. */
  readonly faultsAboveTokens?: number;
  /** Model names; `mock` unless given. */
  readonly models?: readonly string[];
}

/** What the mock did, by its own clock. Times in milliseconds; undefined before anything was served. */
export interface MockStats {
  /** Streams served to their end. */
  readonly served: number;
  /** Requests for completions, all of them. */
  readonly requests: number;
  /** Connections accepted. */
  readonly connections: number;
  /** Most requests at one time. */
  readonly maxInFlight: number;
  /** Median and p99 of the time from a request's last byte to its first token's write. */
  readonly ttft: { readonly p50: number; readonly p99: number } | undefined;
  /** Median of the time per token after the first event. */
  readonly itl: number | undefined;
  /** Prompts seen, in order; at most the first hundred. */
  readonly prompts: readonly string[];
  /** When each of the first thousand requests came, milliseconds from the first. */
  readonly arrivals: readonly number[];
}
