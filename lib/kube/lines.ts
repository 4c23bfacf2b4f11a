/**
 * Lines of a byte stream.
 *
 * @module
 */

/** Yields lines without their line feed; the last one also when it has none. */
export async function* linesOf(parts: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Pieces of a line that is not complete: joined once, as one line may come in many parts.
  let pieces: string[] = [];
  for await (const part of parts) {
    const text = decoder.decode(part, { stream: true });
    let start = 0;
    for (let end; (end = text.indexOf("\n", start)) >= 0; start = end + 1) {
      const line = text.slice(start, end);
      yield pieces.length === 0 ? line : pieces.join("") + line;
      pieces = [];
    }
    if (start < text.length) pieces.push(text.slice(start));
  }
  const last = pieces.join("") + decoder.decode();
  if (last !== "") yield last;
}
