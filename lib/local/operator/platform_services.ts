/**
 * etcd and NATS of the platform: a StatefulSet and Services each, as their charts make them.
 * Their data is scratch: registrations of processes, gone with the processes.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import { CPU_POOL, PLATFORM, platformLabels } from "./platform_names.ts";

/** The two services. */
export type BrokerName = "etcd" | "nats";

interface Broker {
  readonly image: string;
  readonly container: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** The first is the clients'. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly data: string;
  readonly readiness: Record<string, unknown>;
}

// Images and ports of the platform chart; etcd's moved when Bitnami closed its registry.
const BROKERS: Readonly<Record<BrokerName, Broker>> = {
  etcd: {
    image: "bitnamilegacy/etcd:3.5.18-debian-12-r5",
    container: "etcd",
    args: [],
    env: [{ name: "ALLOW_NONE_AUTHENTICATION", value: "yes" }],
    ports: [{ name: "client", port: 2379 }, { name: "peer", port: 2380 }],
    data: "/bitnami/etcd",
    readiness: { tcpSocket: { port: 2379 } },
  },
  nats: {
    image: "nats:2.10.21-alpine",
    container: "nats",
    args: ["--jetstream", "--store_dir", "/data", "--http_port", "8222"],
    env: [],
    ports: [{ name: "nats", port: 4222 }, { name: "monitor", port: 8222 }],
    data: "/data",
    readiness: { httpGet: { path: "/healthz", port: 8222 } },
  },
};

/** Address of NATS for pods. */
export function natsAddress(namespace: string): string {
  return `nats://${PLATFORM}-nats.${namespace}:4222`;
}

/** Address of etcd for pods. */
export function etcdAddress(namespace: string): string {
  return `${PLATFORM}-etcd.${namespace}:2379`;
}

/** Service, headless Service and StatefulSet. */
export function brokerObjects(
  name: BrokerName,
  options: { readonly namespace: string; readonly version: string },
): KubeObject[] {
  const broker = BROKERS[name];
  const full = `${PLATFORM}-${name}`;
  const { namespace } = options;
  const labels = platformLabels(name, options.version);
  const selector = { "app.kubernetes.io/name": name, "app.kubernetes.io/instance": PLATFORM };
  const ports = broker.ports.map((one) => ({
    name: one.name,
    port: one.port,
    protocol: "TCP",
    targetPort: one.name,
  }));
  const service = (suffix: string, extra: Record<string, unknown>): KubeObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `${full}${suffix}`, namespace, labels },
    spec: { type: "ClusterIP", selector, ports, ...extra },
  });
  return [
    service("", {}),
    service("-headless", { clusterIP: "None", publishNotReadyAddresses: true }),
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: full, namespace, labels },
      spec: {
        replicas: 1,
        serviceName: `${full}-headless`,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels },
          spec: {
            nodeSelector: { "karpenter.sh/nodepool": CPU_POOL },
            terminationGracePeriodSeconds: 10,
            containers: [container(broker)],
            volumes: [{ name: "data", emptyDir: {} }],
          },
        },
      },
    },
  ];
}

function container(broker: Broker): Record<string, unknown> {
  return {
    name: broker.container,
    image: broker.image,
    ...(broker.args.length === 0 ? {} : { args: broker.args }),
    ...(broker.env.length === 0 ? {} : { env: broker.env }),
    ports: broker.ports.map((one) => ({
      name: one.name,
      containerPort: one.port,
      protocol: "TCP",
    })),
    readinessProbe: { ...broker.readiness, periodSeconds: 1 },
    volumeMounts: [{ name: "data", mountPath: broker.data }],
  };
}
