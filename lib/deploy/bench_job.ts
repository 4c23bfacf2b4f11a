/**
 * A benchmark that runs inside the cluster: the load generator as a Job in the graph's namespace,
 * its results streamed back.
 *
 * @module
 */
import { benchConfig } from "../bench/config.ts";
import { type AskPod, followWatch, type WatchFollower } from "../bench/job/far_watch.ts";
import { encodeJob, JOB_ENV, plainOptions } from "../bench/job/job_file.ts";
import { type JobObjects, jobObjects } from "../bench/job/objects.ts";
import { jobSources } from "../bench/job/source_files.ts";
import { followJob } from "../bench/job/stream.ts";
import type { BenchOptions } from "../bench/options.ts";
import type { BenchSummary } from "../bench/summary.ts";
import { type Context, withContext } from "../cli/context.ts";
import { interruptedError, messageOf, usageError } from "../cli/errors.ts";
import { formatBytes } from "../cli/text.ts";
import type { Kube, KubeObject, OwnerReference } from "../kube/types.ts";
import { openTarget, type Target } from "../target/target.ts";
import { type BenchPod, waitForBenchPod } from "./bench_pod.ts";
import { askPod, measureTunnel } from "./bench_tunnel.ts";
import { FRONTEND_PORT } from "./frontend.ts";

/** Where the load generator runs, and what it measures. */
export interface BenchJobPlace {
  /** The cluster. */
  readonly target: Target;
  /** A connection to it. */
  readonly kube: Kube;
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly graph: string;
  /** Name of its HTTP Service. */
  readonly service: string;
  /** Image with `deno` on its PATH. */
  readonly image: string;
  /** Whether the tunnel's tax is measured after the run. */
  readonly tunnelTax: boolean;
}

/** Longest run without a duration of its own. */
const LONGEST_SECONDS = 6 * 3600;
// Probes, calibration, connections, the warm-up, and the tunnel's tax.
const AROUND_SECONDS = 900;
const MOST_BYTES = 8_000_000;
const REMOVE_MS = 20_000;
const ANSWER_MS = 10_000;
const RETRY_MS = 100;
const LONGEST_NAME = 40;

/**
 * Runs a benchmark in the cluster, as `runBench` runs it here. All that was made for it is removed
 * again, also when it fails or is interrupted.
 *
 * @throws {TaskError} what `runBench` throws there; BENCH_OPTIONS (exit code 2) for a file of
 * prompts that is too large; BENCH_POD, BENCH_POD_TIMEOUT, BENCH_JOB_LOST, BENCH_JOB_SILENT.
 */
export async function benchInCluster(
  ctx: Context,
  place: BenchJobPlace,
  options: Omit<BenchOptions, "url">,
): Promise<BenchSummary> {
  const { kube, namespace } = place;
  const name = `bench-${place.graph.slice(0, LONGEST_NAME)}-${crypto.randomUUID().slice(0, 6)}`;
  const objects = await objectsOf(ctx, place, name, options);
  try {
    await using pod = await startPod(ctx, kube, objects);
    const where = { name: pod.name, namespace };
    const watching = options.server === undefined
      ? undefined
      : followWatch(ctx, options.server, asker(ctx, kube, where));
    const measured = await followJob(ctx, kube, {
      pod: where,
      ended: pod.ended,
      onWatch: watching?.hear,
      onProgress: (progress) => options.onProgress?.(progress),
      onRequests: (records) => options.onRequests?.(records),
    });
    const summary = await withWatch(measured, watching);
    if (!place.tunnelTax) return summary;
    return await withTax(ctx, place, { pod: pod.name, options, summary });
  } finally {
    await options.server?.close();
    await remove(ctx, place.target, [
      objects.job,
      ...objects.owned({ apiVersion: "", kind: "", name: "", uid: "" }),
    ]);
  }
}

async function startPod(ctx: Context, kube: Kube, objects: JobObjects): Promise<BenchPod> {
  const { name, namespace = "default" } = objects.job.metadata;
  const step = ctx.ui.step("Start the client in the cluster");
  try {
    await create(kube, objects);
    const pod = await waitForBenchPod(ctx, kube, { namespace, job: name, step });
    step.done(`${namespace}/${pod.name} on ${pod.node}`);
    return pod;
  } catch (error) {
    step.fail();
    throw error;
  }
}

