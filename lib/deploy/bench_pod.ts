/**
 * The pod of a benchmark that runs in the cluster: waits until it runs, and notices its end.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, TaskError, timeoutError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import { eventLines, explainPod } from "../kube/events.ts";
import type { Kube, KubeObject } from "../kube/types.ts";

/** A pod that runs, or has run. */
export interface BenchPod extends AsyncDisposable {
  /** Name of the pod. */
  readonly name: string;
  /** Name of its node. */
  readonly node: string;
  /** Aborted when its container has ended or the pod is gone. */
  readonly ended: AbortSignal;
}

/** Which pod, and how long to wait. */
export interface BenchPodOptions {
  /** Namespace of the Job. */
  readonly namespace: string;
  /** Name of the Job. */
  readonly job: string;
  /** Shows what it waits for. */
  readonly step: StepUi;
  /** Milliseconds; five minutes unless given, as a node may have to be made and an image pulled. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 300_000;
// These do not mend themselves within a benchmark's patience.
const HOPELESS = [
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerError",
  "RunContainerError",
];

/**
 * Waits until the pod's container runs or has ended. Dispose of it to stop watching.
 *
 * @throws {TaskError} BENCH_POD when it cannot start, BENCH_POD_TIMEOUT (exit code 4) when it does not, both
 * with its events; INTERRUPTED.
 */
export async function waitForBenchPod(
  ctx: Context,
  kube: Kube,
  options: BenchPodOptions,
): Promise<BenchPod> {
  const { namespace, job, step, timeoutMs = TIMEOUT_MS } = options;
  const ended = new AbortController();
  const stop = new AbortController();
  const started = Promise.withResolvers<KubeObject>();
  let last: KubeObject | undefined;
  let runs = false;
  const see = (pod: KubeObject) => {
    last = pod;
    step.update(phaseText(pod));
    const trouble = waiting(pod);
    if (trouble?.reason !== undefined && HOPELESS.includes(trouble.reason)) {
      started.reject(new Hopeless(`${trouble.reason}, ${trouble.message ?? ""}`));
    }
    if (isOver(pod)) ended.abort();
    if (isOver(pod) || stateOf(pod)?.running !== undefined) started.resolve(pod);
  };
  const watching = (async () => {
    const signal = AbortSignal.any([ctx.signal, stop.signal]);
    const watch = kube.watch({ apiVersion: "v1", kind: "Pod" }, {
      namespace,
      labelSelector: `job-name=${job}`,
      signal,
    });
    for await (const event of watch) {
      if (event.type === "DELETED") ended.abort();
      else if (event.type !== "SYNC") see(event.object);
      else {
        event.items.forEach(see);
        if (event.items.length === 0 && last !== undefined) ended.abort();
      }
    }
  })();
  const deadline = ctx.clock.sleep(timeoutMs, AbortSignal.any([ctx.signal, stop.signal]));
  try {
    const pod = await Promise.race([
      started.promise,
      watching.then(() => Promise.reject(interruptedError())),
      deadline.then(() => Promise.reject(new Hopeless(undefined))),
    ]);
    runs = true;
    return {
      name: pod.metadata.name,
      node: pod["spec"]?.nodeName ?? "",
      ended: ended.signal,
      async [Symbol.asyncDispose]() {
        stop.abort();
        await watching.catch(() => {});
      },
    };
  } catch (error) {
    if (ctx.signal.aborted) throw interruptedError();
    if (!(error instanceof Hopeless)) throw error;
    throw await startError(kube, options, { pod: last, why: error.why, timeoutMs });
  } finally {
    started.promise.catch(() => {});
    deadline.catch(() => {});
    if (!runs) stop.abort();
  }
}

class Hopeless extends Error {
  readonly why: string | undefined;

  /** Without a reason it is the deadline. */
  constructor(why: string | undefined) {
    super(why);
    this.why = why;
  }
}

interface StartFailure {
  readonly pod: KubeObject | undefined;
  readonly why: string | undefined;
  readonly timeoutMs: number;
}

async function startError(
  kube: Kube,
  { namespace, job }: BenchPodOptions,
  { pod, why, timeoutMs }: StartFailure,
): Promise<TaskError> {
  const jobRef = { apiVersion: "batch/v1", kind: "Job", namespace, name: job };
  const evidence = [
    `job ${job}`,
    ...await eventLines(kube, jobRef),
    ...(pod === undefined
      ? ["it has no pod"]
      : await explainPod(kube, { namespace, name: pod.metadata.name })),
  ];
  const hint = why !== undefined && /image/i.test(why)
    ? "--client-image names the image in a registry that the nodes can reach; it needs deno on its PATH."
    : "The client asks for 2 CPUs and 512 MiB on a node without taints; without --in-cluster it runs here.";
  if (why !== undefined) {
    return new TaskError({
      code: "BENCH_POD",
      message: `The benchmark's pod cannot start: ${why}`,
      hint,
      evidence,
    });
  }
  return timeoutError(
    "BENCH_POD_TIMEOUT",
    `The benchmark's pod did not start within ${Math.round(timeoutMs / 1000)} s`,
    { hint, evidence },
  );
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: unknown;
  readonly terminated?: unknown;
}

function stateOf(pod: KubeObject): ContainerState | undefined {
  return pod["status"]?.containerStatuses?.[0]?.state;
}

function waiting(pod: KubeObject): ContainerState["waiting"] {
  return stateOf(pod)?.waiting;
}

function isOver(pod: KubeObject): boolean {
  return stateOf(pod)?.terminated !== undefined || pod.metadata.deletionTimestamp !== undefined ||
    ["Succeeded", "Failed"].includes(pod["status"]?.phase);
}

function phaseText(pod: KubeObject): string {
  const unscheduled = (pod["status"]?.conditions ?? []).find(
    (one: { type: string; status: string }) =>
      one.type === "PodScheduled" && one.status === "False",
  );
  if (unscheduled !== undefined) return `Pending: ${unscheduled.message ?? unscheduled.reason}`;
  const reason = waiting(pod)?.reason;
  return reason ?? String(pod["status"]?.phase ?? "Pending");
}
