/**
 * Follows a download to its end: the Job's conditions decide, its pods' logs tell how far it is.
 *
 * @module
 */
import { type Context, withContext } from "../../cli/context.ts";
import { interruptedError, messageOf, TaskError, timeoutError } from "../../cli/errors.ts";
import { evidence } from "../../kube/events.ts";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { prefetchError } from "./failures.ts";
import { type Done, type Failed, type Message, readMessage } from "./messages.ts";
import { DOWNLOAD_CONTAINER } from "./objects.ts";
import { doneOf, jobCondition } from "./records.ts";
import { startTrouble } from "./start_trouble.ts";

/** What is followed. */
export interface FollowOptions {
  /** Namespace of the Job. */
  readonly namespace: string;
  /** Name of the Job. */
  readonly job: string;
  /** The model, for messages. */
  readonly model: string;
  /** Milliseconds until a pod has to run. */
  readonly startWithinMs: number;
  /** Called with what a pod says. */
  readonly onMessage: (message: Message) => void;
  /** Called with what it waits for while no pod runs. */
  readonly onWaiting: (text: string) => void;
}

const JOB = { apiVersion: "batch/v1", kind: "Job" } as const;
const POD = { apiVersion: "v1", kind: "Pod" } as const;
const LOG_RETRY_MS = 500;
const LOOK_MS = 2_000;
// A pod's last lines may come a moment after the Job's end is known.
const LAST_LINES_MS = 3_000;

/**
 * Follows it.
 *
 * @throws {TaskError} PREFETCH_<code> for what the program reported, PREFETCH_FAILED,
 * PREFETCH_TIMEOUT (exit code 4), PREFETCH_START (a pod cannot start), PREFETCH_START_TIMEOUT (exit
 * code 4), PREFETCH_GONE (somebody removed the Job), PREFETCH_SILENT, INTERRUPTED.
 */
export async function followPrefetch(
  ctx: Context,
  kube: Kube,
  options: FollowOptions,
): Promise<Done> {
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const inner = withContext(ctx, { signal });
  const heard: Heard = { readers: new Map(), pods: new Map(), began: false };
  const end = Promise.withResolvers<KubeObject | "gone">();
  const running = [
    watchJob(kube, options, signal, end.resolve),
    watchPods(inner, kube, options, heard),
    watchStart(inner, kube, options, heard),
  ];
  try {
    const failed = Promise.all(running).then(() => Promise.reject(interruptedError()));
    failed.catch(() => {});
    const job = await Promise.race([end.promise, failed]);
    if (job === "gone") throw goneError(options);
    await Promise.race([
      Promise.all([...heard.readers.values()]),
      ctx.clock.sleep(LAST_LINES_MS, ctx.signal),
    ]);
    return await outcome(kube, options, job, heard);
  } finally {
    stop.abort();
    await Promise.allSettled([...running, ...heard.readers.values()]);
  }
}

interface Heard {
  /** Readers of logs by pod. */
  readonly readers: Map<string, Promise<void>>;
  /** The pods as they were seen last. */
  readonly pods: Map<string, KubeObject>;
  /** Whether a pod has run. */
  began: boolean;
  done?: Done;
  failed?: Failed;
}

async function watchJob(
  kube: Kube,
  { namespace, job }: FollowOptions,
  signal: AbortSignal,
  ended: (job: KubeObject | "gone") => void,
): Promise<void> {
  let seen = false;
  const look = (one: KubeObject | undefined) => {
    if (one === undefined) return seen ? ended("gone") : undefined;
    seen = true;
    if (jobCondition(one, "Complete") ?? jobCondition(one, "Failed")) ended(one);
  };
  const watch = kube.watch(JOB, { namespace, fieldSelector: `metadata.name=${job}`, signal });
  for await (const event of watch) {
    if (event.type === "SYNC") look(event.items[0]);
    else if (event.type === "DELETED") ended("gone");
    else look(event.object);
  }
}

async function watchPods(
  ctx: Context,
  kube: Kube,
  options: FollowOptions,
  heard: Heard,
): Promise<void> {
  const { namespace, job } = options;
  const see = (pod: KubeObject) => {
    const { name } = pod.metadata;
    heard.pods.set(name, pod);
    const state = containerState(pod);
    if (state?.running === undefined && state?.terminated === undefined) return;
    heard.began = true;
    if (heard.readers.has(name)) return;
    heard.readers.set(name, readLog(ctx, kube, options, name, heard));
  };
  const labelSelector = `job-name=${job}`;
  for await (const event of kube.watch(POD, { namespace, labelSelector, signal: ctx.signal })) {
    if (event.type === "SYNC") event.items.forEach(see);
    else if (event.type === "DELETED") heard.pods.delete(event.object.metadata.name);
    else see(event.object);
  }
}

