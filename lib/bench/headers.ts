/**
 * Headers that the user adds to each request. Their values may be secrets: they come from the
 * environment where the command line would show them, and are never written anywhere.
 *
 * @module
 */
import type { Environment } from "../cli/context.ts";
import { type TaskError, usageError } from "../cli/errors.ts";

/** Headers by name, as they are sent. */
export type RequestHeaders = Readonly<Record<string, string>>;

// What describes the message itself is the load generator's own.
const OWN = /^(host|content-length|content-type|transfer-encoding|connection|accept-encoding|te)$/i;
const SECRET = /^(authorization|proxy-authorization|cookie|.*(api-?key|token|secret).*)$/i;

/**
 * Reads `Name: value` and `Name: $VARIABLE`, the latter from the environment.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the header, never its value.
 */
export function parseHeaders(env: Environment, lines: readonly string[]): RequestHeaders {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, text] = /^([^:\s]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || text === undefined) {
      throw headerError("--header takes a name, a colon and a value", "--header 'X-Tenant: blue'");
    }
    headers[name] = valueOf(env, name, text);
  }
  checkHeaders(headers);
  return headers;
}

function valueOf(env: Environment, name: string, text: string): string {
  const variable = /^\$(\w+)$/.exec(text)?.[1];
  if (variable !== undefined) {
    const value = env.get(variable);
    if (value !== undefined) return value;
    throw headerError(`--header ${name} wants the variable ${variable}, which is not set`);
  }
  if (SECRET.test(name)) {
    throw headerError(
      `--header ${name} looks like a secret, and a command line is visible to other users`,
      `Put it into a variable: --header '${name}: $MY_VARIABLE'`,
    );
  }
  return text;
}

/**
 * Checks that these headers can be sent.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the header, never its value.
 */
export function checkHeaders(headers: RequestHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw headerError(`"${name}" is no name of a header`);
    if (OWN.test(name)) throw headerError(`The header ${name} is set by the load generator itself`);
    if (!/^[\x20-\x7e]*$/.test(value)) {
      throw headerError(`The value of header ${name} holds characters that no HTTP header takes`);
    }
  }
}

function headerError(message: string, hint?: string): TaskError {
  return usageError("BENCH_OPTIONS", message, hint);
}
