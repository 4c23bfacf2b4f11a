/**
 * What the node agent keeps in mind of one container, and how it finds it again.
 *
 * @module
 */
import type { ProcessIdentity } from "../../cli/context.ts";
import { type AgentParts, kubeTime } from "./agent_parts.ts";
import type { Backoff } from "./backoff.ts";
import { containerFolder, readProcess, readStart } from "./container_files.ts";
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
}

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
  const record = await readProcess(ctx, folder);
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
  };
  if (known?.state.terminated !== undefined && start === undefined) {
    run.state = { kind: "terminated", end: known.state.terminated };
    run.ranBefore = true;
  } else if (record !== undefined) {
    const startedAt = known?.state.running?.startedAt ??
      kubeTime(ctx, Date.parse(record.startedAt ?? "") || ctx.clock.now());
    run.state = { kind: "running", startedAt };
  }
  return run;
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
