/**
 * Whether text suits a terminal of 80 columns, a pipe and a log.
 *
 * @module
 */
import assert from "node:assert/strict";

const COLUMNS = 80;

/**
 * Fails at an escape sequence, and at a line that is wider than 80 columns though it could be
 * broken: a path or URL alone on its line stays whole, so that it can be copied.
 */
export function assertPlain(what: string, text: string): void {
  // deno-lint-ignore no-control-regex -- escape sequences are what is looked for
  assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f]/, what);
  for (const line of text.split("\n")) {
    assert.ok(
      [...line].length <= COLUMNS || !line.trim().includes(" "),
      `${what}: ${[...line].length} columns: ${line}`,
    );
  }
}
