/**
 * Calls of the API server: JSON in and out, errors named, time limits kept, and failures
 * that do no harm tried again.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, TaskError } from "../cli/errors.ts";
import {
  answerFailure,
  answerNotJson,
  type Attempted,
  type CallFailure,
  connectionFailure,
  expiredFailure,
} from "./api_error.ts";
import { bodyParts } from "./body_parts.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import type { Transport, TransportRequest } from "./transport_types.ts";

/** One call. */
export interface ApiCall extends Attempted {
  /** HTTP method; GET unless given. */
  readonly method?: TransportRequest["method"];
  /** Path of the API server, with a leading slash. */
  readonly path: string;
  /** Query; undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Media type of the body; `application/json` unless given. */
  readonly contentType?: string;
  /** Whether twice is as good as once. GET always is. */
  readonly idempotent?: boolean;
  /** Ends the call; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Calls of one API server. */
export interface ApiClient {
  /** The answer, parsed. */
  json<T>(call: ApiCall): Promise<T>;
  /** The answer as text. */
  text(call: ApiCall): Promise<string>;
  /** The parts of the answer as they come; a silence longer than `silenceMs` is KUBE_TIMEOUT. */
  stream(call: ApiCall, silenceMs: number | undefined): AsyncGenerator<Uint8Array>;
  /** Ends all calls, now and later, with KUBE_CLOSED. */
  close(): void;
  /** Aborted by {@link ApiClient.close}. */
  readonly closed: AbortSignal;
}

/** Options of {@link apiClient}. */
export interface ApiClientOptions {
  /** URL of the API server, for messages. */
  readonly server: string;
  /** Longest time of one try in milliseconds; 30 s unless given. */
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 30_000;
const TRIES = 5;
const FIRST_WAIT_MS = 100;
const MOST_WAIT_MS = 5_000;

/** Makes the calls of a transport. */
export function apiClient(
  ctx: Context,
  transport: Transport,
  options: ApiClientOptions,
): ApiClient {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const closed = new AbortController();

  /** Opens the answer and hands it to `read`, as often as is harmless and sensible. */
  async function perform<T>(
    call: ApiCall,
    read: (response: Response, deadline: Deadline) => Promise<T>,
    keepDeadline = false,
  ): Promise<T> {
    for (let tries = 1;; tries++) {
      const deadline = startDeadline(ctx.clock, timeoutMs, [
        ctx.signal,
        closed.signal,
        call.signal,
      ]);
      let done = false;
      let failure: CallFailure;
      try {
        const response = await send(call, deadline.signal);
        if (response.ok) {
          const value = await read(response, deadline);
          done = true;
          return value;
        }
        failure = answerFailure(
          call,
          response.status,
          await response.text(),
          response.headers.get("retry-after"),
        );
        const renewed = response.status === 401 && tries === 1 && transport.refreshCredentials();
        if (renewed) failure = { ...failure, repeat: "always" };
      } catch (error) {
        failure = failureOf(call, error, deadline);
      } finally {
        if (!done || !keepDeadline) deadline.end();
      }
      const idempotent = call.idempotent ?? (call.method ?? "GET") === "GET";
      const again = failure.repeat === "always" ||
        (failure.repeat === "when-idempotent" && idempotent);
      if (!again || tries === TRIES) throw failure.error;
      ctx.ui.debug(`${failure.error.message}; trying again`);
      await pause(call, Math.max(failure.afterMs ?? 0, FIRST_WAIT_MS * 2 ** (tries - 1)));
    }
  }

  async function send(call: ApiCall, signal: AbortSignal): Promise<Response> {
    const response = await transport.fetch(call.path + queryText(call.query), {
      method: call.method ?? "GET",
      headers: {
        "Accept": "application/json, */*;q=0.5",
        "User-Agent": "dynamo-eks",
        ...(call.body === undefined
          ? {}
          : { "Content-Type": call.contentType ?? "application/json" }),
      },
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      signal,
    });
    const warning = response.headers.get("warning");
    if (warning !== null) ctx.ui.debug(`${call.verb} ${call.about}: ${warning}`);
    return response;
  }

  function failureOf(call: ApiCall, error: unknown, deadline: Deadline): CallFailure {
    if (error instanceof TaskError) return { error, repeat: "never" };
    stopIfEnded(call);
    if (error instanceof SyntaxError) return answerNotJson(call, options.server);
    return deadline.expired
      ? expiredFailure(call, options.server, timeoutMs)
      : connectionFailure(call, options.server, error);
  }

  /** Throws what ended the call, if something did. */
  function stopIfEnded(call: ApiCall): void {
    call.signal?.throwIfAborted();
    if (ctx.signal.aborted) throw interruptedError();
    if (closed.signal.aborted) {
      throw new TaskError({
        code: "KUBE_CLOSED",
        message: `Cannot ${call.verb} ${call.about}: the connection was closed`,
      });
    }
  }

  async function pause(call: ApiCall, ms: number): Promise<void> {
    const stop = startDeadline(ctx.clock, undefined, [ctx.signal, closed.signal, call.signal]);
    try {
      await ctx.clock.sleep(Math.min(ms * (0.75 + Math.random() / 2), MOST_WAIT_MS), stop.signal);
    } catch (error) {
      stopIfEnded(call);
      throw error;
    } finally {
      stop.end();
    }
  }

  async function* stream(call: ApiCall, silenceMs: number | undefined) {
    const { body, deadline } = await perform(call, (response, deadline) => {
      deadline.limit(silenceMs);
      return Promise.resolve({ body: response.body, deadline });
    }, true);
    try {
      if (body === null) return;
      for await (const part of bodyParts(body, deadline.signal)) {
        // A reader may take its time.
        deadline.limit(undefined);
        yield part;
        deadline.limit(silenceMs);
      }
    } catch (error) {
      stopIfEnded(call);
      if (deadline.expired) throw expiredFailure(call, options.server, silenceMs ?? 0).error;
      throw connectionFailure(call, options.server, error).error;
    } finally {
      deadline.end();
    }
  }

  return {
    json: (call) => perform(call, (response) => response.json()),
    text: (call) => perform(call, (response) => response.text()),
    stream,
    closed: closed.signal,
    close() {
      closed.abort();
      transport.close();
    },
  };
}

function queryText(query: ApiCall["query"]): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return "";
  return `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}
