/**
 * The terminal as the original uses it: help to stdout, errors to stderr, exit.
 *
 * @module
 */

/** Writes a text with a line end to stdout. Goes through `console`, as the original does. */
export function print(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}

/** Writes a text with a line end to stderr. */
export function printError(text: string): void {
  // deno-lint-ignore no-console
  console.error(text);
}

/** Ends the process. */
export function exit(code: number): never {
  Deno.exit(code);
}

/** Columns of the terminal, or 100. */
export function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 100;
  }
}

/** Whether NO_COLOR is set. */
export function noColor(): boolean {
  return Deno.noColor;
}