async function objectsOf(
  ctx: Context,
  place: BenchJobPlace,
  name: string,
  options: Omit<BenchOptions, "url">,
): Promise<JobObjects> {
  const { namespace, graph, service, image } = place;
  const url = `http://${service}.${namespace}.svc.cluster.local:${FRONTEND_PORT}`;
  // What is wrong with the options shows before anything is made.
  const { durationMs, graceMs } = benchConfig(ctx, { ...options, url });
  const job = encodeJob({
    options: plainOptions(options),
    blocks: place.tunnelTax,
    watched: options.server !== undefined,
  });
  if (job.length > MOST_BYTES) {
    throw usageError(
      "BENCH_OPTIONS",
      `The prompts have ${formatBytes(job.length)} (compressed), and a cluster takes ${
        formatBytes(MOST_BYTES)
      } beside a Job`,
      "Use a part of the file, or run without --in-cluster.",
    );
  }
  const { apiKey, headers = {} } = options;
  return jobObjects({
    name,
    namespace,
    graph,
    image,
    url,
    sources: await jobSources(ctx),
    job,
    secrets: {
      ...(apiKey === undefined ? {} : { [JOB_ENV.apiKey]: apiKey }),
      ...(Object.keys(headers).length === 0 ? {} : { [JOB_ENV.headers]: JSON.stringify(headers) }),
    },
    deadlineSeconds: durationMs === undefined
      ? LONGEST_SECONDS
      : Math.ceil((durationMs + graceMs) / 1000) + AROUND_SECONDS,
  });
}

// The Job first: what it owns goes with it, whatever becomes of this task.
async function create(kube: Kube, { job, owned }: JobObjects): Promise<void> {
  const made = await kube.create(job);
  const { apiVersion, kind, metadata: { name, namespace, uid = "" } } = made;
  const owner: OwnerReference = { apiVersion, kind, name, uid };
  for (const object of owned(owner)) await kube.create(object);
  await kube.patch({ apiVersion, kind, name, namespace }, "merge", { spec: { suspend: false } });
}

// With a connection of its own: after Ctrl-C the task's does nothing any more.
async function remove(
  ctx: Context,
  target: Target,
  objects: readonly KubeObject[],
): Promise<void> {
  const signal = AbortSignal.timeout(REMOVE_MS);
  try {
    const kube = await openTarget(withContext(ctx, { signal }), target);
    try {
      for (const { apiVersion, kind, metadata: { name, namespace } } of objects) {
        await kube.delete({ apiVersion, kind, name, namespace }, { propagation: "Background" });
      }
    } finally {
      kube.close();
    }
  } catch (error) {
    const { name, namespace } = objects[0]!.metadata;
    ctx.ui.warn(
      `Job ${namespace}/${name} could not be removed: ${messageOf(error)}. It goes by itself an ` +
        "hour after its end, or with deno task cleanup <graph>.",
    );
  }
}

/** Reaches the pod's control port, which opens a moment after the pod has said why. */
function asker(ctx: Context, kube: Kube, pod: { name: string; namespace: string }): AskPod {
  return async (request) => {
    const end = ctx.clock.monotonic() + ANSWER_MS;
    for (;;) {
      try {
        return await askPod(ctx, kube, { pod, request, timeoutMs: ANSWER_MS });
      } catch (error) {
        if (ctx.signal.aborted || ctx.clock.monotonic() > end) throw error;
        await ctx.clock.sleep(RETRY_MS, ctx.signal);
      }
    }
  };
}

// The run counts whatever became of the watch over the server.
async function withWatch(
  summary: BenchSummary,
  watching: WatchFollower | undefined,
): Promise<BenchSummary> {
  const problem = await watching?.done();
  if (problem === undefined) return summary;
  const warning = `the server's metrics could not be read: ${problem}`;
  return { ...summary, server: null, warnings: [...summary.warnings, warning] };
}

interface TaxInput {
  readonly pod: string;
  readonly options: Omit<BenchOptions, "url">;
  readonly summary: BenchSummary;
}

// The run counts whatever becomes of the tax.
async function withTax(ctx: Context, place: BenchJobPlace, input: TaxInput): Promise<BenchSummary> {
  const { summary } = input;
  const step = ctx.ui.step("Measure what the tunnel from here would add");
  try {
    const tunnel = await measureTunnel(ctx, place, input);
    step.done();
    return { ...summary, tunnel };
  } catch (error) {
    step.fail(messageOf(error));
    if (ctx.signal.aborted) throw interruptedError();
    const warning = `the tunnel's tax could not be measured: ${messageOf(error)}`;
    return { ...summary, warnings: [...summary.warnings, warning] };
  }
}
