/**
 * Which models are complete in which claims: written down as annotations of the claims, so that
 * what is known goes with what it is about. A Job that nobody waited for is a record, too.
 *
 * @module
 */
import { isCode } from "../../kube/objects.ts";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { DOWNLOAD_CONTAINER } from "./objects.ts";
import { type Done, readMessage } from "./messages.ts";
import {
  DEFAULT_REVISION,
  digest,
  PREFETCH_LABELS,
  type PrefetchSpec,
  sameSpec,
  SPEC_ANNOTATION,
} from "./names.ts";

const CLAIM = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;
const JOB = { apiVersion: "batch/v1", kind: "Job" } as const;
const PREFIX = "models.dynamo-eks/";

/** A model that is complete in a claim. */
export interface CachedModel {
  /** `organisation/name`. */
  readonly model: string;
  /** Branch, tag or commit that was asked for. */
  readonly revision: string;
  /** Commit that it was. */
  readonly commit: string;
  /** Bytes of its files. */
  readonly bytes: number;
  /** How many files. */
  readonly files: number;
  /** Whether it is all that an engine reads. */
  readonly whole: boolean;
  /** Patterns of files that were wanted. */
  readonly include: readonly string[];
  /** Patterns of files that were not. */
  readonly exclude: readonly string[];
  /** When it was complete, RFC 3339. */
  readonly at: string;
}

/** A model on its way into a claim. */
export interface LoadingModel {
  /** `organisation/name`. */
  readonly model: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Name of the Job. */
  readonly job: string;
  /** Whether it goes on by itself. */
  readonly state: "running" | "failed";
}

/** A claim with models. */
export interface ModelCache {
  /** Name of the claim. */
  readonly claim: string;
  /** `Bound` and the like. */
  readonly phase: string;
  /** For example `100Gi`; empty when unknown. */
  readonly size: string;
  /** Storage class; empty when it names none. */
  readonly storageClass: string;
  /** Whether pods on several nodes may mount it. */
  readonly shared: boolean;
  /** Complete models, by name. */
  readonly models: readonly CachedModel[];
  /** Models on their way. */
  readonly loading: readonly LoadingModel[];
}

/** What a Job downloads; undefined for Jobs that are none of ours. */
export function specOf(job: KubeObject): PrefetchSpec | undefined {
  try {
    return JSON.parse(job.metadata.annotations?.[SPEC_ANNOTATION] ?? "") as PrefetchSpec;
  } catch {
    return undefined;
  }
}

/** The Jobs of downloads in a namespace; none where Jobs may not be read. */
export async function listPrefetchJobs(
  kube: Pick<Kube, "list">,
  namespace: string,
): Promise<KubeObject[]> {
  const labelSelector = Object.entries(PREFETCH_LABELS).map(([key, value]) => `${key}=${value}`)
    .join(",");
  try {
    return (await kube.list(JOB, { namespace, labelSelector })).items;
  } catch (error) {
    if (isCode(error, "KUBE_FORBIDDEN")) return [];
    throw error;
  }
}

/** A condition of a Job, when it holds. */
export function jobCondition(job: KubeObject, type: string): KubeObject | undefined {
  return (job["status"]?.conditions ?? []).find((one: KubeObject) =>
    one["type"] === type && one["status"] === "True"
  );
}

/** The claims of a namespace that hold models, or are about to, by name. */
export async function listCaches(
  kube: Pick<Kube, "list" | "logs">,
  namespace: string,
): Promise<ModelCache[]> {
  const [{ items: claims }, jobs] = await Promise.all([
    kube.list(CLAIM, { namespace }),
    listPrefetchJobs(kube, namespace),
  ]);
  const caches = await Promise.all(
    claims.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((claim) => cacheOf(kube, claim, jobs)),
  );
  return caches.filter(({ models, loading }) => models.length + loading.length > 0)
    .sort((a, b) => a.claim.localeCompare(b.claim));
}

