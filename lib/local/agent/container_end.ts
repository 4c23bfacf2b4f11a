/**
 * Ends a container, and decides what follows when it has ended.
 *
 * @module
 */
import { formatDuration } from "../../cli/text.ts";
import { type AgentParts, kubeTime } from "./agent_parts.ts";
import { nextBackoff } from "./backoff.ts";
import type { ExitRecord } from "./container_files.ts";
import { signalProcess } from "./container_process.ts";
import type { ContainerRun } from "./container_run.ts";
import { unknownEnd, whatEnded } from "./container_texts.ts";
import { type Pod, podName, podUid } from "./pod_types.ts";

/** Tells a container to end; SIGKILL follows after the grace. */
export async function stopContainer(
  parts: AgentParts,
  run: ContainerRun,
  graceMs: number,
): Promise<void> {
  run.health?.abort();
  run.ready = false;
  run.killAt = parts.ctx.clock.monotonic() + graceMs;
  await signalProcess(parts.ctx, run.folder, "SIGTERM", run.shim);
}

/** Sends SIGKILL when the grace is over; returns when to look again, undefined when not ending. */
export async function killWhenDue(
  parts: AgentParts,
  run: ContainerRun,
): Promise<number | undefined> {
  if (run.killAt === undefined) return undefined;
  const left = run.killAt - parts.ctx.clock.monotonic();
  if (left > 0) return left;
  await signalProcess(parts.ctx, run.folder, "SIGKILL", run.shim);
  return 100;
}

/**
 * What follows from the end of a container's process.
 *
 * @param exit How it ended, when somebody saw it.
 * @param final Whether the pod ends with it.
 */
export function containerEnded(
  parts: AgentParts,
  run: ContainerRun,
  pod: Pod,
  exit: ExitRecord | undefined,
  final = false,
): void {
  const { ctx, events } = parts;
  const startedAt = run.state.kind === "running" ? run.state.startedAt : kubeTime(ctx);
  const end = exit === undefined
    ? unknownEnd(startedAt, kubeTime(ctx), run.processId)
    : whatEnded(exit, run.processId);
  run.health?.abort();
  run.health = undefined;
  run.killAt = undefined;
  run.shim = undefined;
  run.processId = undefined;
  run.started = false;
  run.ready = false;
  ctx.ui.info(`${podName(pod)}: ${run.container.name} ended with ${end.exitCode}`);
  const policy = pod.spec.restartPolicy ?? "Always";
  const again = run.init || policy === "Always" || (policy === "OnFailure" && end.exitCode !== 0);
  if (!again || final) {
    run.state = { kind: "terminated", end };
    return;
  }
  run.last = end;
  const ranMs = Date.parse(end.finishedAt ?? "") - Date.parse(end.startedAt ?? "");
  // What nobody saw ending, ended with the machine or the agent: not its own fault.
  const step = exit === undefined
    ? { waitMs: 0, next: run.backoff }
    : nextBackoff(run.backoff, Number.isNaN(ranMs) ? 0 : ranMs, parts.backoff);
  run.backoff = step.next;
  run.startAt = ctx.clock.monotonic() + step.waitMs;
  if (step.waitMs === 0) {
    run.state = { kind: "waiting", reason: "ContainerCreating" };
    return;
  }
  const about = `container=${run.container.name} pod=${podName(pod)}(${podUid(pod)})`;
  run.state = {
    kind: "waiting",
    reason: "CrashLoopBackOff",
    message: `back-off ${formatDuration(step.waitMs)} restarting failed ${about}`,
  };
  events.report(pod, {
    type: "Warning",
    reason: "BackOff",
    message: `Back-off restarting failed container ${run.container.name} in pod ${podName(pod)}`,
    container: run.container.name,
  });
}
