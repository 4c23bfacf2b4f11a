/**
 * Health checks of the operator's process, on loopback.
 *
 * @module
 */

/** The health endpoint. */
export interface HealthServer extends AsyncDisposable {
  /** From now on `/readyz` says yes. */
  setReady(): void;
}

/** Serves `/healthz` (always 200) and `/readyz` (200 once ready, 503 before). */
export function serveHealth(serve: typeof Deno.serve, port: number): HealthServer {
  let ready = false;
  const server = serve({ hostname: "127.0.0.1", port, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok\n");
    if (pathname !== "/readyz") return new Response("not found\n", { status: 404 });
    return ready ? new Response("ok\n") : new Response("starting\n", { status: 503 });
  });
  return {
    setReady() {
      ready = true;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}
