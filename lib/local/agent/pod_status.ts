/**
 * A pod's status, as a kubelet computes it from its containers. Pure.
 *
 * @module
 */
import type {
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  TerminatedState,
} from "./pod_types.ts";

/** A container as the node agent sees it. */
export interface ContainerView {
  /** Name of the container. */
  readonly name: string;
  /** Image reference of the manifest. */
  readonly image: string;
  /** What it does now. */
  readonly state:
    | { readonly kind: "waiting"; readonly reason: string; readonly message?: string }
    | { readonly kind: "running"; readonly startedAt: string }
    | { readonly kind: "terminated"; readonly end: TerminatedState };
  /** How it ended before the last restart. */
  readonly last?: TerminatedState;
  /** Restarts so far. */
  readonly restartCount: number;
  /** Whether its startup is over. */
  readonly started: boolean;
  /** Whether its readiness was seen. */
  readonly ready: boolean;
  /** Process number of the local process. */
  readonly processId?: number;
}

/** What {@link podStatus} is computed from. */
export interface PodStatusInput {
  /** The pod with its present status. */
  readonly pod: Pod;
  /** Its containers, in the manifest's order. */
  readonly containers: readonly ContainerView[];
  /** Its init containers, in the manifest's order. */
  readonly initContainers: readonly ContainerView[];
  /** Address shown for the pod. */
  readonly podIP: string;
  /** Address of its node. */
  readonly hostIP: string;
  /** Now, RFC 3339. */
  readonly now: string;
}

/** The status; conditions of others stay, times change only with what they belong to. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, containers, initContainers, podIP, hostIP, now } = input;
  const phase = podPhase(pod, containers, initContainers);
  return {
    phase,
    conditions: conditions(input, phase),
    hostIP,
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: pod.status?.startTime ?? now,
    ...(initContainers.length === 0
      ? {}
      : { initContainerStatuses: initContainers.map(containerStatus) }),
    containerStatuses: containers.map(containerStatus),
  };
}

/**
 * Body of a merge patch for the status. With uid and version in it, a pod that is another one
 * by now, or was changed by somebody else, is a conflict. Lists are replaced as a whole.
 */
export function statusPatch(pod: Pod, status: PodStatus): Record<string, unknown> {
  return {
    metadata: {
      uid: pod.metadata.uid,
      ...(pod.metadata.resourceVersion === undefined
        ? {}
        : { resourceVersion: pod.metadata.resourceVersion }),
    },
    status,
  };
}

/** Whether two statuses say the same. */
export function sameStatus(a: PodStatus | undefined, b: PodStatus): boolean {
  if (a === undefined) return false;
  return Object.entries(b).every(([key, value]) =>
    equal(a[key as keyof PodStatus] as unknown, value)
  );
}

// The server stores empty objects as empty, and leaves out what is undefined.
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const x = a as Record<string, unknown>;
  const y = b as Record<string, unknown>;
  const keys = new Set([...Object.keys(x), ...Object.keys(y)]);
  for (const key of keys) if (!equal(x[key] ?? undefined, y[key] ?? undefined)) return false;
  return true;
}

function containerStatus(view: ContainerView): ContainerStatus {
  const { state } = view;
  return {
    name: view.name,
    image: view.image,
    imageID: state.kind === "waiting" && view.last === undefined ? "" : `local://${view.image}`,
    ...(view.processId === undefined ? {} : { containerID: `process://${view.processId}` }),
    ready: view.ready,
    started: view.started,
    restartCount: view.restartCount,
    state: state.kind === "waiting"
      ? {
        waiting: {
          reason: state.reason,
          ...(state.message === undefined ? {} : { message: state.message }),
        },
      }
      : state.kind === "running"
      ? { running: { startedAt: state.startedAt } }
      : { terminated: state.end },
    lastState: view.last === undefined ? {} : { terminated: view.last },
  };
}

/** The phase by the rules of the kubelet's `getPhase`. */
export function podPhase(
  pod: Pod,
  containers: readonly ContainerView[],
  initContainers: readonly ContainerView[],
): string {
  const policy = pod.spec.restartPolicy ?? "Always";
  if (initContainers.some((init) => !initDone(init))) return "Pending";
  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const { state, last } of containers) {
    if (state.kind === "running") running++;
    else if (state.kind === "terminated") {
      stopped++;
      if (state.end.exitCode === 0) succeeded++;
    } else if (last !== undefined) stopped++;
    else waiting++;
  }
  if (waiting > 0) return "Pending";
  if (running > 0) return "Running";
  if (policy === "Always") return stopped > 0 ? "Running" : "Pending";
  if (stopped === succeeded) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

// An init container that goes on running is a side container.
function initDone({ state, started }: ContainerView): boolean {
  return state.kind === "terminated"
    ? state.end.exitCode === 0
    : state.kind === "running" && started;
}

function conditions(input: PodStatusInput, phase: string): PodCondition[] {
  const { pod, containers, initContainers, now } = input;
  const ended = phase === "Succeeded" || phase === "Failed";
  const unready = containers.filter((container) => !container.ready).map(({ name }) => name);
  const readiness = ended
    ? { status: "False" as const, reason: phase === "Failed" ? "PodFailed" : "PodCompleted" }
    : unready.length === 0
    ? { status: "True" as const }
    : {
      status: "False" as const,
      reason: "ContainersNotReady",
      message: `containers with unready status: [${unready.join(" ")}]`,
    };
  const initial = initContainers.filter((init) => !initDone(init)).map(({ name }) => name);
  const initialized = initial.length === 0
    ? { status: "True" as const, ...(phase === "Succeeded" ? { reason: "PodCompleted" } : {}) }
    : {
      status: "False" as const,
      reason: "ContainersNotInitialized",
      message: `containers with incomplete status: [${initial.join(" ")}]`,
    };
  const ours: Omit<PodCondition, "lastTransitionTime">[] = [
    { type: "PodReadyToStartContainers", status: "True" },
    { type: "Initialized", ...initialized },
    { type: "Ready", ...readiness },
    { type: "ContainersReady", ...readiness },
  ];
  const before = pod.status?.conditions ?? [];
  const kept = before.filter(({ type }) => !ours.some((condition) => condition.type === type));
  return [...ours.map((condition) => withTime(condition, before, now)), ...kept];
}

function withTime(
  condition: Omit<PodCondition, "lastTransitionTime">,
  before: readonly PodCondition[],
  now: string,
): PodCondition {
  const old = before.find(({ type }) => type === condition.type);
  return {
    ...condition,
    lastProbeTime: null,
    lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime ?? now : now,
  };
}
