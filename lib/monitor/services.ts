/**
 * Grafana and Prometheus in a cluster.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import type { Target } from "../target/target.ts";

/** Namespace that terraform installs monitoring in. */
export const MONITORING_NAMESPACE = "kube-prometheus-stack";

/** What can be opened in a browser. */
export type MonitoringKind = "grafana" | "prometheus";

/** A Service to forward to. */
export interface MonitoringService {
  /** Its namespace. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Its port. */
  readonly port: number;
}

// Set by Grafana's chart, and by the Prometheus operator on the Service it makes of its own.
const SELECTORS: Readonly<Record<MonitoringKind, string>> = {
  grafana: "app.kubernetes.io/name=grafana",
  prometheus: "operated-prometheus=true",
};

const TITLES: Readonly<Record<MonitoringKind, string>> = {
  grafana: "Grafana",
  prometheus: "Prometheus",
};

/**
 * Finds the Service by its labels, first in {@link MONITORING_NAMESPACE}.
 *
 * @throws {TaskError} MONITORING_MISSING (exit code 3), with what to do on this target.
 */
export async function findMonitoring(
  kube: Kube,
  target: Target,
  kind: MonitoringKind,
): Promise<MonitoringService> {
  const found = (await kube.list({ apiVersion: "v1", kind: "Service" }, {
    labelSelector: SELECTORS[kind],
  })).items;
  const service = found.find((one) => one.metadata.namespace === MONITORING_NAMESPACE) ?? found[0];
  const port = service?.["spec"]?.ports?.[0]?.port;
  if (service === undefined || port === undefined) throw missing(target, kind);
  return { namespace: service.metadata.namespace ?? "", name: service.metadata.name, port };
}

function missing(target: Target, kind: MonitoringKind): Error {
  const instead = "deno task monitor graph shows a graph's traffic without it.";
  return target.kind === "local"
    ? preconditionError(
      "MONITORING_MISSING",
      `${TITLES[kind]} is not part of the embedded cluster`,
      instead,
    )
    : preconditionError(
      "MONITORING_MISSING",
      `No ${TITLES[kind]} is installed: no Service has the label ${SELECTORS[kind]}`,
      "Set enable_ai_ml_observability_stack = true in terraform/blueprint.tfvars and run " +
        `deno task install. ${instead}`,
    );
}

/** How to log in. */
export interface GrafanaLogin {
  /** Name of the user. */
  readonly user: string;
  /** A command that prints the password. */
  readonly passwordCommand: string;
}

/**
 * The administrator of Grafana; its chart keeps the Secret under the name of the Service. The
 * password is never returned, and hidden should anything print it.
 */
export async function grafanaLogin(
  ctx: Context,
  kube: Kube,
  service: MonitoringService,
  target: Target,
): Promise<GrafanaLogin> {
  const { name, namespace } = service;
  // Not everybody may read Secrets: then the chart's default has to do.
  const secret = await kube.get({ apiVersion: "v1", kind: "Secret", name, namespace })
    .catch(() => undefined);
  const password = secretValue(secret, "admin-password");
  if (password !== "") ctx.ui.redact(password);
  const kubectl = [
    "kubectl",
    ...(target.kubeconfig === undefined ? [] : ["--kubeconfig", `'${target.kubeconfig}'`]),
    ...(target.context === undefined ? [] : ["--context", `'${target.context}'`]),
  ].join(" ");
  return {
    user: secretValue(secret, "admin-user") || "admin",
    passwordCommand: `${kubectl} -n ${namespace} get secret ${name} ` +
      "-o jsonpath='{.data.admin-password}' | base64 -d",
  };
}

function secretValue(secret: KubeObject | undefined, key: string): string {
  try {
    return atob(secret?.["data"]?.[key] ?? "");
  } catch {
    return "";
  }
}
