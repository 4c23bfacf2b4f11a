/**
 * Connections to ports of pods: over SPDY sessions that connections share, and where SPDY is not
 * let through over a WebSocket each.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { answerFailure, type Attempted, connectionFailure, statusError } from "./api_error.ts";
import { isCode } from "./objects.ts";
import { openPodSocket } from "./pod_socket.ts";
import { PodTunnel } from "./pod_tunnel.ts";
import { type PodTunnels, podTunnels } from "./pod_tunnels.ts";
import type { ApiClient } from "./request.ts";
import type { Transport } from "./transport_types.ts";
import type { PodConnection } from "./types.ts";
import { UpgradeRefused } from "./upgrade.ts";
import { SocketRefused } from "./web_socket.ts";

/** What connections need. */
export interface PodConnectorParts {
  /** Calls of the API server; sessions end with it. */
  readonly api: ApiClient;
  /** For sessions and WebSockets. */
  readonly transport: Transport;
  /** URL of the API server, for messages. */
  readonly server: string;
}

/** Which pod. */
export interface PodName {
  /** Name. */
  readonly name: string;
  /** Namespace. */
  readonly namespace: string;
}

/**
 * Opens connections.
 *
 * @throws {TaskError} from the function returned: KUBE_NOTFOUND, KUBE_FORBIDDEN, KUBE_UNREACHABLE
 * and others. What the pod's node reports later, such as a port nobody listens on, is an error of
 * reading: KUBE_PORT_FORWARD.
 */
export type ConnectPod = (pod: PodName, port: number) => Promise<PodConnection>;

// https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/client-go/tools/portforward
const PROTOCOL = "SPDY/3.1";
const HEADERS = { "X-Stream-Protocol-Version": "portforward.k8s.io" };

// What a WebSocket would be told as well.
const AS_WELL = [401, 404, 429, 503, 504];

/** Makes the function that connects; it remembers sessions. */
export function podConnector(ctx: Context, parts: PodConnectorParts): ConnectPod {
  const { api, transport, server } = parts;
  const signals = [ctx.signal, api.closed];
  const pods = new Map<string, PodTunnels>();
  let socketsOnly = false;

  async function openTunnel(pod: PodName): Promise<PodTunnel> {
    const about = `Pod ${pod.namespace}/${pod.name}`;
    for (let tries = 1;; tries++) {
      try {
        const upgraded = await transport.upgrade!(pathOf(pod), PROTOCOL, HEADERS, signals);
        const tried = (port: number) => triedOf(pod, port);
        return new PodTunnel(ctx, { upgraded, tried, server, signals });
      } catch (error) {
        if (error instanceof TaskError) throw error;
        const attempt = { verb: "connect to", about };
        if (!(error instanceof UpgradeRefused)) {
          throw connectionFailure(attempt, server, error).error;
        }
        if (error.status === 401 && tries === 1 && transport.refreshCredentials()) continue;
        if (AS_WELL.includes(error.status)) {
          throw answerFailure(attempt, error.status, error.body).error;
        }
        throw error;
      }
    }
  }

  async function openSocket(pod: PodName, port: number): Promise<PodConnection> {
    const tried = triedOf(pod, port);
    const path = `${pathOf(pod)}?ports=${port}`;
    const { sockets } = transport;
    for (let tries = 1;; tries++) {
      try {
        return await openPodSocket(ctx, { tried, server, sockets, path, signals });
      } catch (error) {
        if (error instanceof TaskError) throw error;
        if (!(error instanceof SocketRefused)) throw connectionFailure(tried, server, error).error;
        const renewed = error.status === 401 && tries === 1 && transport.refreshCredentials();
        if (!renewed) throw await refusal(api, tried, path, error.status);
      }
    }
  }

  return async (pod, port) => {
    if (transport.upgrade === undefined || socketsOnly) return await openSocket(pod, port);
    const key = `${pod.namespace}/${pod.name}`;
    let tunnels = pods.get(key);
    if (tunnels === undefined) pods.set(key, tunnels = podTunnels(() => openTunnel(pod)));
    try {
      return await tunnels.connect(port);
    } catch (error) {
      pods.delete(key);
      if (!(error instanceof UpgradeRefused)) throw error;
      const connection = await openSocket(pod, port);
      ctx.ui.debug(`Port-forwards go over WebSockets: ${error.message}`);
      socketsOnly = true;
      return connection;
    }
  };
}

function triedOf(pod: PodName, port: number): Attempted {
  return { verb: "connect to", about: `port ${port} of Pod ${pod.namespace}/${pod.name}` };
}

function pathOf(pod: PodName): string {
  return `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${
    encodeURIComponent(pod.name)
  }/portforward`;
}

/** What a plain request to the same path is answered says more than the status of the handshake. */
async function refusal(
  api: ApiClient,
  tried: Attempted,
  path: string,
  status: number,
): Promise<unknown> {
  try {
    await api.text({ ...tried, path });
  } catch (error) {
    if (!isCode(error, "KUBE_BADREQUEST")) return error;
  }
  return statusError(tried, { code: status });
}
