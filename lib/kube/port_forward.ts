/**
 * Local ports that lead to pods, as `kubectl port-forward` makes them, but outliving the pod.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, TaskError } from "../cli/errors.ts";
import { carry, localSide } from "./carry.ts";
import { type ForwardTarget, podDialer } from "./pod_dialer.ts";
import { neverReached } from "./pod_error.ts";
import type { Kube, PodConnection, PortForwarder } from "./types.ts";

export type { ForwardTarget } from "./pod_dialer.ts";
export { type PodPort, resolveServicePod, type ServicePort } from "./service_pod.ts";

/** Options of {@link forwardPort}. */
export interface ForwardOptions {
  /** Picks the pod; asked at the start, and again when the one before is gone. */
  readonly pod: () => Promise<ForwardTarget>;
  /** Port of the pod, unless the target names one. */
  readonly port: number;
  /** Port on 127.0.0.1; a free one unless given. */
  readonly localPort?: number | undefined;
  /** Says why a connection failed with `--verbose` only: for callers that try again themselves. */
  readonly quiet?: boolean | undefined;
}

const ACCEPT_WAIT_MS = 100;
// Clients that try again fail for the same reason again.
const REPEAT_MS = 10_000;

/**
 * Listens on 127.0.0.1; each connection goes to the pod. When the pod is gone, the next
 * connection goes to the pod picked anew; while the API server is away, or no pod is ready,
 * connections wait for ten seconds. Ends with the context's signal or by `close`.
 *
 * @throws {TaskError} PORT_TAKEN or PORT_FORBIDDEN (exit code 3), or what `pod` throws at the start.
 */
export async function forwardPort(
  ctx: Context,
  kube: Kube,
  options: ForwardOptions,
): Promise<PortForwarder> {
  const first = await options.pod();
  const listener = listen(ctx, options.localPort ?? 0);
  const open = new Set<{ close(): void }>();
  const serving = new Set<Promise<void>>();
  const closed = new AbortController();
  const { signal } = closed;
  const dial = podDialer(ctx, kube, { pod: options.pod, port: options.port, first, signal });
  const report = reporter(ctx, options.quiet === true);

  async function serve(connection: Deno.TcpConn): Promise<void> {
    open.add(connection);
    try {
      connection.setNoDelay(true);
      await join(connection);
    } catch (error) {
      if (!signal.aborted) report(error);
    } finally {
      closeQuietly(connection);
      open.delete(connection);
    }
  }

  async function join(connection: Deno.TcpConn): Promise<void> {
    const local = localSide(connection);
    for (let tries = 1;; tries++) {
      const remote: PodConnection = await dial.connect();
      // Of both sides: the pod's would be waited for where the client has already gone.
      open.add(remote);
      try {
        await carry(ctx, local, remote);
        return dial.worked();
      } catch (error) {
        dial.failed(remote);
        const again = tries === 1 && local.said !== undefined && neverReached(error);
        if (!again || signal.aborted) throw error;
      } finally {
        open.delete(remote);
      }
    }
  }

  async function accept(): Promise<void> {
    while (!signal.aborted) {
      try {
        const local = await listener.accept();
        const served = serve(local).finally(() => serving.delete(served));
        serving.add(served);
      } catch (error) {
        if (signal.aborted) return;
        // For example: too many open files.
        report(error);
        await ctx.clock.sleep(ACCEPT_WAIT_MS, signal).catch(() => {});
      }
    }
  }
  const accepting = accept();

  async function close(): Promise<void> {
    closed.abort();
    ctx.signal.removeEventListener("abort", close);
    closeQuietly(listener);
    for (const side of open) closeQuietly(side);
    await Promise.all([accepting, ...serving]);
  }
  ctx.signal.addEventListener("abort", close);
  const { port } = listener.addr as Deno.NetAddr;
  return { port, url: `http://127.0.0.1:${port}`, close };
}

/** Tells of failures, of equal ones once in a while. */
function reporter(ctx: Context, quiet: boolean): (error: unknown) => void {
  let last = "";
  let lastAt = -Infinity;
  return (error) => {
    const text = messageOf(error);
    const hint = error instanceof TaskError ? error.hint : undefined;
    const kind = text.replaceAll(/\d+/g, "");
    const now = ctx.clock.monotonic();
    // A server may drop a connection that it does not need any more.
    const usual = /connection reset by peer|broken pipe/.test(text) && !/refused/.test(text);
    if (quiet || usual || (kind === last && now - lastAt < REPEAT_MS)) {
      return ctx.ui.debug(`Port-forward: ${text}`);
    }
    last = kind;
    lastAt = now;
    ctx.ui.warn(`Port-forward: ${text}${hint === undefined ? "" : `. ${hint}`}`);
  };
}

function listen(ctx: Context, port: number): Deno.TcpListener {
  try {
    return ctx.net.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw preconditionError(
        "PORT_TAKEN",
        `Port ${port} of 127.0.0.1 is taken`,
        `Another port-forward or a local server may hold it (lsof -i :${port} shows which); ` +
          "choose another port, or leave it out for a free one.",
        error,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw preconditionError(
        "PORT_FORBIDDEN",
        `Port ${port} of 127.0.0.1 is not for ordinary users`,
        "Choose a port from 1024 on, or leave it out for a free one.",
        error,
      );
    }
    throw error;
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed already.
  }
}
