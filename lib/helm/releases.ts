/**
 * Helm's releases, read from the Secrets that helm keeps them in. No helm program is needed
 * to look, and what is half done is seen as well.
 *
 * @module
 */
import type { Kube, KubeObject, ObjectRef } from "../kube/types.ts";

/** States of a release, as helm names them. */
export type HelmStatus =
  | "deployed"
  | "failed"
  | "superseded"
  | "uninstalled"
  | "uninstalling"
  | "pending-install"
  | "pending-upgrade"
  | "pending-rollback"
  | "unknown";

/** The newest revision of a release. */
export interface HelmRelease {
  /** Name of the release. */
  readonly name: string;
  /** Namespace of the release. */
  readonly namespace: string;
  /** Counts its changes, from 1. */
  readonly revision: number;
  /** State of that revision. */
  readonly status: HelmStatus;
  /** Name of the chart: `dynamo-platform`. */
  readonly chart: string;
  /** Version of the chart, without `v`. */
  readonly version: string;
  /** When helm last changed it, milliseconds since the epoch. */
  readonly changedAt: number;
  /** Whether this project installed it. */
  readonly ours: boolean;
  /** Whether somebody else installed it and this project took it over, with its values. */
  readonly adopted: boolean;
  /** The values it was installed with; the chart's own are not in it. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Secrets with all its revisions, oldest first. */
  readonly records: readonly ObjectRef[];
}

/** Label of releases that this project installed: `helm upgrade --labels`. */
export const OUR_RELEASE = { name: "app.kubernetes.io/managed-by", value: "dynamo-eks" } as const;

/** Label of releases that this project took over. */
export const ADOPTED_LABEL = "dynamo-eks/adopted";

/** Whether helm is (or died) in the middle of something. */
export function isPending(release: Pick<HelmRelease, "status">): boolean {
  return release.status.startsWith("pending-");
}

/** Releases of these names, in all namespaces unless one is given; records that cannot be read count as `unknown`. */
export async function helmReleases(
  kube: Kube,
  options: { readonly names: readonly string[]; readonly namespace?: string },
): Promise<HelmRelease[]> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "Secret" }, {
    namespace: options.namespace,
    labelSelector: `owner=helm,name in (${options.names.join(",")})`,
  });
  const groups = new Map<string, KubeObject[]>();
  for (const item of items) {
    const { namespace, labels } = item.metadata;
    const key = `${namespace}/${labels?.["name"]}`;
    groups.set(key, [...groups.get(key) ?? [], item]);
  }
  return await Promise.all([...groups.values()].map(readRelease));
}

async function readRelease(records: KubeObject[]): Promise<HelmRelease> {
  const revisionOf = (record: KubeObject) => Number(record.metadata.labels?.["version"] ?? 0);
  records.sort((a, b) => revisionOf(a) - revisionOf(b));
  const newest = records.at(-1)!;
  const labels = newest.metadata.labels ?? {};
  const content = await decodeRecord(newest["data"]?.release);
  const metadata = content?.chart?.metadata ?? {};
  return {
    name: labels["name"] ?? "",
    namespace: newest.metadata.namespace ?? "",
    revision: revisionOf(newest),
    status: (labels["status"] ?? "unknown") as HelmStatus,
    chart: metadata.name ?? labels["name"] ?? "",
    version: String(metadata.version ?? "unknown").replace(/^v/, ""),
    changedAt: changedAt(newest, content),
    ours: labels[OUR_RELEASE.name] === OUR_RELEASE.value,
    adopted: labels[ADOPTED_LABEL] === "true",
    values: content?.config ?? {},
    records: records.map(({ metadata: { name, namespace } }) => ({
      apiVersion: "v1",
      kind: "Secret",
      name,
      namespace,
    })),
  };
}

// The label `modifiedAt` alone would not do: a new revision begins with that of the one before.
function changedAt(record: KubeObject, content: RecordContent | undefined): number {
  const label = Number(record.metadata.labels?.["modifiedAt"] ?? 0) * 1000;
  const deployed = Date.parse(content?.info?.last_deployed ?? "");
  const made = Date.parse(record.metadata.creationTimestamp ?? "");
  return Math.max(label, Number.isNaN(deployed) ? made || 0 : deployed);
}

interface RecordContent {
  readonly info?: { readonly last_deployed?: string };
  readonly chart?: { readonly metadata?: { readonly name?: string; readonly version?: string } };
  readonly config?: Record<string, unknown>;
}

// A record is JSON in gzip in base64, and the API adds a base64 of its own. Helm writes gzip only.
async function decodeRecord(data: unknown): Promise<RecordContent | undefined> {
  if (typeof data !== "string") return undefined;
  try {
    const packed = Uint8Array.from(atob(atob(data)), (char) => char.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).json();
  } catch {
    return undefined;
  }
}
