/**
 * Downloading a model into the shared cache of a cluster: plan, Job, progress, record.
 *
 * @module
 */
import type { Release } from "../../blueprint/types.ts";
import type { Plan, Step } from "../../cli/plan.ts";
import { formatBytes, formatDuration } from "../../cli/text.ts";
import { DYNAMO_REGISTRY } from "../../graph/images.ts";
import type { Kube } from "../../kube/types.ts";
import { ensureHfSecret, HF_SECRET, hfToken } from "../../platform/secrets.ts";
import type { Target } from "../../target/target.ts";
import { ensureClaim } from "./claim.ts";
import { followPrefetch } from "./follow.ts";
import { ensureJob, removeJob } from "./job.ts";
import { noteText, progressText } from "./messages.ts";
import { jobName, type PrefetchSpec, sameSpec } from "./names.ts";
import { prefetchObjects } from "./objects.ts";
import { programFiles } from "./program_files.ts";
import {
  type CachedModel,
  holds,
  jobCondition,
  listCaches,
  listPrefetchJobs,
  modelOf,
  specOf,
  writeRecord,
} from "./records.ts";
import { claimSize, downloadSeconds, memoryRequest, modelBytes } from "./sizes.ts";

/** What the user asks for. */
export interface PrefetchOptions {
  /** `organisation/name`. */
  readonly model: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Name of the claim. */
  readonly claim: string;
  /** Size of a claim that is made; by the model's size unless given. */
  readonly size?: string | undefined;
  /** Storage class of a claim that is made. */
  readonly storageClass?: string | undefined;
  /** Patterns of the files wanted. */
  readonly include: readonly string[];
  /** Patterns of files that are not wanted. */
  readonly exclude: readonly string[];
  /** Downloads at the same time. */
  readonly concurrency: number;
  /** Ask the hub again, and check what is there. */
  readonly force: boolean;
  /** Image of the pod; the release's runtime of vLLM unless given. */
  readonly image?: string | undefined;
  /** Karpenter node pool of the pod. */
  readonly nodePool?: string | undefined;
  /** Memory that the pod asks for; by the model's size unless given. */
  readonly memory?: string | undefined;
  /** Seconds after which the Job is ended; by the model's size unless given. */
  readonly timeout?: number | undefined;
  /** Whether to wait until it is complete. */
  readonly wait: boolean;
}

/** Where to, and by which release. */
export interface PrefetchPlace {
  /** The cluster. */
  readonly target: Target;
  /** Release whose image has the downloader. */
  readonly release: Release;
  /** Connects to the cluster when the first step needs it; a dry run never does. */
  readonly connect: () => Promise<Kube>;
}

/** How it ended; filled by the steps. */
export interface PrefetchOutcome {
  /** `cached` was complete before. */
  state: "complete" | "cached" | "running";
  /** What is in the cache. */
  model?: CachedModel;
}

const START_WITHIN_MS = 30 * 60_000;
// The Job has a deadline of its own; this is the net below it.
const NET_MS = 10 * 60_000;
const NOT_NEEDED = "not needed; --force asks the hub again";

/** Plans a download; reads nothing from the cluster. */
export function planPrefetch(
  place: PrefetchPlace,
  options: PrefetchOptions,
  outcome: PrefetchOutcome,
): Plan {
  const { target, release } = place;
  const { model, revision, claim } = options;
  const bytes = modelBytes(model);
  const seconds = options.timeout ?? downloadSeconds(bytes);
  const memory = options.memory ?? memoryRequest(bytes);
  const size = options.size ?? claimSize(bytes);
  const image = options.image ?? `${DYNAMO_REGISTRY}/vllm-runtime:${release.imageTag}`;
  const run: Run = { place, options, outcome, seconds, memory, size, image };
  return {
    task: "prefetch",
    facts: {
      target: target.kind,
      namespace: target.namespace,
      model: `${model} (${revision})`,
      weights: bytes === undefined ? "of unknown size" : `about ${formatBytes(bytes)}`,
      claim,
      image,
      memory,
      timeout: formatDuration(seconds * 1000),
    },
    warnings: [],
    steps: [
      claimStep(run),
      tokenStep(run),
      jobStep(run),
      ...(options.wait ? [downloadStep(run)] : []),
    ],
  };
}

interface Run {
  readonly place: PrefetchPlace;
  readonly options: PrefetchOptions;
  readonly outcome: PrefetchOutcome;
  readonly seconds: number;
  readonly memory: string;
  readonly size: string;
  readonly image: string;
  spec?: PrefetchSpec;
}

