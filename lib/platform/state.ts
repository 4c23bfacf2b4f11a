/**
 * What of Dynamo's platform is in a cluster already, and who put it there. Only reads.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { ADOPTED_LABEL, type HelmRelease, helmReleases } from "../helm/releases.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { APPLICATION_KIND, type ArgoCd, findArgoCd } from "./argocd/controller.ts";
import { CRDS_CHART, DYNAMO_CRDS, PLATFORM_CHART } from "./charts.ts";
import { findOperators, type FoundOperator } from "./operators.ts";
import { isTree } from "./values.ts";

/** A definition of Dynamo's. */
export interface FoundCrd {
  /** For example `dynamographdeployments.nvidia.com`. */
  readonly name: string;
  /** Kind of its objects. */
  readonly kind: string;
  /** Versions served. */
  readonly served: readonly string[];
  /** Versions that objects may be stored in; the API server refuses a definition without them. */
  readonly stored: readonly string[];
  /** Whether the API server accepted it. */
  readonly established: boolean;
}

/** An Application with one of Dynamo's charts. */
export interface FoundApplication {
  /** Name. */
  readonly name: string;
  /** Namespace of the Application, Argo CD's own. */
  readonly namespace: string;
  /** Chart in it. */
  readonly chart: string;
  /** Version asked for, without `v`. */
  readonly version: string;
  /** Namespace that it installs into. */
  readonly destination: string;
  /** Whether this project made it. */
  readonly ours: boolean;
  /** Whether somebody else made it and this project took it over, with its values. */
  readonly adopted: boolean;
  /** Whether it is being deleted. */
  readonly deleting: boolean;
  /** The values in it. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A graph of the cluster. */
export interface FoundGraph {
  /** Namespace. */
  readonly namespace: string;
  /** Name. */
  readonly name: string;
}

/** What is there. */
export interface PlatformState {
  /** All operators, with their namespaces. */
  readonly operators: readonly FoundOperator[];
  /** Helm's releases of Dynamo's charts, in all namespaces. */
  readonly releases: readonly HelmRelease[];
  /** Applications with Dynamo's charts. */
  readonly applications: readonly FoundApplication[];
  /** Dynamo's definitions. */
  readonly crds: readonly FoundCrd[];
  /** Graphs, in all namespaces. */
  readonly graphs: readonly FoundGraph[];
  /** Argo CD. */
  readonly argocd: ArgoCd;
  /** Names of StorageClasses; the default one has `isDefault`. */
  readonly storageClasses: readonly { readonly name: string; readonly isDefault: boolean }[];
}

/** Reads what is in the cluster. */
export async function platformState(kube: Kube): Promise<PlatformState> {
  const [operators, crds, argocd, applications, storageClasses] = await Promise.all([
    findOperators(kube),
    findCrds(kube),
    findArgoCd(kube),
    findApplications(kube),
    findStorageClasses(kube),
  ]);
  const named = operators.flatMap(({ helmRelease }) => helmRelease ?? []);
  const names = [...new Set([PLATFORM_CHART, CRDS_CHART, ...named])];
  const [found, graphs] = await Promise.all([
    helmReleases(kube, { names }),
    findGraphs(kube, crds),
  ]);
  // What was uninstalled and is kept as history is not there.
  const releases = found.filter(({ status }) => status !== "uninstalled");
  return { operators, releases, applications, crds, graphs, argocd, storageClasses };
}

/** Dynamo's definitions. */
export async function findCrds(kube: Kube): Promise<FoundCrd[]> {
  const { items } = await kube.list({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
  });
  return items.filter((one) => DYNAMO_CRDS.test(one.metadata.name)).map((crd) => {
    const versions: { name: string; served: boolean }[] = crd["spec"].versions;
    const conditions: { type: string; status: string }[] = crd["status"]?.conditions ?? [];
    return {
      name: crd.metadata.name,
      kind: crd["spec"].names.kind,
      served: versions.filter((one) => one.served).map((one) => one.name),
      stored: crd["status"]?.storedVersions ?? [],
      established: conditions.some((one) => one.type === "Established" && one.status === "True"),
    };
  });
}

/** Applications of Argo CD with one of Dynamo's charts. */
export async function findApplications(kube: Kube): Promise<FoundApplication[]> {
  const { items } = await kube.list(APPLICATION_KIND);
  return items.flatMap((application) => {
    const source = chartOf(application);
    if (source === undefined) return [];
    const { name, namespace = "", labels, deletionTimestamp } = application.metadata;
    return [{
      name,
      namespace,
      chart: source.chart,
      version: source.targetRevision.replace(/^v/, ""),
      destination: application["spec"].destination?.namespace ?? "",
      ours: labels?.["app.kubernetes.io/managed-by"] === "dynamo-eks",
      adopted: labels?.[ADOPTED_LABEL] === "true",
      values: source.values,
      deleting: deletionTimestamp !== undefined,
    }];
  });
}

interface ApplicationSource {
  readonly chart: string;
  readonly targetRevision: string;
  readonly values: Record<string, unknown>;
}

interface RawSource {
  readonly chart?: string;
  readonly targetRevision?: string;
  readonly helm?: { readonly values?: string; readonly valuesObject?: Record<string, unknown> };
}

function chartOf(application: KubeObject): ApplicationSource | undefined {
  const spec = application["spec"];
  const sources: RawSource[] = [spec.source ?? {}, ...spec.sources ?? []];
  for (const { chart, targetRevision = "", helm } of sources) {
    if (chart !== CRDS_CHART && chart !== PLATFORM_CHART) continue;
    return { chart, targetRevision, values: helm?.valuesObject ?? textValues(helm?.values) };
  }
  return undefined;
}

function textValues(text: string | undefined): Record<string, unknown> {
  try {
    const values = parse(text ?? "");
    return isTree(values) ? values : {};
  } catch {
    return {};
  }
}

async function findGraphs(kube: Kube, crds: readonly FoundCrd[]): Promise<FoundGraph[]> {
  const definition = crds.find((one) => one.name === "dynamographdeployments.nvidia.com");
  // While a conversion webhook is down, only the stored version can be read.
  const version = definition?.stored.at(-1) ?? definition?.served[0];
  if (version === undefined) return [];
  const kind = { apiVersion: `nvidia.com/${version}`, kind: "DynamoGraphDeployment" };
  const { items } = await kube.list(kind);
  return items.map(({ metadata: { namespace = "", name } }) => ({ namespace, name }));
}

async function findStorageClasses(kube: Kube): Promise<PlatformState["storageClasses"]> {
  const { items } = await kube.list({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass" });
  return items.map(({ metadata: { name, annotations } }) => ({
    name,
    isDefault: annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
  }));
}
