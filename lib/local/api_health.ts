/**
 * Whether the API server is ready, asked without the Kubernetes client (which takes longer
 * to load than the answer takes to come).
 *
 * @module
 */
import type { Context } from "../cli/context.ts";

/** Where and as whom to ask. */
export interface ApiAccess {
  /** `https://127.0.0.1:<port>`. */
  readonly server: string;
  /** Certificate authority, PEM. */
  readonly ca: string;
  /** Bearer token. */
  readonly token: string;
}

/** Asks the API server for a path. Undefined when it does not answer within the time given. */
export async function askApi(
  ctx: Pick<Context, "net">,
  access: ApiAccess,
  path: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  const client = Deno.createHttpClient({ caCerts: [access.ca] });
  try {
    const response = await ctx.net.fetch(access.server + path, {
      client,
      headers: { authorization: `Bearer ${access.token}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

/** Whether the API server says that it is ready (`/readyz`). */
export async function isApiReady(
  ctx: Pick<Context, "net">,
  access: ApiAccess,
  timeoutMs = 2_000,
): Promise<boolean> {
  return (await askApi(ctx, access, "/readyz", timeoutMs))?.status === 200;
}

/** Whether somebody accepts connections on a port of loopback. */
export async function acceptsConnections(
  ctx: Pick<Context, "net">,
  port: number,
): Promise<boolean> {
  try {
    (await ctx.net.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
