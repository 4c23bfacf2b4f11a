/**
 * Free ports on loopback.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";

/** The only address that the embedded cluster listens on. */
export const LOOPBACK = "127.0.0.1";

/** Ports that are free now, all different. The system picks them from its range for clients. */
export function freePorts(ctx: Pick<Context, "net">, count: number): number[] {
  const listeners: Deno.TcpListener[] = [];
  try {
    // All are held until the last one is known, so that none comes twice.
    for (let i = 0; i < count; i++) {
      listeners.push(ctx.net.listen({ hostname: LOOPBACK, port: 0 }));
    }
    return listeners.map((listener) => listener.addr.port);
  } finally {
    for (const listener of listeners) listener.close();
  }
}

/** Whether nobody listens on the port. */
export function isPortFree(ctx: Pick<Context, "net">, port: number): boolean {
  try {
    ctx.net.listen({ hostname: LOOPBACK, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
