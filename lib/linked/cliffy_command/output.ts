/**
 * The terminal as the original uses it: help to stdout, errors to stderr, exit.
 *
 * @module
 */

/** Writes a text with a line end to stdout. */
export function print(text: string): void {
  write(Deno.stdout, text);
}

/** Writes a text with a line end to stderr. */
export function printError(text: string): void {
  write(Deno.stderr, text);
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

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
