/**
 * The models of the server under test, asked over the same kind of connection as the load, so
 * that what is wrong with it shows here first.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";
import { TaskError, timeoutError } from "../cli/errors.ts";
import { errorText } from "../serving/error_text.ts";
import { type Model, readModels } from "../serving/probes.ts";
import { type HttpAnswer, httpClient } from "./http_client.ts";
import { hideSecrets, type RequestTarget } from "./request.ts";
import { type Dial, dialProblem } from "./transport.ts";

/** What the question needs. */
export interface ModelsOptions {
  /** Opens the connection. */
  readonly dial: Dial;
  /** Time. */
  readonly clock: Clock;
  /** Stops it. */
  readonly signal: AbortSignal;
  /** Who is asked. */
  readonly target: RequestTarget;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
}

const MAX_BODY = 16 * 1024 * 1024;

/**
 * The served models in the server's order; undefined where the server has no list.
 *
 * @throws {TaskError} ENDPOINT_UNREACHABLE, ENDPOINT_TIMEOUT (exit code 4), ENDPOINT_STATUS,
 * ENDPOINT_REDIRECT, ENDPOINT_BODY.
 */
export async function servedModels(options: ModelsOptions): Promise<Model[] | undefined> {
  const url = `${options.target.url}/v1/models`;
  const late = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, late]);
  const client = httpClient({ ...options, now: () => options.clock.monotonic() });
  let answer: HttpAnswer;
  try {
    answer = await client.get({
      path: "/v1/models",
      signal,
      accept: "application/json",
      maxBytes: MAX_BODY,
    });
  } catch (error) {
    options.signal.throwIfAborted();
    if (late.aborted) {
      throw timeoutError(
        "ENDPOINT_TIMEOUT",
        `GET ${url} was not answered within ${options.timeoutMs / 1000} s`,
        { hint: "See the logs of the frontend and its workers.", cause: error },
      );
    }
    const { reason, hint } = dialProblem(error);
    throw new TaskError({
      code: "ENDPOINT_UNREACHABLE",
      message: `GET ${url} failed: ${reason}`,
      hint: hint ?? "Is the frontend running, and the port-forward open?",
      cause: error,
    });
  } finally {
    client.close();
  }
  return read(answer, url, options.target);
}

function read(answer: HttpAnswer, url: string, target: RequestTarget): Model[] | undefined {
  const { status, location, body } = answer;
  if (status === 200) return readModels(body, url);
  if (status === 404 || status === 405 || status === 501) return undefined;
  if (location !== undefined) {
    throw new TaskError({
      code: "ENDPOINT_REDIRECT",
      message: `GET ${url} is redirected (${status}) to ${location}`,
      hint: "Measure that URL itself: a redirect for each request would be part of every figure.",
    });
  }
  const refused = status === 401 || status === 403;
  throw new TaskError({
    code: "ENDPOINT_STATUS",
    message: `GET ${url} answered ${status}: ${hideSecrets(errorText(body), target) || "no body"}`,
    hint: refused
      ? "With --url the key comes from the environment variable OPENAI_API_KEY."
      : "Is this the base URL of an OpenAI-compatible API?",
  });
}
