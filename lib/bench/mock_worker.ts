/**
 * Thread of a mock: serves until its Worker is told to stop.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { MockOptions } from "./mock_options.ts";
import { type MockServer, serveMock } from "./mock_server.ts";
import { workerContext } from "./worker_context.ts";

/** What the thread is told. */
export type MockCommand =
  | { readonly kind: "start"; readonly options: MockOptions }
  | { readonly kind: "stats" }
  | { readonly kind: "stop" };

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) listen();

function listen(): void {
  const ctx = workerContext(new AbortController().signal);
  let server: MockServer | undefined;
  self.onmessage = async ({ data }: MessageEvent<MockCommand>) => {
    if (data.kind === "start") {
      server = serveMock(ctx, data.options);
      self.postMessage({ port: server.port });
    } else if (data.kind === "stats") self.postMessage({ stats: server?.stats() });
    else {
      await server?.close();
      self.postMessage({ stopped: true });
    }
  };
}
