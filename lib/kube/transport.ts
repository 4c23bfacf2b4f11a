/**
 * Requests to one API server, without knowing what they mean.
 *
 * Measured on Deno 2.9 (20 lists of 230 KB): the platform's `fetch` with the library's small
 * parts takes 0.1 s of CPU and 61 MiB, the library's `KubeConfig` with its own HTTP client
 * 0.5 s and 155 MiB. So `fetch` is the rule ({@link fetchTransport}); the library's client
 * ({@link libraryTransport}) serves what `fetch` cannot do.
 *
 * @module
 */
import type { Context, Environment } from "../cli/context.ts";
import type { TokenSource } from "./credentials.ts";
import type { Cluster, KubeconfigContext, User } from "./kubeconfig.ts";
import { fetchTransport } from "./transport_fetch.ts";
import { libraryTransport } from "./transport_library.ts";
import type { Transport } from "./transport_types.ts";

/** Opens a transport; nothing is sent yet. */
export async function openTransport(
  ctx: Context,
  config: KubeconfigContext,
  tokens?: TokenSource | undefined,
): Promise<Transport> {
  for (const secret of [config.user.token, config.user.password]) {
    if (secret) ctx.ui.redact(secret);
  }
  const reason = whyLibrary(config.cluster, config.user, ctx.env);
  if (reason === undefined) return await fetchTransport(ctx, config, tokens);
  ctx.ui.debug(`Kubernetes: using the library's HTTP client because of ${reason}`);
  return await libraryTransport(config, tokens);
}

/** What the platform's `fetch` cannot do for this cluster and user, or undefined when it can. */
export function whyLibrary(cluster: Cluster, user: User, env: Environment): string | undefined {
  if (cluster.skipTLSVerify && cluster.server.startsWith("https:")) {
    return "insecure-skip-tls-verify";
  }
  if (cluster.tlsServerName) return "tls-server-name";
  if (cluster.proxyUrl) return "proxy-url";
  if (user.authProvider && !user.authProvider.config?.tokenFile) {
    return `the auth provider ${user.authProvider.name}`;
  }
  // Deno's fetch would send even loopback through the proxy; kubectl does not.
  return isLoopback(cluster.server) && proxied(cluster.server, env)
    ? "a proxy variable that covers the loopback address"
    : undefined;
}

function isLoopback(server: string): boolean {
  const host = URL.parse(server)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function proxied(server: string, env: Environment): boolean {
  const get = (name: string) => env.get(name) ?? env.get(name.toLowerCase());
  const url = URL.parse(server);
  const proxy = get(url?.protocol === "http:" ? "HTTP_PROXY" : "HTTPS_PROXY") ?? get("ALL_PROXY");
  if (proxy === undefined) return false;
  const spared = (get("NO_PROXY") ?? "").split(",").map((entry) => entry.trim());
  return !spared.includes("*") && !spared.includes(url?.hostname ?? "");
}
