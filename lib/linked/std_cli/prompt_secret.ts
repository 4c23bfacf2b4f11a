/**
 * Asking for a secret.
 *
 * @module
 */

/** Options of {@link promptSecret}. */
export interface PromptSecretOptions {
  /** Shown for each character; `*` unless given, nothing when empty. */
  mask?: string;
  /** Take the line off the screen afterwards. */
  clear?: boolean;
}

const ENTER = [10, 13];
const BACKSPACE = [8, 127];
const END_OF_TRANSMISSION = 4;

/**
 * Asks for a secret on stdout and reads it from stdin without echo.
 *
 * @returns the secret, or null when stdin is not a terminal.
 */
export function promptSecret(
  message = "Secret",
  options: PromptSecretOptions = {},
): string | null {
  if (!Deno.stdin.isTerminal()) return null;
  const mask = options.mask ?? "*";
  const write = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
  const typed: number[] = [];
  const key = new Uint8Array(1);
  write(`${message} `);
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    while ((Deno.stdin.readSync(key) ?? 0) > 0) {
      const byte = key[0]!;
      if (ENTER.includes(byte) || byte === END_OF_TRANSMISSION) break;
      if (BACKSPACE.includes(byte)) takeCharacter(typed);
      else typed.push(byte);
      const length = [...new TextDecoder().decode(new Uint8Array(typed))].length;
      if (mask !== "") write(`\r\x1b[K${message} ${mask.repeat(length)}`);
    }
  } finally {
    write(options.clear ? "\r\x1b[K" : "\n");
    Deno.stdin.setRaw(false);
  }
  return new TextDecoder().decode(new Uint8Array(typed));
}

// A character may be several bytes; those after the first are 10xxxxxx.
function takeCharacter(bytes: number[]): void {
  while (((bytes.pop() ?? 0) & 0xc0) === 0x80);
}
