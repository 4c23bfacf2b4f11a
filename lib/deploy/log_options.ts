/**
 * What `deno task logs` is asked for, as the API server and the filter take it. Pure.
 *
 * @module
 */
import { messageOf, usageError } from "../cli/errors.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/**
 * Seconds of a duration as kubectl writes it (`90s`, `10m`, `1h30m`, `1.5h`), or of a plain number
 * of seconds; rounded up to whole ones, as the API server takes no others.
 *
 * @throws {TaskError} USAGE (exit code 2).
 */
export function parseSince(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  const whole = parts.map(([part]) => part).join("") === text && parts.length > 0;
  const seconds = /^\d+$/.test(text)
    ? Number(text)
    : whole
    ? parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_SECONDS[unit!]!, 0)
    : 0;
  if (seconds > 0 && Number.isSafeInteger(Math.ceil(seconds))) return Math.ceil(seconds);
  throw usageError(
    "USAGE",
    `logs: --since does not know "${text}"`,
    "It takes a duration such as 90s, 10m or 1h30m, or a number of seconds, above 0.",
  );
}

/**
 * The filter of `--grep`.
 *
 * @throws {TaskError} USAGE (exit code 2) for what is no regular expression.
 */
export function parseGrep(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (error) {
    throw usageError(
      "USAGE",
      `logs: --grep is no regular expression: ${messageOf(error)}`,
      String.raw`JavaScript's syntax; a backslash takes the meaning from a sign: \[, \(, \.`,
    );
  }
}
