/**
 * Local ports that lead to pods, as `kubectl port-forward` makes them, but outliving the pod.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError } from "../cli/errors.ts";
import type { Kube, PodConnection, PortForwarder } from "./types.ts";

export { type PodPort, resolveServicePod, type ServicePort } from "./service_pod.ts";

/** A pod, and where it differs from {@link ForwardOptions.port} the port of its container. */
export interface ForwardTarget {
  /** Name of the pod. */
  readonly name: string;
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Port of its container. */
  readonly port?: number | undefined;
}

/** Options of {@link forwardPort}. */
export interface ForwardOptions {
  /** Picks the pod; asked at the start, and again when the one before is gone. */
  readonly pod: () => Promise<ForwardTarget>;
  /** Port of the pod, unless the target names one. */
  readonly port: number;
  /** Port on 127.0.0.1; a free one unless given. */
  readonly localPort?: number | undefined;
}

// A client that has sent all may still want the answer, or be gone: a TCP socket does not tell.
const LINGER_MS = 1_000;
const BUFFER = 64 * 1024;
const ACCEPT_WAIT_MS = 100;

/**
 * Listens on 127.0.0.1; each connection goes to the pod. When the pod is gone, the next
 * connection goes to the pod picked anew. Ends with the context's signal or by `close`.
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
  const open = new Set<Deno.Conn>();
  const serving = new Set<Promise<void>>();
  const dial = dialer(kube, options, first);
  let closed = false;

  async function serve(local: Deno.TcpConn): Promise<void> {
    open.add(local);
    let remote: PodConnection | undefined;
    try {
      local.setNoDelay(true);
      remote = await dial.connect();
      await join(ctx, local, remote);
    } catch (error) {
      dial.forget(remote);
      ctx.ui.debug(`Port-forward: ${messageOf(error)}`);
    } finally {
      remote?.close();
      closeQuietly(local);
      open.delete(local);
    }
  }

  async function accept(): Promise<void> {
    while (!closed) {
      try {
        const local = await listener.accept();
        const served = serve(local).finally(() => serving.delete(served));
        serving.add(served);
      } catch (error) {
        if (closed) return;
        // For example: too many open files.
        ctx.ui.debug(`Port-forward: ${messageOf(error)}`);
        await ctx.clock.sleep(ACCEPT_WAIT_MS, ctx.signal).catch(() => {});
      }
    }
  }
  const accepting = accept();

  async function close(): Promise<void> {
    closed = true;
    ctx.signal.removeEventListener("abort", close);
    closeQuietly(listener);
    for (const local of open) closeQuietly(local);
    await Promise.all([accepting, ...serving]);
  }
  ctx.signal.addEventListener("abort", close);
  const { port } = listener.addr as Deno.NetAddr;
  return { port, url: `http://127.0.0.1:${port}`, close };
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

interface Dialer {
  connect(): Promise<PodConnection>;
  /** The connection (or the try) failed: another pod is to be picked for the next one. */
  forget(connection: PodConnection | undefined): void;
}

/** Connects to the same pod until that fails. */
function dialer(kube: Kube, options: ForwardOptions, first: ForwardTarget): Dialer {
  let target: ForwardTarget | undefined = first;
  const targets = new WeakMap<PodConnection, ForwardTarget>();

  async function connectTo(pod: ForwardTarget): Promise<PodConnection> {
    const connection = await kube.connect(pod, pod.port ?? options.port);
    targets.set(connection, pod);
    return connection;
  }

  async function connectToNew(): Promise<PodConnection> {
    const pod = await options.pod();
    target = pod;
    return await connectTo(pod);
  }

  return {
    async connect() {
      const known = target;
      if (known === undefined) return await connectToNew();
      return await connectTo(known).catch(() => {
        // Others may have picked a new one meanwhile.
        return target === known || target === undefined ? connectToNew() : connectTo(target);
      });
    },
    forget(connection) {
      if (connection === undefined || targets.get(connection) === target) target = undefined;
    },
  };
}

/**
 * Carries bytes both ways until the pod or the client ends.
 *
 * @throws what ended the pod's side, unless it meant to end.
 */
async function join(ctx: Context, local: Deno.TcpConn, remote: PodConnection): Promise<void> {
  const over = new AbortController();
  let heard = ctx.clock.monotonic();

  async function up(): Promise<void> {
    const writer = remote.writable.getWriter();
    const buffer = new Uint8Array(BUFFER);
    for (let size; (size = await local.read(buffer)) !== null;) {
      // Written when this resolves, so the buffer is free again.
      await writer.write(buffer.subarray(0, size));
    }
    for (let left; (left = heard + LINGER_MS - ctx.clock.monotonic()) > 0;) {
      await ctx.clock.sleep(left, over.signal);
    }
  }

  async function down(): Promise<void> {
    for await (const data of remote.readable) {
      heard = ctx.clock.monotonic();
      try {
        for (let sent = 0; sent < data.length;) sent += await local.write(data.subarray(sent));
      } catch {
        return; // The client is gone.
      }
    }
  }

  // What goes wrong upwards is either the client's end, or shows downwards.
  const upwards = up().catch(() => {}).finally(() => remote.close());
  try {
    await down();
  } finally {
    over.abort();
    remote.close();
    closeQuietly(local);
    await upwards;
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed already.
  }
}
