// deno-lint-ignore-file no-console -- this file stands between a library and the console
/**
 * Text of a library that prints by itself.
 *
 * @module
 */

/** Runs `body` and returns what it printed with `console.log`. */
export async function captureOutput(body: () => unknown): Promise<string> {
  const original = console.log;
  const lines: string[] = [];
  console.log = (...parts: unknown[]) => lines.push(parts.map(String).join(" "));
  try {
    await body();
  } finally {
    console.log = original;
  }
  return lines.join("\n");
}
