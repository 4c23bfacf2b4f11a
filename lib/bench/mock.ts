/**
 * A mock server in a thread of its own, so that client and server do not wait for each other.
 *
 * @module
 */
import type { MockOptions, MockStats } from "./mock_options.ts";
import type { MockCommand } from "./mock_worker.ts";

/** A running mock; `await using` stops it. */
export interface RunningMock extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** What it did so far. */
  stats(): Promise<MockStats>;
}

/** Starts a mock in a Worker. Rejects when the thread cannot start. */
export async function startMock(options: MockOptions): Promise<RunningMock> {
  const worker = new Worker(new URL("./mock_worker.ts", import.meta.url), { type: "module" });
  const tell = <T>(command: MockCommand) =>
    new Promise<T>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(command);
    });
  const { port } = await tell<{ port: number }>({ kind: "start", options });
  return {
    url: `http://127.0.0.1:${port}`,
    stats: async () => (await tell<{ stats: MockStats }>({ kind: "stats" })).stats,
    async [Symbol.asyncDispose]() {
      await tell({ kind: "stop" });
      worker.terminate();
    },
  };
}
