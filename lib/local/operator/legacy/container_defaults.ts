/**
 * Before 0.8: what a component's container gets when the graph does not say otherwise.
 *
 * @module
 */
import { HTTP_PORT, SYSTEM_PORT } from "../names.ts";
import type { Container, EnvVar, Json } from "../types.ts";

function probe(
  action: Json,
  seconds: { delay?: number; period: number; timeout: number; failures: number },
): Json {
  return {
    ...action,
    ...(seconds.delay === undefined ? {} : { initialDelaySeconds: seconds.delay }),
    periodSeconds: seconds.period,
    timeoutSeconds: seconds.timeout,
    failureThreshold: seconds.failures,
  };
}

function httpGet(path: string, port: string): Json {
  return { httpGet: { path, port } };
}

const FRONTEND: Container = {
  command: ["python3"],
  args: ["-m", "dynamo.frontend"],
  ports: [{ name: "http", containerPort: HTTP_PORT, protocol: "TCP" }],
  env: [
    { name: "DYNAMO_PORT", value: String(HTTP_PORT) },
    { name: "DYN_HTTP_PORT", value: String(HTTP_PORT) },
  ],
  livenessProbe: probe(httpGet("/health", "http"), {
    delay: 60,
    period: 60,
    timeout: 30,
    failures: 10,
  }),
  readinessProbe: probe({
    exec: {
      command: [
        "/bin/sh",
        "-c",
        'curl -s http://localhost:${DYNAMO_PORT}/health | jq -e ".status == \\"healthy\\""',
      ],
    },
  }, { delay: 60, period: 60, timeout: 30, failures: 10 }),
};

const WORKER: Container = {
  command: ["/bin/sh", "-c"],
  ports: [{ name: "system", containerPort: SYSTEM_PORT, protocol: "TCP" }],
  env: [
    { name: "DYN_SYSTEM_ENABLED", value: "true" },
    { name: "DYN_SYSTEM_PORT", value: String(SYSTEM_PORT) },
    { name: "DYN_SYSTEM_USE_ENDPOINT_HEALTH_STATUS", value: '["generate"]' },
  ],
  livenessProbe: probe(httpGet("/live", "system"), { period: 5, timeout: 30, failures: 1 }),
  readinessProbe: probe(httpGet("/health", "system"), { period: 10, timeout: 30, failures: 60 }),
  startupProbe: probe(httpGet("/live", "system"), { period: 10, timeout: 5, failures: 60 }),
};

/** Defaults by component type: frontend, worker, and bare for anything else. */
export function legacyContainerDefaults(componentType: string | undefined): Container {
  if (componentType === "frontend") return FRONTEND;
  if (componentType === "worker") return WORKER;
  return { command: ["/bin/sh", "-c"] };
}

/** Environment that names the graph, for every container. */
export function graphEnvironment(
  dynamoNamespace: string,
  graph: string,
  namespace: string,
): EnvVar[] {
  return [
    { name: "DYN_NAMESPACE", value: dynamoNamespace },
    { name: "DYN_PARENT_DGD_K8S_NAME", value: graph },
    { name: "DYN_PARENT_DGD_K8S_NAMESPACE", value: namespace },
  ];
}
