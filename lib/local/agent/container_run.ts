/**
 * What the node agent keeps in mind of one container, and how it finds it again.
 *
 * @module
 */
import type { ProcessIdentity } from "../../cli/context.ts";
import { type AgentParts, kubeTime } from "./agent_parts.ts";
import type { Backoff } from "./backoff.ts";
import { containerFolder, type ProcessRecord, readProcess, readStart } from "./container_files.ts";
import type { ContainerView } from "./pod_status.ts";
import { type Container, type Pod, podUid, type TerminatedState } from "./pod_types.ts";

/** A container of a pod that has been taken on. */
export interface ContainerRun {
  /** As the manifest has it. */
  readonly container: Container;
  /** Whether it runs before the others and ends. */
  readonly init: boolean;
  /** Folder of its records. */
  readonly folder: string;
  /** Folder of its logs. */
  readonly logs: string;
  /** What it does now. */
  state: ContainerView["state"];
  /** How it ended before the last restart. */
  last: TerminatedState | undefined;
  /** Restarts so far. */
  restartCount: number;
  /** Whether its startup is over. */
  started: boolean;
  /** Whether its readiness was seen. */
  ready: boolean;
  /** Parent of its process. */
  shim: ProcessIdentity | undefined;
  /** Number of its process. */
  processId: number | undefined;
  /** Network in which the process runs; empty for the machine's. */
  networkId: string;
  /** Whether there is no process behind it. */
  simulated: boolean;
  /** Ends the probes. */
  health: AbortController | undefined;
  /** When it was told to end and SIGKILL follows; monotonic milliseconds. */
  killAt: number | undefined;
  /** Not before this is it started; monotonic milliseconds. */
  startAt: number;
  /** Since when it waits for others; monotonic milliseconds. */
  waitingSince: number | undefined;
  /** Whether it has run before, so that the next start is a restart. */
  ranBefore: boolean;
  /** State of the back-off. */
  backoff: Backoff;
  /** State of the back-off for pulling its image. */
  pullBackoff: Backoff;
}

// A parent writes its record within a few dozen milliseconds; a machine may be busy.
const FRESH_MS = 3_000;

/** A container that was not known before, or as its records and its pod's status have it. */
export async function adoptContainer(
  parts: AgentParts,
  pod: Pod,
  container: Container,
  { logs, init }: { readonly logs: string; readonly init: boolean },
): Promise<ContainerRun> {
  const { ctx } = parts;
  const folder = containerFolder(parts.config.layout, podUid(pod), container.name);
  const known = [
    ...pod.status?.containerStatuses ?? [],
    ...pod.status?.initContainerStatuses ?? [],
  ].find(({ name }) => name === container.name);
  const start = await readStart(ctx, folder);
  const record = start === undefined ? undefined : await awaitRecord(parts, folder);
  const run: ContainerRun = {
    container,
    init,
    folder,
    logs: `${logs}/${container.name}`,
    state: { kind: "waiting", reason: "ContainerCreating" },
    last: known?.lastState.terminated,
    restartCount: Math.max(start?.restartCount ?? 0, known?.restartCount ?? 0),
    started: known?.started ?? false,
    ready: known?.ready ?? false,
    shim: record?.shim,
    processId: record?.process?.pid,
    networkId: start?.network ?? "",
    simulated: false,
    health: undefined,
    killAt: undefined,
    startAt: 0,
    waitingSince: undefined,
    ranBefore: known?.state.running !== undefined || known?.lastState.terminated !== undefined ||
      start !== undefined,
    backoff: undefined,
    pullBackoff: undefined,
  };
  if (record !== undefined) {
    const startedAt = known?.state.running?.startedAt ??
      kubeTime(ctx, Date.parse(record.startedAt ?? "") || ctx.clock.now());
    run.state = { kind: "running", startedAt };
  } else if (known?.state.terminated !== undefined) {
    run.state = { kind: "terminated", end: known.state.terminated };
  } else if (known?.state.running !== undefined && known.containerID === undefined) {
    // Without a process there is nothing that could have ended meanwhile.
    run.simulated = true;
    run.state = { kind: "running", startedAt: known.state.running.startedAt };
  }
  return run;
}

/** The record of the last start; a process that was started a moment ago is about to write it. */
async function awaitRecord(
  { ctx }: AgentParts,
  folder: string,
): Promise<ProcessRecord | undefined> {
  const { mtime } = await ctx.fs.stat(`${folder}/start.json`);
  const end = (mtime?.getTime() ?? 0) + FRESH_MS;
  for (;;) {
    const record = await readProcess(ctx, folder);
    if (record !== undefined || ctx.clock.now() > end) return record;
    await ctx.clock.sleep(50, ctx.signal);
  }
}

/** The container as its pod's status shows it. */
export function viewOf(run: ContainerRun): ContainerView {
  return {
    name: run.container.name,
    image: run.container.image ?? "",
    state: run.state,
    ...(run.last === undefined ? {} : { last: run.last }),
    restartCount: run.restartCount,
    started: run.started,
    ready: run.ready,
    ...(run.processId === undefined ? {} : { processId: run.processId }),
  };
}