function claimStep(run: Run): Step {
  const { place: { target: { namespace }, connect }, options, size, outcome } = run;
  const { model, revision, claim, include, exclude, storageClass } = options;
  return {
    id: "claim",
    title: "Claim for models",
    touches: [`PersistentVolumeClaim ${namespace}/${claim} (unless it is there: ${size})`],
    deadlineMs: 60_000,
    run: async () => {
      const kube = await connect();
      const used = await ensureClaim(kube, { namespace, name: claim, size, storageClass });
      run.spec = { model, revision, claim, claimUid: used.uid, include, exclude };
      const known = await recordOf(kube, namespace, run.spec);
      if (known === undefined || options.force) return used.said;
      outcome.state = "cached";
      outcome.model = known;
      return `${used.said}; ${model} is complete in it`;
    },
  };
}

/** What the claim holds already; a Job that nobody waited for is written down and goes. */
async function recordOf(
  kube: Kube,
  namespace: string,
  spec: PrefetchSpec,
): Promise<CachedModel | undefined> {
  const { claim } = spec;
  const caches = await listCaches(kube, namespace);
  const found = caches.find((one) => one.claim === claim)?.models.find((one) => holds(one, spec));
  if (found === undefined) return undefined;
  const place = { namespace, claim };
  const job = (await listPrefetchJobs(kube, namespace)).find((one) => {
    const its = specOf(one);
    return its !== undefined && sameSpec(its, spec) && jobCondition(one, "Complete") !== undefined;
  });
  if (job === undefined) return found;
  await writeRecord(kube, place, found);
  await removeJob(kube, { namespace, name: job.metadata.name });
  return found;
}

function tokenStep(run: Run): Step {
  const { target: { namespace }, connect } = run.place;
  return {
    id: "secret",
    title: "Hugging Face token",
    touches: [`Secret ${namespace}/${HF_SECRET} (when HF_TOKEN is set)`],
    deadlineMs: 60_000,
    run: async (ctx) => {
      if (run.outcome.state === "cached") return NOT_NEEDED;
      if (hfToken(ctx) === undefined) return "HF_TOKEN is not set; what the cluster has is used";
      return await ensureHfSecret(ctx, await connect(), { namespace, placeholder: false });
    },
  };
}

function jobStep(run: Run): Step {
  const { place: { target: { namespace }, connect }, options } = run;
  return {
    id: "job",
    title: "Start the download",
    touches: [`Job and ConfigMap in ${namespace}`],
    deadlineMs: 60_000,
    run: async (ctx) => {
      if (run.outcome.state === "cached") return NOT_NEEDED;
      const objects = prefetchObjects({
        namespace,
        spec: run.spec!,
        program: await programFiles(ctx),
        image: run.image,
        concurrency: options.concurrency,
        verify: options.force,
        tokenSecret: HF_SECRET,
        endpoint: ctx.env.get("HF_ENDPOINT"),
        memory: run.memory,
        deadlineSeconds: run.seconds,
        nodePool: options.nodePool,
      });
      const name = objects.job.metadata.name;
      const started = await ensureJob(ctx, await connect(), objects);
      return started === "made" ? `Job ${name}` : `Job ${name} is under way`;
    },
  };
}

function downloadStep(run: Run): Step {
  const { place: { target: { namespace }, connect }, options, outcome } = run;
  const { model } = options;
  return {
    id: "download",
    title: `Download ${model}`,
    touches: [`files of ${model} in claim ${options.claim}`],
    deadlineMs: START_WITHIN_MS + run.seconds * 1000 + NET_MS,
    run: async (ctx, ui) => {
      if (run.outcome.state === "cached") return NOT_NEEDED;
      const kube = await connect();
      const job = jobName(run.spec!);
      const done = await followPrefetch(ctx, kube, {
        namespace,
        job,
        model,
        startWithinMs: START_WITHIN_MS,
        onWaiting: (text) => ui.update(text),
        onMessage: (message) => {
          if (message.prefetch === "progress") ui.update(progressText(message, ctx.ui.redraws));
          const note = noteText(message);
          if (note !== undefined) ctx.ui.info(`  ${note}`);
        },
      });
      const record = modelOf(run.spec!, done, new Date(ctx.clock.now()).toISOString());
      await writeRecord(kube, { namespace, claim: options.claim }, record);
      await removeJob(kube, { namespace, name: job });
      outcome.state = "complete";
      outcome.model = record;
      return `${formatBytes(done.bytes)} in ${done.files} files, commit ${
        done.commit.slice(0, 12)
      }`;
    },
  };
}
