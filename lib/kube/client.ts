/**
 * Connecting to a cluster: `@kubernetes/client-node` reads the kubeconfig and authenticates,
 * objects of any kind travel as JSON. Nothing is loaded or sent before it is needed.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { TokenSource } from "./credentials.ts";
import { discovery } from "./discovery.ts";
import { type KubeconfigChoice, loadKubeconfig } from "./kubeconfig.ts";
import { podLogs } from "./logs.ts";
import { objectCalls } from "./objects.ts";
import { podConnector } from "./pod_connection.ts";
import { apiClient } from "./request.ts";
import { openTransport } from "./transport.ts";
import type { Kube } from "./types.ts";
import { watchObjects } from "./watch.ts";

/** Options of {@link connectKube}. */
export interface ConnectOptions extends KubeconfigChoice {
  /** Who owns the fields that are written; `dynamo-eks` unless given. */
  readonly fieldManager?: string;
  /** Makes bearer tokens, in place of the credentials of the kubeconfig's user. */
  readonly tokens?: TokenSource | undefined;
  /** Longest time of one try of a call in milliseconds; 30 s unless given. */
  readonly timeoutMs?: number;
}

/**
 * Opens a cluster of a kubeconfig. The server is first asked by the first call, so a cluster
 * that is down is found there (KUBE_UNREACHABLE, exit code 3).
 *
 * @example
 * ```ts ignore
 * const kube = await connectKube(ctx, { context: "production" });
 * try {
 *   const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, { namespace: "dynamo" });
 * } finally {
 *   kube.close();
 * }
 * ```
 * @throws {TaskError} KUBECONFIG_MISSING, KUBECONFIG_BROKEN, KUBE_CONTEXT_UNKNOWN or
 * KUBE_CREDENTIALS (exit code 3).
 */
export async function connectKube(ctx: Context, options: ConnectOptions = {}): Promise<Kube> {
  const config = await loadKubeconfig(ctx, options);
  const { server } = config.cluster;
  const transport = await openTransport(ctx, config, options.tokens);
  const api = apiClient(ctx, transport, { server, timeoutMs: options.timeoutMs });
  const resources = discovery(api);
  return {
    server,
    contextName: config.name,
    async version() {
      const call = { verb: "read the version of", about: server, path: "/version" };
      return (await api.json<{ gitVersion: string }>(call)).gitVersion;
    },
    ...objectCalls({
      api,
      discovery: resources,
      namespace: config.namespace,
      fieldManager: options.fieldManager ?? "dynamo-eks",
    }),
    watch: (kind, watchOptions) =>
      watchObjects(ctx, { api, discovery: resources }, kind, watchOptions),
    logs: (pod, logOptions) => podLogs(api, pod, logOptions),
    connect: podConnector(ctx, { api, transport, server }),
    raw: (path) => api.text({ verb: "get", about: path, path }),
    close: () => api.close(),
  };
}
