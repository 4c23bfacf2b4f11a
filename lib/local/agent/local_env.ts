/**
 * A Dynamo container's environment, translated to local processes: ports, addresses of the
 * platform's services, discovery, and loopback only. Pure.
 *
 * @module
 */
import { versionAtLeast } from "./container_image.ts";
import { replaceAddresses } from "./service_address.ts";

/** What the translation needs to know. */
export interface LocalEnvOptions {
  /** Release of the installed Python runtime. */
  readonly dynamoVersion: string;
  /** Local port for a container's port. */
  readonly port: (containerPort: number) => number;
  /** Local address for an address of a Service, as in {@link replaceAddresses}. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Folder for discovery by files, one for each Kubernetes namespace. */
  readonly discoveryFolder: string;
}

/** Variables that hold a port on which the process listens. */
export const PORT_VARIABLES = ["DYN_HTTP_PORT", "DYNAMO_PORT", "DYN_SYSTEM_PORT"] as const;

/** Variables that hold addresses of the platform's services. */
export const ADDRESS_VARIABLES = ["NATS_SERVER", "ETCD_ENDPOINTS"] as const;

// Paths and devices of the image, and ports that only real engines open.
const DROPPED = new Set([
  "PATH",
  "HOME",
  "PYTHONPATH",
  "PYTHONHOME",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "VIRTUAL_ENV",
  "HF_HOME",
  "DYN_KUBE_DISCOVERY_MODE",
  "DYN_FORWARDPASS_METRIC_PORT",
  "NIXL_TELEMETRY_PROMETHEUS_PORT",
  "MODEL_EXPRESS_URL",
]);

/** The environment for the local process, without PATH and HOME. */
export function localEnv(
  env: Readonly<Record<string, string>>,
  options: LocalEnvOptions,
): Record<string, string> {
  const local: Record<string, string> = { DYN_SDK_DISABLE_ANSI_LOGGING: "1" };
  for (const [name, value] of Object.entries(env)) {
    if (!DROPPED.has(name)) local[name] = value;
  }
  for (const name of PORT_VARIABLES) {
    const port = Number(local[name]);
    if (Number.isInteger(port) && port > 0) local[name] = String(options.port(port));
  }
  for (const name of ADDRESS_VARIABLES) {
    const value = local[name];
    if (value !== undefined) local[name] = replaceAddresses(value, options.addresses);
  }
  const found = discovery(local, options);
  // The simulated etcd and NATS of such a release answer nobody.
  if (found["DYN_DISCOVERY_BACKEND"] === "file") {
    for (const name of ADDRESS_VARIABLES) delete local[name];
  }
  return { ...local, ...found, ...OFFLINE, ...LOOPBACK };
}

// Models are a folder of ours: nothing may be looked up at the hub.
const OFFLINE = { HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" };

// 0.4.1 knows only the first and listens on the private network's addresses with the rest.
const LOOPBACK = {
  DYN_HTTP_HOST: "127.0.0.1",
  DYN_SYSTEM_HOST: "127.0.0.1",
  DYN_TCP_RPC_HOST: "127.0.0.1",
  DYN_TCP_RESPONSE_STREAM_HOST: "127.0.0.1",
  DYN_EVENT_PLANE_HOST: "127.0.0.1",
};

// Kubernetes discovery needs addresses of pods that answer; files do the same on one machine.
function discovery(
  env: Readonly<Record<string, string>>,
  { dynamoVersion, discoveryFolder }: LocalEnvOptions,
): Record<string, string> {
  if (!versionAtLeast(dynamoVersion, 0, 8)) return {};
  const wanted = env["DYN_DISCOVERY_BACKEND"];
  if (wanted !== undefined && wanted !== "kubernetes" && wanted !== "file") return {};
  return { DYN_DISCOVERY_BACKEND: "file", DYN_FILE_KV: discoveryFolder };
}
