/**
 * Transport over the platform's `fetch`.
 *
 * @module
 */
import type { Agent } from "node:https";
import type { Context } from "../cli/context.ts";
import {
  clusterAuthority,
  type Credentials,
  credentialSource,
  hasPlugin,
  tokenCredentials,
  type TokenSource,
} from "./credentials.ts";
import type { KubeconfigContext } from "./kubeconfig.ts";
import type { Transport } from "./transport_types.ts";
import { upgradeConnection } from "./upgrade.ts";

/**
 * Reads the cluster's certificate authority; credentials are read with each request, from
 * `tokens` where it is given.
 */
export async function fetchTransport(
  ctx: Context,
  config: KubeconfigContext,
  tokens?: TokenSource | undefined,
): Promise<Transport> {
  const { cluster, user } = config;
  const authority = await clusterAuthority(ctx, cluster);
  const source = tokens === undefined
    ? credentialSource(ctx, cluster, user)
    : tokenCredentials(ctx, tokens);
  let client: { readonly http: Deno.HttpClient; readonly cert: string | undefined } | undefined;
  // For WebSockets; it keeps no connections.
  let agent: { readonly http: Agent; readonly cert: string | undefined } | undefined;

  function clientFor(credentials: Credentials): Deno.HttpClient {
    if (client !== undefined && client.cert === credentials.cert) return client.http;
    client?.http.close();
    const { cert, key } = credentials;
    const http = Deno.createHttpClient({
      ...(authority === undefined ? {} : { caCerts: [authority] }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      // One connection for each watch and log: with HTTP/2 all share one, of which the
      // server allows 100 streams.
      http2: false,
    });
    client = { http, cert };
    return http;
  }

  return {
    async fetch(path, request) {
      const credentials = await source.read();
      return await ctx.net.fetch(`${cluster.server}${path}`, {
        method: request.method,
        headers: { ...request.headers, ...credentials.headers },
        signal: request.signal,
        redirect: "manual",
        client: clientFor(credentials),
        ...(request.body === undefined ? {} : { body: request.body }),
      });
    },
    async upgrade(path, protocol, headers, signals) {
      const credentials = await source.read();
      const { server } = cluster;
      return await upgradeConnection(ctx, {
        server,
        authority,
        credentials,
        path,
        protocol,
        headers,
        signals,
      });
    },
    sockets: {
      getCurrentCluster: () => cluster,
      async applyToHTTPSOptions(options) {
        const { headers, cert, key } = await source.read();
        options["headers"] = headers;
        if (!cluster.server.startsWith("https:")) return;
        const tls = { ca: authority, cert, key };
        if (agent === undefined || agent.cert !== cert) {
          const { Agent } = await import("node:https");
          agent = { http: new Agent(tls), cert };
        }
        Object.assign(options, tls, { agent: agent.http });
      },
    },
    refreshCredentials() {
      source.refresh();
      return tokens !== undefined || hasPlugin(user);
    },
    close() {
      client?.http.close();
      client = undefined;
    },
  };
}
