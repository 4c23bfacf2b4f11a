/**
 * The body of an answer, part by part.
 *
 * @module
 */

/**
 * Yields the parts of a body until it ends; throws the signal's reason when it is aborted.
 *
 * The signal given to `fetch` is not enough for that: on Deno 2.9 it stops counting for the
 * body once the Response was collected as garbage, so an abort would be waited for in vain.
 */
export async function* bodyParts(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    // Also when the reader of the parts left: the connection is of no more use.
    await reader.cancel().catch(() => {});
  }
}
