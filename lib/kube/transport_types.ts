/**
 * What a transport offers.
 *
 * @module
 */
import type { Cluster } from "./kubeconfig.ts";
import type { Upgraded } from "./upgrade.ts";

/** One request. */
export interface TransportRequest {
  /** HTTP method. */
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Headers besides those of the credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body. */
  readonly body?: string | undefined;
  /** Ends the request and the reading of its answer. */
  readonly signal: AbortSignal;
}

/** What the library's WebSocket handler asks of its configuration. */
export interface SocketConfig {
  /** The cluster to connect to. */
  getCurrentCluster(): Cluster | null;
  /** Fills in TLS options and headers. */
  applyToHTTPSOptions(options: Record<string, unknown>): Promise<void>;
}

/** Requests to one API server with the user's credentials. */
export interface Transport {
  /** As `fetch`; `path` starts with a slash and holds the query. */
  fetch(path: string, request: TransportRequest): Promise<Response>;
  /**
   * Makes a POST to the path a byte stream; absent where the transport cannot.
   *
   * @throws {UpgradeRefused} or an Error of the connection.
   */
  upgrade?(
    path: string,
    protocol: string,
    headers: Readonly<Record<string, string>>,
    signals: readonly AbortSignal[],
  ): Promise<Upgraded>;
  /** For WebSockets. */
  readonly sockets: SocketConfig;
  /** Forgets credentials that the server refused; false when there are none to renew. */
  refreshCredentials(): boolean;
  /** Frees idle connections. */
  close(): void;
}