async function cacheOf(
  kube: Pick<Kube, "list" | "logs">,
  claim: KubeObject,
  jobs: readonly KubeObject[],
): Promise<ModelCache> {
  const { metadata: { name, uid }, spec, status } = claim;
  const models = readRecords(claim);
  const loading: LoadingModel[] = [];
  for (const job of jobs) {
    const wanted = specOf(job);
    if (wanted?.claim !== name || wanted.claimUid !== uid) continue;
    const { model, revision } = wanted;
    if (jobCondition(job, "Complete") === undefined) {
      const state = jobCondition(job, "Failed") === undefined ? "running" : "failed";
      loading.push({ model, revision, job: job.metadata.name, state });
    } else if (!models.some((one) => holds(one, wanted))) {
      const done = await doneOf(kube, job);
      if (done !== undefined) {
        models.push(modelOf(wanted, done, job["status"]?.completionTime ?? ""));
      }
    }
  }
  return {
    claim: name,
    phase: status?.phase ?? "Pending",
    size: status?.capacity?.storage ?? spec?.resources?.requests?.storage ?? "",
    storageClass: spec?.storageClassName ?? "",
    shared: (spec?.accessModes ?? []).some((mode: string) => /Many$/.test(mode)),
    models: models.sort((a, b) => a.model.localeCompare(b.model)),
    loading,
  };
}

/** Whether the cache holds the very files that are wanted. */
export function holds(
  cached: CachedModel,
  wanted: Omit<PrefetchSpec, "claim" | "claimUid">,
): boolean {
  const place = { claim: "", claimUid: "" };
  const { model, revision, include, exclude } = cached;
  if (sameSpec({ model, revision, include, exclude, ...place }, { ...wanted, ...place })) {
    return true;
  }
  // All files are also those that somebody leaves some out of.
  return model === wanted.model && revision === wanted.revision && cached.whole &&
    wanted.include.length === 0;
}

/** Whether the claim can serve the model without the hub. */
export function servesOffline({ models }: ModelCache, model: string): boolean {
  return models.some((one) =>
    one.model === model && one.revision === DEFAULT_REVISION && one.whole
  );
}

/** The models that a claim's annotations name. */
export function readRecords({ metadata }: KubeObject): CachedModel[] {
  return Object.entries(metadata.annotations ?? {}).flatMap(([key, text]) => {
    if (!key.startsWith(PREFIX)) return [];
    try {
      const record = JSON.parse(text);
      return typeof record.model === "string" ? [record as CachedModel] : [];
    } catch {
      return [];
    }
  });
}

/** What is written down of a download that is complete. */
export function modelOf(spec: PrefetchSpec, done: Done, at: string): CachedModel {
  const { model, revision, include, exclude } = spec;
  const { commit, bytes, files, whole } = done;
  return { model, revision, commit, bytes, files, whole, include, exclude, at };
}

/** Writes it down. */
export async function writeRecord(
  kube: Pick<Kube, "patch">,
  where: { readonly namespace: string; readonly claim: string },
  record: CachedModel,
): Promise<void> {
  const word = record.model.replaceAll(/[^\w.-]/g, "--").slice(0, 40);
  // One annotation a model: two tasks never write the same one.
  const key = `${PREFIX}${word}-${digest(`${record.model}@${record.revision}`).slice(0, 8)}`;
  await kube.patch({ ...CLAIM, namespace: where.namespace, name: where.claim }, "merge", {
    metadata: { annotations: { [key]: JSON.stringify(record) } },
  });
}

/** What the pods of a Job said at the end, when their logs are still there. */
export async function doneOf(
  kube: Pick<Kube, "list" | "logs">,
  { metadata: { name, namespace = "default" } }: KubeObject,
): Promise<Done | undefined> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
    namespace,
    labelSelector: `job-name=${name}`,
  });
  for (const pod of items.filter(({ status }) => status?.phase === "Succeeded")) {
    const lines = kube.logs({ name: pod.metadata.name, namespace }, {
      container: DOWNLOAD_CONTAINER,
      tailLines: 20,
    });
    try {
      for await (const line of lines) {
        const message = readMessage(line);
        if (message?.prefetch === "done") return message;
      }
    } catch {
      // Its node is gone, and with it the log.
    }
  }
  return undefined;
}
