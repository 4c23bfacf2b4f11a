/**
 * Waiting for Ctrl-C.
 *
 * @module
 */

/** Resolves when the signal is aborted; at once when it is already. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
