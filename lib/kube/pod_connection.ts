/**
 * One connection to a port of a pod, over a WebSocket of the API server.
 *
 * A channel of the WebSocket cannot be closed in one direction: the pod is not told when the
 * writable side ends, only when the whole connection is closed.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { type Attempted, connectionFailure, statusError } from "./api_error.ts";
import { isCode } from "./objects.ts";
import { PodStreams } from "./pod_streams.ts";
import type { ApiClient } from "./request.ts";
import type { Transport } from "./transport_types.ts";
import type { PodConnection } from "./types.ts";
import { openChannels, SocketRefused } from "./web_socket.ts";

/** What a connection needs. */
export interface PodConnectionParts {
  /** Calls of the API server. */
  readonly api: ApiClient;
  /** For the WebSocket. */
  readonly transport: Transport;
  /** URL of the API server, for messages. */
  readonly server: string;
}

/**
 * Opens the connection.
 *
 * @throws {TaskError} KUBE_NOTFOUND, KUBE_FORBIDDEN, KUBE_UNREACHABLE and others. What the pod's
 * node reports later, such as a port nobody listens on, is an error of `readable`: KUBE_PORT_FORWARD.
 */
export async function connectPod(
  ctx: Context,
  { api, transport, server }: PodConnectionParts,
  pod: { readonly name: string; readonly namespace: string },
  port: number,
): Promise<PodConnection> {
  const tried: Attempted = {
    verb: "connect to",
    about: `port ${port} of Pod ${pod.namespace}/${pod.name}`,
  };
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${
    encodeURIComponent(pod.name)
  }/portforward?ports=${port}`;
  for (let tries = 1;; tries++) {
    const streams = new PodStreams(ctx, { tried, server, signals: [ctx.signal, api.closed] });
    try {
      streams.attach(await openChannels(transport.sockets, path, streams.receive));
      return streams;
    } catch (error) {
      if (error instanceof TaskError) throw error;
      if (!(error instanceof SocketRefused)) throw connectionFailure(tried, server, error).error;
      const renewed = error.status === 401 && tries === 1 && transport.refreshCredentials();
      if (!renewed) throw await refusal(api, tried, path, error.status);
    }
  }
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
