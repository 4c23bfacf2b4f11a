/**
 * Transport over `@kubernetes/client-node` alone: its configuration, authentication and HTTP
 * client. It can skip certificate checks, check for another server name, use the kubeconfig's
 * proxy and the older auth providers.
 *
 * @module
 */
import type { KubeConfig, RequestContext } from "@kubernetes/client-node";
import { hasPlugin } from "./credentials.ts";
import type { KubeconfigContext } from "./kubeconfig.ts";
import type { SocketConfig, Transport } from "./transport_types.ts";

type Dispatcher = ReturnType<RequestContext["getDispatcher"]>;

/** Loads the library, which takes 0.2 s of CPU and 80 MiB. */
export async function libraryTransport(config: KubeconfigContext): Promise<Transport> {
  const library = await import("@kubernetes/client-node");
  const http = new library.IsomorphicFetchHttpLibrary();
  let kubeConfig = fresh();
  // Each call of applySecurityAuthentication makes a dispatcher, a pool of connections, of its own.
  let dispatcher: Dispatcher;

  function fresh(): KubeConfig {
    const loaded = new library.KubeConfig();
    loaded.loadFromOptions({
      clusters: [config.cluster],
      users: [config.user],
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
      applyToHTTPSOptions: (options) => kubeConfig.applyToHTTPSOptions(options),
    } satisfies SocketConfig,
    refreshCredentials() {
      dropConnections();
      kubeConfig = fresh();
      return hasPlugin(config.user);
    },
    close: dropConnections,
  };
}
