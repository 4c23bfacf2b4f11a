/**
 * A pod in a few words.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";

/** How far a pod is on its way to being ready. */
export type PodStage =
  /** It has no node. */
  | "unscheduled"
  /** It has a node; its images are being pulled, its volumes mounted. */
  | "pulling"
  /** Its process runs and loads, or waits to be started again. */
  | "loading"
  /** It takes traffic. */
  | "ready"
  /** It is being deleted. */
  | "stopping";

/** One pod as it is. */
export interface PodState {
  /** Name of the pod. */
  readonly name: string;
  /** Node it is bound to; undefined before. */
  readonly node: string | undefined;
  /** Phase as Kubernetes has it. */
  readonly phase: string;
  /** How far it is. */
  readonly stage: PodStage;
  /** Whether its Ready condition is true. */
  readonly ready: boolean;
  /** Whether it is being deleted. */
  readonly terminating: boolean;
  /** Restarts of all containers together. */
  readonly restarts: number;
  /** When it was created, ISO 8601. */
  readonly createdAt: string;
  /** Why it is not ready: `CrashLoopBackOff`, `Insufficient nvidia.com/gpu`; empty when it is. */
  readonly phrase: string;
}

/** Reads the state of a pod. */
export function podState(pod: KubeObject): PodState {
  const statuses: KubeObject[] = pod.status?.containerStatuses ?? [];
  const conditions: KubeObject[] = pod.status?.conditions ?? [];
  const ready = conditions.some((c) => c.type === "Ready" && c.status === "True");
  return {
    name: pod.metadata.name,
    node: pod.spec?.nodeName,
    phase: pod.status?.phase ?? "Pending",
    stage: stageOf(pod, statuses, ready),
    ready,
    terminating: pod.metadata.deletionTimestamp !== undefined,
    restarts: statuses.reduce((sum, status) => sum + (status.restartCount ?? 0), 0),
    createdAt: pod.metadata.creationTimestamp ?? "",
    phrase: ready ? "" : why(pod, statuses, conditions),
  };
}

function stageOf(pod: KubeObject, statuses: readonly KubeObject[], ready: boolean): PodStage {
  if (pod.metadata.deletionTimestamp !== undefined) return "stopping";
  if (ready) return "ready";
  if (pod.spec?.nodeName === undefined) return "unscheduled";
  const started = statuses.some(({ state = {}, lastState = {} }) =>
    state.running !== undefined || state.terminated !== undefined ||
    lastState.terminated !== undefined
  );
  return started ? "loading" : "pulling";
}

function why(pod: KubeObject, statuses: KubeObject[], conditions: KubeObject[]): string {
  if (pod.metadata.deletionTimestamp !== undefined) return "stopping";
  const scheduled = conditions.find((c) => c.type === "PodScheduled");
  if (scheduled?.status === "False") {
    return `not scheduled: ${shortSchedulerMessage(scheduled.message)}`;
  }
  if (pod.spec?.nodeName === undefined) return "waiting for a node";
  const waiting = statuses.find((status) => status.state?.waiting !== undefined);
  if (waiting !== undefined) {
    const { reason, message } = waiting.state.waiting;
    if (reason === "ContainerCreating" || reason === "PodInitializing") return "starting";
    return message ? `${reason}: ${message}` : reason;
  }
  const ended = statuses.find((status) => status.state?.terminated !== undefined);
  if (ended !== undefined) {
    return `ended with code ${ended.state.terminated.exitCode}`;
  }
  return statuses.length === 0 ? "starting" : "running, not ready yet";
}

// "0/5 nodes are available: 2 Insufficient nvidia.com/gpu, 3 node(s) didn't match … preemption: …"
function shortSchedulerMessage(message: string | undefined): string {
  if (!message) return "no node fits";
  return message.split(/\.?\s*(?:no new claims|preemption:)/)[0]!.trim();
}
