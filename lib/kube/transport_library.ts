/**
 * Transport over `@kubernetes/client-node` alone: its configuration, authentication and HTTP
 * client. It can skip certificate checks, check for another server name, use the kubeconfig's
 * proxy and the older auth providers.
 *
 * @module
 */
import type { KubeConfig, RequestContext } from "@kubernetes/client-node";
import { hasPlugin, type TokenSource } from "./credentials.ts";
import type { KubeconfigContext } from "./kubeconfig.ts";
import type { SocketConfig, Transport } from "./transport_types.ts";

type Dispatcher = ReturnType<RequestContext["getDispatcher"]>;

/** Loads the library, which takes 0.2 s of CPU and 80 MiB. `tokens` replaces the user's credentials. */
export async function libraryTransport(
  config: KubeconfigContext,
  tokens?: TokenSource | undefined,
): Promise<Transport> {
  const library = await import("@kubernetes/client-node");
  const http = new library.IsomorphicFetchHttpLibrary();
  let token: string | undefined;
  let kubeConfig = fresh();
  // Each call of applySecurityAuthentication makes a dispatcher, a pool of connections, of its own.
  let dispatcher: Dispatcher;

  function fresh(): KubeConfig {
    const loaded = new library.KubeConfig();
    loaded.loadFromOptions({
      clusters: [config.cluster],
      users: [tokens === undefined ? config.user : { name: config.user.name, token: token ?? "" }],
      contexts: [{
        name: config.name,
        cluster: config.cluster.name,
        user: config.user.name,
        namespace: config.namespace,
      }],
      currentContext: config.name,
    });
    return loaded;
  }

  /** Puts a token that is valid now into the configuration. */
  async function renewToken(): Promise<void> {
    const now = await tokens?.read();
    if (now === token) return;
    token = now;
    kubeConfig = fresh();
  }

  function dropConnections(): void {
    dispatcher?.destroy().catch(() => {});
    dispatcher = undefined;
  }

  return {
    async fetch(path, request) {
      const context = new library.RequestContext(
        `${config.cluster.server}${path}`,
        library.HttpMethod[request.method],
      );
      for (const [name, value] of Object.entries(request.headers)) {
        context.setHeaderParam(name, value);
      }
      if (request.body !== undefined) context.setBody(request.body);
      await renewToken();
      await kubeConfig.applySecurityAuthentication(context);
      dispatcher ??= context.getDispatcher();
      if (dispatcher !== undefined) context.setDispatcher(dispatcher);
      context.setSignal(request.signal);
      const response = await http.send(context).toPromise();
      return new Response(response.body.stream() as BodyInit | null, {
        status: response.httpStatusCode,
        headers: response.headers,
      });
    },
    sockets: {
      getCurrentCluster: () => config.cluster,
      async applyToHTTPSOptions(options) {
        await renewToken();
        await kubeConfig.applyToHTTPSOptions(options);
      },
    } satisfies SocketConfig,
    refreshCredentials() {
      dropConnections();
      tokens?.refresh();
      kubeConfig = fresh();
      return tokens !== undefined || hasPlugin(config.user);
    },
    close: dropConnections,
  };
}
