/**
 * The models of the server under test, asked over the same kind of connection as the load, so
 * that what is wrong with it shows here first.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";
import { messageOf, TaskError, timeoutError } from "../cli/errors.ts";
import { errorText } from "../serving/error_text.ts";
import { type Model, readModels } from "../serving/probes.ts";
import { ResponseParser } from "./http1.ts";
import { headerLines, hideSecrets, type RequestTarget } from "./request.ts";
import { type Dial, dialProblem, writeAll } from "./transport.ts";

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
  let answer: Answer;
  try {
    answer = await get(options.dial, signal, options.target);
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
  }
  return read(answer, url, options.target);
}

function read(answer: Answer, url: string, target: RequestTarget): Model[] | undefined {
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

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

async function get(dial: Dial, signal: AbortSignal, target: RequestTarget): Promise<Answer> {
  const connection = await dial(signal);
  const stop = () => connection.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const path = `${new URL(target.url).pathname.replace(/\/$/, "")}/v1/models`;
    const head = [
      `GET ${path} HTTP/1.1`,
      ...headerLines(target),
      "Accept: application/json",
      "Connection: close",
    ];
    await writeAll(connection, new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
    let status = 0, location: string | undefined, body = "", length = 0;
    const decoder = new TextDecoder();
    const parser = new ResponseParser({
      onHead(response) {
        status = response.status;
        location = response.headers.get("location");
      },
      onBody(bytes, start, end) {
        length += end - start;
        if (length > MAX_BODY) throw new Error(`the answer is larger than ${MAX_BODY} bytes`);
        body += decoder.decode(bytes.subarray(start, end), { stream: true });
      },
    });
    const buffer = new Uint8Array(16 * 1024);
    while (!parser.done) {
      const count = await connection.read(buffer);
      if (count !== null) parser.push(buffer, 0, count);
      else if (!parser.end()) {
        throw new Error("the connection ended before the answer was complete");
      }
    }
    return { status, location, body };
  } catch (error) {
    throw error instanceof TaskError ? new Error(messageOf(error)) : error;
  } finally {
    signal.removeEventListener("abort", stop);
    try {
      connection.close();
    } catch {
      // Already closed.
    }
  }
}
