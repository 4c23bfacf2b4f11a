/**
 * Answers and failures of the API server as {@link TaskError}s with code `KUBE_<REASON>`.
 *
 * @module
 */
import {
  EXIT,
  type ExitCode,
  messageOf,
  preconditionError,
  TaskError,
  timeoutError,
} from "../cli/errors.ts";

/** What was tried, for messages. */
export interface Attempted {
  /** For example `get` or `apply`. */
  readonly verb: string;
  /** For example `Pod default/web`. */
  readonly about: string;
}

/** Whether a failed call can be repeated without harm. */
export type Repeat = "always" | "when-idempotent" | "never";

/** A failure with what to do about it. */
export interface CallFailure {
  /** The error, if it is not repeated. */
  readonly error: TaskError;
  /** Whether it may be. */
  readonly repeat: Repeat;
  /** Milliseconds that the server asked to wait. */
  readonly afterMs?: number;
}

const EXITS: Readonly<Record<string, ExitCode>> = {
  UNAUTHORIZED: EXIT.precondition,
  FORBIDDEN: EXIT.precondition,
  TIMEOUT: EXIT.timeout,
  SERVERTIMEOUT: EXIT.timeout,
};

const HINTS: Readonly<Record<string, string>> = {
  UNAUTHORIZED: "The credentials are refused: they may have expired, or belong to another cluster.",
  FORBIDDEN: "The user of this kubeconfig lacks the permission; kubectl auth can-i --list shows " +
    "what it has.",
  CONFLICT: "Somebody else changed the object at the same time: run the task again.",
};

// Reasons of answers without a Status object, by HTTP status.
const REASONS: Readonly<Record<number, string>> = {
  400: "BADREQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOTFOUND",
  405: "METHODNOTALLOWED",
  409: "CONFLICT",
  410: "GONE",
  413: "REQUESTENTITYTOOLARGE",
  415: "UNSUPPORTEDMEDIATYPE",
  422: "INVALID",
  429: "TOOMANYREQUESTS",
  500: "INTERNALERROR",
  503: "SERVICEUNAVAILABLE",
  504: "TIMEOUT",
};

/** The part of a Kubernetes Status object that is read. */
export interface Status {
  /** HTTP status. */
  readonly code?: number;
  /** One word, for example `NotFound`. */
  readonly reason?: string;
  /** A sentence. */
  readonly message?: string;
}

/** The failure of an answer that is not a success. `retryAfter` is the header's text, in seconds. */
export function answerFailure(
  tried: Attempted,
  httpStatus: number,
  body: string,
  retryAfter: string | null = null,
): CallFailure {
  const error = statusError(tried, { code: httpStatus, ...statusOf(body) }, body);
  const afterMs = Number.parseInt(retryAfter ?? "", 10) * 1000;
  const repeat: Repeat = httpStatus === 429 || (httpStatus === 503 && afterMs >= 0)
    ? "always"
    : httpStatus >= 502 && httpStatus <= 504
    ? "when-idempotent"
    : "never";
  return { error, repeat, ...(afterMs >= 0 ? { afterMs } : {}) };
}

/** The error that a Status object stands for. */
export function statusError(tried: Attempted, status: Status, fallback = ""): TaskError {
  const reason = reasonOf(status);
  const said = status.message || fallback.trim().slice(0, 500) || `HTTP status ${status.code}`;
  return new TaskError({
    code: `KUBE_${reason}`,
    message: `Cannot ${tried.verb} ${tried.about}: ${said}`,
    hint: HINTS[reason],
    exitCode: EXITS[reason] ?? EXIT.failed,
  });
}

function reasonOf(status: Status): string {
  // Server-side apply reports what the schema does not allow as an internal error.
  if (status.code === 500 && status.message?.startsWith("failed to create typed patch object")) {
    return "INVALID";
  }
  return status.reason?.toUpperCase() || REASONS[status.code ?? 0] || `HTTP${status.code}`;
}

function statusOf(body: string): Status {
  try {
    const value = JSON.parse(body);
    return value?.kind === "Status" ? value : {};
  } catch {
    return {};
  }
}

/** The failure of a call that got no (complete) answer. */
export function connectionFailure(tried: Attempted, server: string, cause: unknown): CallFailure {
  const why = reasonsOf(cause);
  const head = `Cannot ${tried.verb} ${tried.about}:`;
  if (/certificate|CaUsedAsEndEntity|UnknownIssuer|SELF_SIGNED|ERR_TLS/i.test(why)) {
    const error = preconditionError(
      "KUBE_TLS",
      `${head} the certificate of ${server} is not trusted (${why})`,
      "The kubeconfig may belong to a cluster that is gone: another server may have its port.",
      cause,
    );
    return { error, repeat: "never" };
  }
  // Nothing was sent when the connection could not be made.
  const unsent = /client error \(Connect\)|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH/i
    .test(why);
  const error = preconditionError(
    "KUBE_UNREACHABLE",
    `${head} the API server ${server} ${
      unsent ? "cannot be reached" : "closed the connection"
    } (${why})`,
    "Is the cluster running, and is this its kubeconfig? deno task status shows the target.",
    cause,
  );
  return { error, repeat: unsent ? "always" : "when-idempotent" };
}

/** The failure of an answer that should be JSON and is not. */
export function answerNotJson(tried: Attempted, server: string): CallFailure {
  const error = preconditionError(
    "KUBE_ANSWER",
    `Cannot ${tried.verb} ${tried.about}: ${server} answered with something that is not JSON`,
    "Is that the address of a Kubernetes API server?",
  );
  return { error, repeat: "never" };
}

/** The failure of a call whose time was up. */
export function expiredFailure(tried: Attempted, server: string, ms: number): CallFailure {
  const error = timeoutError(
    "KUBE_TIMEOUT",
    `Cannot ${tried.verb} ${tried.about}: the API server ${server} gave no answer within ${
      ms / 1000
    } s`,
    { hint: "The API server may be overloaded, or the network drops packets." },
  );
  return { error, repeat: "never" };
}

// Deno's fetch says "fetch failed"; what happened is in its cause.
function reasonsOf(error: unknown): string {
  let last = messageOf(error);
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 5;
    at = at.cause, depth++
  ) {
    const code = (at as { code?: unknown }).code;
    if (at.message !== "") last = typeof code === "string" ? `${code}: ${at.message}` : at.message;
  }
  return last.replace(/^error sending request.*?\): /, "").replace(
    /^client error \(.*?\): (?=invalid)/,
    "",
  );
}
