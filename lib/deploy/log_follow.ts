/**
 * Following the logs of a graph: across restarts of containers, new pods, and an API server that
 * goes away for a while.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import type { Kube, KubeObject, LogOptions } from "../kube/types.ts";
import { containersOf } from "./diagnosis/objects.ts";
import { componentObjects } from "./graph_state.ts";
import { graphKinds } from "./graphs.ts";
import { followObjects } from "./live_objects.ts";
import { logPosition, type PodLine, timedLine } from "./log_lines.ts";

/** The container of Dynamo's pods that serves. */
export const MAIN_CONTAINER = "main";

// How long a log may go on after its container has ended, or its pod is gone.
const DRAIN_MS = 500;
const FIRST_WAIT_MS = 250;
const MOST_WAIT_MS = 5_000;

/** Options of {@link followGraphLogs}. */
export interface FollowLogOptions {
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly name: string;
  /** API version in which the graph is read. */
  readonly apiVersion: string;
  /** Which components. */
  readonly wanted: (component: string) => boolean;
  /** How much of the logs of pods that are there at the start; all of others'. */
  readonly first: Pick<LogOptions, "tailLines" | "sinceSeconds">;
  /** Ends it without an error. */
  readonly signal: AbortSignal;
  /** Called with each line. */
  readonly onLine: (line: PodLine) => void;
}

/** What a watch says of a pod's container. */
interface ContainerMoment {
  /** Which start of it this is, from 0; undefined before the first one. */
  readonly start: number | undefined;
  /** Whether it runs. */
  readonly running: boolean;
}

interface FollowedPod {
  moment: ContainerMoment;
  /** Whether the pod is no longer there. */
  gone: boolean;
  /** Tells the reader that `moment` or `gone` changed. */
  changed: () => void;
  done: Promise<void>;
}

/** Follows until the signal, or until the graph and its pods are gone. */
export async function followGraphLogs(
  ctx: Context,
  kube: Kube,
  options: FollowLogOptions,
): Promise<void> {
  const { namespace, signal } = options;
  const pods = new Map<string, FollowedPod>();
  let first = true;
  const snapshots = followObjects(kube, {
    kinds: graphKinds(options.apiVersion),
    namespace,
    signal,
    onRetry: (reason) => ctx.ui.debug(`The watch starts again: ${reason}`),
  });
  for await (const snapshot of snapshots) {
    const graph = snapshot.graphs.find((one) => one.metadata.name === options.name);
    const found = new Map<string, { component: string; pod: KubeObject }>();
    for (const component of graph === undefined ? [] : componentObjects({ ...snapshot, graph })) {
      if (!options.wanted(component.name)) continue;
      for (const pod of component.pods) {
        found.set(podKey(pod), { component: component.name, pod });
      }
    }
    const there = new Set(snapshot.pods.map(podKey));
    for (const [key, { component, pod }] of found) {
      const known = pods.get(key);
      if (known === undefined) {
        const source = { component, pod: pod.metadata.name };
        pods.set(
          key,
          startPod(ctx, kube, { ...options, source, pod, first: first ? options.first : {} }),
        );
      }
    }
    for (const pod of snapshot.pods) {
      const known = pods.get(podKey(pod));
      if (known !== undefined) note(known, { moment: containerMoment(pod) });
    }
    for (const [key, known] of pods) if (!there.has(key)) note(known, { gone: true });
    first = false;
    if (graph === undefined && [...pods.values()].every((known) => known.gone)) break;
  }
  await Promise.all([...pods.values()].map(({ done }) => done));
}

// A pod that is made again under its name, as a StatefulSet's, is another one.
function podKey({ metadata }: KubeObject): string {
  return `${metadata.name}/${metadata.uid ?? ""}`;
}

function note(pod: FollowedPod, news: Partial<Pick<FollowedPod, "moment" | "gone">>): void {
  Object.assign(pod, news);
  pod.changed();
}

function containerMoment(pod: KubeObject): ContainerMoment {
  const main = containersOf(pod).find(({ name, init }) => !init && name === MAIN_CONTAINER);
  if (main === undefined) return { start: undefined, running: false };
  const { state = {}, lastState = {}, restartCount = 0 } = main.status;
  const running = state.running !== undefined;
  if (running || state.terminated !== undefined) return { start: restartCount, running };
  // Waiting for its next start: the log is still that of the one before.
  return { start: lastState.terminated === undefined ? undefined : restartCount, running };
}

interface PodReading extends FollowLogOptions {
  readonly source: { readonly component: string; readonly pod: string };
  readonly pod: KubeObject;
}

function startPod(ctx: Context, kube: Kube, options: PodReading): FollowedPod {
  const pod: FollowedPod = {
    moment: containerMoment(options.pod),
    gone: false,
    changed: () => {},
    done: Promise.resolve(),
  };
  pod.done = readPod(ctx, kube, options, pod);
  return pod;
}

/** Reads each start of the container to its end, in turn. */
async function readPod(
  ctx: Context,
  kube: Kube,
  { namespace, source, signal, first, onLine }: PodReading,
  pod: FollowedPod,
): Promise<void> {
  const position = logPosition();
  const read = async (more: LogOptions) => {
    position.rewind();
    const { sinceTime } = position;
    const lines = kube.logs({ name: source.pod, namespace }, {
      container: MAIN_CONTAINER,
      timestamps: true,
      ...(sinceTime === undefined ? first : { sinceTime }),
      ...more,
    });
    for await (const line of lines) {
      const timed = timedLine(line);
      if (position.take(timed)) onLine({ ...source, line: timed.text, time: timed.time });
    }
  };
  let failures = 0;
  let reading: number | undefined;
  let finished: number | undefined;
  while (!signal.aborted) {
    const { start, running } = pod.moment;
    if (start === undefined || start === finished) {
      if (pod.gone) return;
      await change(pod, signal);
      continue;
    }
    if (reading !== undefined && reading !== start) {
      // What the start before said after the connection was lost, or while nobody looked.
      await read({ previous: true, signal }).catch(() => {});
    }
    reading = start;
    const stop = new AbortController();
    const until = AbortSignal.any([signal, stop.signal]);
    const isOver = () => pod.gone || pod.moment.start !== start || !pod.moment.running;
    // Not every node ends a followed log with its container: the watch says when it has ended.
    const watched = running
      ? untilOver(ctx, pod, { isOver, signal: until }).then(() => stop.abort())
      : undefined;
    try {
      await read({ follow: running, signal: until });
      failures = 0;
    } catch (error) {
      if (signal.aborted || pod.gone) return;
      // Who has lost the API server has to hear it once, not at each try.
      if (failures++ === 0) ctx.ui.warn(`${source.pod}: ${messageOf(error)}; trying again`);
    } finally {
      stop.abort();
      await watched;
    }
    if (pod.gone) return;
    if (failures === 0 && isOver()) finished = start;
    else {
      const wait = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 5));
      await ctx.clock.sleep(wait, signal).catch(() => {});
    }
  }
}

async function untilOver(
  ctx: Context,
  pod: FollowedPod,
  { isOver, signal }: { readonly isOver: () => boolean; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted && !isOver()) await change(pod, signal);
  await ctx.clock.sleep(DRAIN_MS, signal).catch(() => {});
}

function change(pod: FollowedPod, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    pod.changed = done;
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
}
