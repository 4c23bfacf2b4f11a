/**
 * Argo CD's objects for one chart. Pure.
 *
 * @module
 */
import type { RepositoryLogin } from "../../helm/chart_source.ts";
import { ADOPTED_LABEL } from "../../helm/releases.ts";
import type { KubeObject } from "../../kube/types.ts";
import { CRDS_CHART, type PlatformChart } from "../charts.ts";
import { APPLICATION_KIND } from "./controller.ts";

/** Makes Argo CD delete what it installed before the Application goes. */
export const CASCADE_FINALIZER = "resources-finalizer.argocd.argoproj.io";

/** Options of {@link applicationObject}. */
export interface ApplicationOptions {
  /** The chart. */
  readonly chart: PlatformChart;
  /** Name of the Application, and of the Helm release that Argo CD renders. */
  readonly name: string;
  /** Namespace of Argo CD. */
  readonly argocdNamespace: string;
  /** URL of the chart repository. */
  readonly repository: string;
  /** Values; the chart's own are under them. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether it was taken over from somebody else. */
  readonly adopted?: boolean;
}

const LABELS = {
  "app.kubernetes.io/managed-by": "dynamo-eks",
  "app.kubernetes.io/part-of": "dynamo-eks",
} as const;

/** Fields that others fill in: certificates by the operator, bundles by its webhook. */
const IGNORED = [
  ...["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"].map((kind) => ({
    group: "admissionregistration.k8s.io",
    kind,
    jqPathExpressions: [".webhooks[]?.clientConfig.caBundle"],
  })),
  {
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    jqPathExpressions: [".spec.conversion.webhook.clientConfig.caBundle"],
  },
  { kind: "Secret", name: "webhook-server-cert", jsonPointers: ["/data"] },
] as const;

/** The Application of one chart: synced by itself, retried, deleted with what it installed. */
export function applicationObject(options: ApplicationOptions): KubeObject {
  const { chart, name } = options;
  return {
    ...APPLICATION_KIND,
    metadata: {
      name,
      namespace: options.argocdNamespace,
      labels: options.adopted === true ? { ...LABELS, [ADOPTED_LABEL]: "true" } : LABELS,
      annotations: { "argocd.argoproj.io/sync-wave": String(chart.wave) },
      finalizers: [CASCADE_FINALIZER],
    },
    spec: {
      project: "default",
      source: {
        repoURL: options.repository,
        chart: chart.name,
        targetRevision: chart.version,
        helm: { releaseName: name, valuesObject: options.values },
      },
      destination: { server: "https://kubernetes.default.svc", namespace: chart.namespace },
      syncPolicy: {
        // A definition that a newer chart leaves out must not take its objects with it.
        automated: { prune: chart.name !== CRDS_CHART, selfHeal: true },
        syncOptions: [
          "CreateNamespace=true",
          "ServerSideApply=true",
          "RespectIgnoreDifferences=true",
        ],
        retry: { limit: 5, backoff: { duration: "10s", factor: 2, maxDuration: "3m" } },
      },
      ignoreDifferences: IGNORED,
    },
  };
}

/** Options of {@link repositorySecret}. */
export interface RepositorySecretOptions {
  /** Namespace of Argo CD. */
  readonly argocdNamespace: string;
  /** The very URL that the Applications name; Argo CD finds the login by it. */
  readonly repository: string;
  /** The login. */
  readonly login: RepositoryLogin;
}

/** Name of the Secret with the login of a private mirror. */
export const REPOSITORY_SECRET = "dynamo-chart-repository";

/** Argo CD's Secret for a private chart repository. */
export function repositorySecret(options: RepositorySecretOptions): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: REPOSITORY_SECRET,
      namespace: options.argocdNamespace,
      labels: { ...LABELS, "argocd.argoproj.io/secret-type": "repository" },
    },
    type: "Opaque",
    stringData: {
      type: "helm",
      name: "dynamo-charts",
      url: options.repository,
      username: options.login.username,
      password: options.login.password,
    },
  };
}
