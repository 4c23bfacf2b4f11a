/**
 * Pods as Dynamo's operator makes them, without the operator: a frontend, a worker, hello-world,
 * and for 0.4.1 the platform's etcd and NATS.
 *
 * @module
 */
import type { KubeObject } from "../../lib/kube/types.ts";
import type { Container, Probe } from "../../lib/local/agent/pod_types.ts";

/** Model that the worker offers. */
export const MODEL = "Qwen/Qwen3-0.6B";

function deployment(namespace: string, name: string, container: Container): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [container],
          terminationGracePeriodSeconds: 20,
          tolerations: [{ key: "nvidia.com/gpu", operator: "Exists" }],
        },
      },
    },
  };
}

function service(namespace: string, name: string, port: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ port, targetPort: port }] },
  };
}

const variables = (env: Record<string, string>) =>
  Object.entries(env).map(([name, value]) => ({ name, value }));

const get = (path: string, port: string): Probe => ({ httpGet: { path, port } });

/** What 0.4.1 needs besides the graph; nothing for later releases. */
export function platformPods(version: string, namespace: string): KubeObject[] {
  if (!version.startsWith("0.")) return [];
  return [
    deployment(namespace, "etcd", {
      name: "etcd",
      image: "docker.io/bitnamilegacy/etcd:3.5.18",
      ports: [{ name: "client", containerPort: 2379 }, { name: "peer", containerPort: 2380 }],
      readinessProbe: { exec: { command: ["/opt/bitnami/scripts/etcd/healthcheck.sh"] } },
    }),
    service(namespace, "etcd", 2379),
    deployment(namespace, "nats", {
      name: "nats",
      image: "nats:2.10.21-alpine",
      ports: [{ name: "nats", containerPort: 4222 }, { name: "monitor", containerPort: 8222 }],
      startupProbe: get("/healthz", "monitor"),
    }),
    service(namespace, "nats", 4222),
  ];
}

/** The graph's pods. */
export function agentPods(version: string, namespace: string): KubeObject[] {
  const image = `nvcr.io/nvidia/ai-dynamo/vllm-runtime:${version}`;
  const old = version.startsWith("0.");
  const common = {
    DYN_NAMESPACE: namespace,
    ...(old
      ? {
        DYNAMO_NAMESPACE: namespace,
        ETCD_ENDPOINTS: `etcd.${namespace}:2379`,
        NATS_SERVER: `nats://nats.${namespace}:4222`,
      }
      : { DYN_DISCOVERY_BACKEND: "kubernetes" }),
  };
  const frontend: Container = {
    name: "main",
    image,
    command: ["python3"],
    args: ["-m", "dynamo.frontend"],
    env: variables({ ...common, DYNAMO_PORT: "8000", DYN_HTTP_PORT: "8000" }),
    ports: [{ name: "http", containerPort: 8000 }],
    readinessProbe: old
      ? {
        exec: {
          command: [
            "/bin/sh",
            "-c",
            'curl -s http://localhost:${DYNAMO_PORT}/health | jq -e ".status == \\"healthy\\""',
          ],
        },
        initialDelaySeconds: 60,
        periodSeconds: 60,
        timeoutSeconds: 30,
      }
      : { ...get("/health", "http"), initialDelaySeconds: 10 },
    livenessProbe: { ...get(old ? "/health" : "/live", "http"), initialDelaySeconds: 60 },
  };
  const worker: Container = {
    name: "main",
    image,
    command: ["/bin/sh", "-c"],
    args: [`python3 -m dynamo.vllm --model ${MODEL}`],
    env: variables({
      ...common,
      DYN_SYSTEM_ENABLED: "true",
      DYN_SYSTEM_PORT: "9090",
      DYN_SYSTEM_USE_ENDPOINT_HEALTH_STATUS: '["generate"]',
    }),
    ports: [{ name: "system", containerPort: 9090 }],
    resources: { limits: { "nvidia.com/gpu": "1" } },
    startupProbe: { ...get("/live", "system"), failureThreshold: 60 },
    readinessProbe: { ...get("/health", "system"), timeoutSeconds: 4 },
    livenessProbe: { ...get("/live", "system"), periodSeconds: 5, failureThreshold: 1 },
  };
  const shell = (script: string, more: Partial<Container> = {}): Container => ({
    name: "main",
    image,
    command: ["/bin/sh", "-c"],
    args: [script],
    env: variables({ ...common, DYN_NAMESPACE: `${namespace}-hello` }),
    ...more,
  });
  return [
    deployment(namespace, "frontend", frontend),
    service(namespace, "frontend", 8000),
    deployment(namespace, "worker", worker),
    deployment(
      namespace,
      "hello-worker",
      shell("python3 hello_world.py 2>&1 | tee /tmp/hello_world.log", {
        readinessProbe: {
          exec: { command: ["/bin/sh", "-c", 'grep "Serving endpoint" /tmp/hello_world.log'] },
          periodSeconds: 60,
        },
      }),
    ),
    deployment(namespace, "hello-client", shell("python3 client.py")),
  ];
}
