/**
 * From 0.8: what a component's container gets when the graph does not say otherwise.
 *
 * @module
 */
import type { OperatorFeatures } from "../features.ts";
import { HTTP_PORT, SYSTEM_PORT } from "../names.ts";
import type { ComponentSpec, Container, EnvVar, Json } from "../types.ts";
import { isWorker } from "./graph_model.ts";

/** Port of NIXL's telemetry. */
const NIXL_PORT = 19090;
/** Port of a planner's metrics. */
const PLANNER_PORT = 9085;

function probe(
  path: string,
  port: string,
  seconds: { delay?: number; period: number; timeout: number; failures: number },
): Json {
  return {
    httpGet: { path, port },
    ...(seconds.delay === undefined ? {} : { initialDelaySeconds: seconds.delay }),
    periodSeconds: seconds.period,
    timeoutSeconds: seconds.timeout,
    failureThreshold: seconds.failures,
  };
}

function frontend(dynamoNamespace: string): Container {
  return {
    command: ["python3"],
    args: ["-m", "dynamo.frontend"],
    ports: [{ name: "http", containerPort: HTTP_PORT, protocol: "TCP" }],
    env: [
      { name: "DYNAMO_PORT", value: String(HTTP_PORT) },
      { name: "DYN_HTTP_PORT", value: String(HTTP_PORT) },
      { name: "DYN_NAMESPACE_PREFIX", value: dynamoNamespace },
    ],
    livenessProbe: probe("/live", "http", { delay: 15, period: 10, timeout: 1, failures: 3 }),
    readinessProbe: probe("/health", "http", { delay: 10, period: 10, timeout: 3, failures: 3 }),
  };
}

function systemProbes(features: OperatorFeatures): Container {
  return {
    livenessProbe: probe("/live", "system", {
      period: 5,
      timeout: 4,
      failures: features.workerLivenessFailures,
    }),
    readinessProbe: probe("/health", "system", { period: 10, timeout: 4, failures: 3 }),
    startupProbe: probe("/live", "system", { period: 10, timeout: 5, failures: 720 }),
  };
}

function worker(features: OperatorFeatures, hash: string | undefined): Container {
  const env: EnvVar[] = [
    { name: "DYN_FORWARDPASS_METRIC_PORT", value: "20380" },
    { name: "DYN_HEALTH_CHECK_ENABLED", value: "false" },
    ...(hash === undefined ? [] : [{ name: "DYN_NAMESPACE_WORKER_SUFFIX", value: hash }]),
    { name: "DYN_SYSTEM_ENABLED", value: "true" },
    { name: "DYN_SYSTEM_PORT", value: String(SYSTEM_PORT) },
    { name: "DYN_SYSTEM_USE_ENDPOINT_HEALTH_STATUS", value: '["generate"]' },
    { name: "NIXL_TELEMETRY_ENABLE", value: "n" },
    { name: "NIXL_TELEMETRY_EXPORTER", value: "prometheus" },
    { name: "NIXL_TELEMETRY_PROMETHEUS_PORT", value: String(NIXL_PORT) },
  ];
  return {
    command: ["/bin/sh", "-c"],
    ports: [
      { name: "system", containerPort: SYSTEM_PORT, protocol: "TCP" },
      { name: "nixl", containerPort: NIXL_PORT, protocol: "TCP" },
    ],
    env,
    ...systemProbes(features),
  };
}

function planner(features: OperatorFeatures): Container {
  return {
    command: ["/bin/sh", "-c"],
    ports: [
      { name: "metrics", containerPort: PLANNER_PORT, protocol: "TCP" },
      { name: "system", containerPort: SYSTEM_PORT, protocol: "TCP" },
    ],
    env: [
      { name: "DYN_SYSTEM_PORT", value: String(SYSTEM_PORT) },
      { name: "PLANNER_PROMETHEUS_PORT", value: String(PLANNER_PORT) },
    ],
    ...systemProbes(features),
  };
}

/** Defaults by component type. */
export function containerDefaults(
  component: Pick<ComponentSpec, "type">,
  dynamoNamespace: string,
  hash: string | undefined,
  features: OperatorFeatures,
): Container {
  if (component.type === "frontend") return frontend(dynamoNamespace);
  if (component.type === "planner") return planner(features);
  if (isWorker(component)) return worker(features, hash);
  return { command: ["/bin/sh", "-c"] };
}

function fieldEnv(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } };
}

/** Environment of every component: names, discovery, and the pod itself. */
export function standardEnvironment(
  component: Pick<ComponentSpec, "type">,
  dynamoNamespace: string,
  graph: string,
  namespace: string,
): EnvVar[] {
  return [
    ...(component.type === undefined ? [] : [{ name: "DYN_COMPONENT", value: component.type }]),
    { name: "DYN_DISCOVERY_BACKEND", value: "kubernetes" },
    { name: "DYN_NAMESPACE", value: dynamoNamespace },
    { name: "DYN_PARENT_DGD_K8S_NAME", value: graph },
    { name: "DYN_PARENT_DGD_K8S_NAMESPACE", value: namespace },
    fieldEnv("POD_NAME", "metadata.name"),
    fieldEnv("POD_NAMESPACE", "metadata.namespace"),
    fieldEnv("POD_UID", "metadata.uid"),
  ];
}