/** Reads a pod's log to its end, across broken connections; lines that come twice do no harm. */
async function readLog(
  ctx: Context,
  kube: Kube,
  { namespace, onMessage }: FollowOptions,
  name: string,
  heard: Heard,
): Promise<void> {
  let again = false;
  while (!ctx.signal.aborted) {
    try {
      const lines = kube.logs({ name, namespace }, {
        container: DOWNLOAD_CONTAINER,
        follow: true,
        ...(again ? { tailLines: 20 } : {}),
        signal: ctx.signal,
      });
      for await (const line of lines) {
        const message = readMessage(line);
        if (message === undefined) {
          ctx.ui.debug(`${name}: ${line}`);
          continue;
        }
        if (message.prefetch === "done") heard.done = message;
        if (message.prefetch === "failed") heard.failed = message;
        onMessage(message);
      }
    } catch (error) {
      if (ctx.signal.aborted) return;
      ctx.ui.debug(`log of ${name}: ${messageOf(error)}; opening it anew`);
    }
    const pod = heard.pods.get(name);
    if (pod === undefined || containerState(pod)?.running === undefined) return;
    again = true;
    await ctx.clock.sleep(LOG_RETRY_MS, ctx.signal).catch(() => {});
  }
}

/** Ends the wait for the first pod when it cannot start, or does not in time. */
async function watchStart(
  ctx: Context,
  kube: Kube,
  options: FollowOptions,
  heard: Heard,
): Promise<void> {
  const begin = ctx.clock.monotonic();
  const trouble = startTrouble(kube, options.namespace);
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(LOOK_MS, ctx.signal).catch(() => {});
    if (heard.began || ctx.signal.aborted) return await forever(ctx.signal);
    const found = await trouble.look([...heard.pods.values()], ctx.clock.monotonic());
    options.onWaiting(found.text);
    const waited = ctx.clock.monotonic() - begin;
    if (found.final === undefined && waited < options.startWithinMs) continue;
    const lines = await linesAbout(kube, options);
    if (found.final === undefined) {
      throw timeoutError(
        "PREFETCH_START_TIMEOUT",
        `No pod of Job ${options.job} ran within ${Math.round(waited / 1000)} s: ${found.text}`,
        {
          hint: "The Job goes on; run it again to wait for it, or with --stop to end it.",
          evidence: lines,
        },
      );
    }
    throw new TaskError({
      code: "PREFETCH_START",
      message: `The download of ${options.model} cannot start: ${found.final.cause}`,
      hint: found.final.hint,
      evidence: lines,
    });
  }
}

function forever(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function outcome(
  kube: Kube,
  options: FollowOptions,
  job: KubeObject,
  heard: Heard,
): Promise<Done> {
  const failed = jobCondition(job, "Failed");
  if (failed !== undefined) {
    throw prefetchError({
      model: options.model,
      reason: failed["reason"] ?? "Failed",
      message: failed["message"] ?? "",
      failed: heard.failed,
      evidence: await linesAbout(kube, options),
    });
  }
  const done = heard.done ?? await doneOf(kube, job);
  if (done !== undefined) return done;
  throw new TaskError({
    code: "PREFETCH_SILENT",
    message: `Job ${options.job} is complete, and its log does not say of what`,
    hint: "Run it again: what is there is only looked at.",
    evidence: await linesAbout(kube, options),
  });
}

async function linesAbout(
  kube: Kube,
  { namespace, job }: FollowOptions,
): Promise<readonly string[]> {
  const lines = await evidence(kube, {
    namespace,
    labelSelector: `job-name=${job}`,
    objects: [{ ...JOB, namespace, name: job }],
  });
  // The program's own lines are told in words.
  return lines.filter((line) => !line.includes('{"prefetch":'));
}

function goneError({ namespace, job, model }: FollowOptions): TaskError {
  return new TaskError({
    code: "PREFETCH_GONE",
    message: `Job ${namespace}/${job} was removed while ${model} was downloaded`,
    hint: "Run it again: it goes on where it stopped.",
  });
}

interface ContainerState {
  readonly running?: unknown;
  readonly terminated?: unknown;
}

function containerState(pod: KubeObject): ContainerState | undefined {
  return pod["status"]?.containerStatuses?.[0]?.state;
}
