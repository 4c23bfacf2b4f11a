/**
 * Output of other programs without the passwords of package registries.
 *
 * @module
 */

/** Replaces `user:password@` (or `token@`) in URLs by `***@`. */
export function maskCredentials(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s\/@"']+@/gi, "$1***@");
}

/** The last lines of a program's output that say something, masked, for the evidence of an error. */
export function lastLines(text: string, count: number): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "").slice(-count)
    .map((line) => maskCredentials(line.slice(0, 400)));
}
