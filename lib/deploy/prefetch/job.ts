/**
 * The Job of a download in the cluster: made once, found again, taken away.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { timeoutError } from "../../cli/errors.ts";
import type { Kube, KubeObject, OwnerReference } from "../../kube/types.ts";
import type { PrefetchObjects } from "./objects.ts";
import { jobCondition, listPrefetchJobs, specOf } from "./records.ts";

const JOB = { apiVersion: "batch/v1", kind: "Job" } as const;
const GONE_WITHIN_MS = 30_000;

/**
 * Makes the Job unless it is under way; one that has ended makes room for it.
 *
 * @throws {TaskError} PREFETCH_JOB_STAYS (exit code 4).
 */
export async function ensureJob(
  ctx: Context,
  kube: Kube,
  { job, program }: PrefetchObjects,
): Promise<"made" | "running"> {
  const { name, namespace } = job.metadata;
  const ref = { ...JOB, name, namespace };
  let found = await kube.get(ref);
  if (found !== undefined && isRunning(found)) return "running";
  const end = ctx.clock.monotonic() + GONE_WITHIN_MS;
  while (found !== undefined) {
    await removeJob(kube, { namespace, name });
    if (ctx.clock.monotonic() > end) {
      throw timeoutError("PREFETCH_JOB_STAYS", `Job ${namespace}/${name} has ended and stays`, {
        hint: "See what holds it: kubectl get job -o yaml shows its finalizers.",
      });
    }
    await ctx.clock.sleep(200, ctx.signal);
    found = await kube.get(ref);
  }
  const made = await kube.create(job);
  const owner: OwnerReference = { ...JOB, name, uid: made.metadata.uid ?? "" };
  await kube.create(program(owner));
  await kube.patch(ref, "merge", { spec: { suspend: false } });
  return "made";
}

// A task that was ended in between leaves one that nobody starts.
function isRunning(job: KubeObject): boolean {
  return job.metadata.deletionTimestamp === undefined && job["spec"]?.suspend !== true &&
    (jobCondition(job, "Complete") ?? jobCondition(job, "Failed")) === undefined;
}

/** Removes a Job; its pods and its program go with it. False when there was none. */
export async function removeJob(
  kube: Pick<Kube, "delete">,
  job: { readonly namespace: string | undefined; readonly name: string },
): Promise<boolean> {
  return await kube.delete({ ...JOB, ...job }, { propagation: "Background" });
}

/** Which downloads to remove. */
export interface PrefetchChoice {
  /** Namespace. */
  readonly namespace: string;
  /** Only those of this model. */
  readonly model?: string | undefined;
  /** Only those into this claim. */
  readonly claim?: string | undefined;
}

/** Removes the Jobs of downloads, whether they run or have ended; returns their names. */
export async function removePrefetchJobs(
  kube: Pick<Kube, "list" | "delete">,
  { namespace, model, claim }: PrefetchChoice,
): Promise<string[]> {
  const jobs = (await listPrefetchJobs(kube, namespace)).filter((job) => {
    const spec = specOf(job);
    return (model === undefined || spec?.model === model) &&
      (claim === undefined || spec?.claim === claim);
  });
  for (const { metadata: { name } } of jobs) await removeJob(kube, { namespace, name });
  return jobs.map(({ metadata }) => metadata.name);
}

const PODS_GONE_MS = 15_000;

/** As {@link removePrefetchJobs}, and waits until their pods have let go of the claims. */
export async function endDownloads(
  ctx: Pick<Context, "clock" | "signal">,
  kube: Pick<Kube, "list" | "delete">,
  choice: PrefetchChoice,
): Promise<string[]> {
  const names = await removePrefetchJobs(kube, choice);
  const end = ctx.clock.monotonic() + PODS_GONE_MS;
  while (names.length > 0 && ctx.clock.monotonic() < end) {
    const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
      namespace: choice.namespace,
      labelSelector: `job-name in (${names.join(",")})`,
    });
    if (items.length === 0) break;
    await ctx.clock.sleep(200, ctx.signal);
  }
  return names;
}
