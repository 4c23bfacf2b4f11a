/**
 * One pod's life on this machine: its containers, its status, its end.
 *
 * @module
 */
import type { ProcessIdentity } from "../../cli/context.ts";
import { messageOf, TaskError } from "../../cli/errors.ts";
import { removeAll } from "../../cli/files.ts";
import { type AgentParts, kubeTime } from "./agent_parts.ts";
import { stopContainer } from "./container_end.ts";
import { podFolder, podLogFolder, readPodRecord } from "./container_files.ts";
import { lookAtProcess } from "./container_process.ts";
import { adoptContainer, type ContainerRun, viewOf } from "./container_run.ts";
import { stepContainer } from "./container_step.ts";
import { containerEnded, killWhenDue } from "./container_end.ts";
import { logsObject } from "./kubelet_objects.ts";
import { choosePodAddress } from "./pod_address.ts";
import { podPorts, type PodPortsKeeper } from "./pod_ports.ts";
import { podStatus, sameStatus, statusPatch } from "./pod_status.ts";
import { POD, type Pod, podName, podUid } from "./pod_types.ts";
import type { ServedPod } from "./services.ts";
import { makeWaker } from "./waker.ts";

/** A pod that has been taken on. */
export interface PodRun extends ServedPod {
  /** Address shown for it. */
  readonly podIP: string;
  /** Takes over what a watch said. */
  update(pod: Pod): void;
  /** The pod is no longer in the cluster. */
  gone(): void;
  /** Asks for a look at its containers. */
  wake(): void;
  /** Parents of processes that are thought to run. */
  shims(): ProcessIdentity[];
  /** Settled when the pod and all that belonged to it are gone, or the agent stops. */
  readonly done: Promise<void>;
}

// After an error: of the API server that is away, most often.
const RETRY_MS = 1_000;
const GONE_GRACE_MS = 2_000;

/** Takes a pod on. */
export function runPod(parts: AgentParts, first: Pod): PodRun {
  const { ctx } = parts;
  const waker = makeWaker(ctx.clock);
  const taken = parts.takenAddresses();
  let pod = first;
  let isGone = false;
  let ports: PodPortsKeeper | undefined;
  let podIP = first.status?.podIP ?? choosePodAddress(podUid(first), taken);
  let containers: ContainerRun[] = [];
  let ending = false;

  const life = async () => {
    const record = await readPodRecord(ctx, parts.config.layout, podUid(first));
    podIP = record?.podIP ?? podIP;
    ports = podPorts(parts, () => pod, podIP, record?.ports ?? {});
    containers = await adopt(parts, pod);
    await retried(() => parts.kube.apply(logsOf(parts, pod, containers)));
    while (!ctx.signal.aborted) {
      let next: number | undefined;
      try {
        if (await step() === "over") return;
        next = dueIn;
      } catch (error) {
        if (ctx.signal.aborted) return;
        ctx.ui.debug(`${podName(pod)}: ${messageOf(error)}`);
        next = RETRY_MS;
      }
      await waker.sleep(next);
    }
  };
  let dueIn: number | undefined;

  const step = async (): Promise<"over" | undefined> => {
    if (isGone || pod.metadata.deletionTimestamp !== undefined) {
      if (!ending) await beginEnd();
      dueIn = await waitForEnds();
      if (!isGone) await flush();
      if (dueIn !== undefined) return undefined;
      await finish();
      return "over";
    }
    dueIn = undefined;
    if (pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed") {
      await ports!.refresh();
      dueIn = await stepAll();
    }
    await flush();
    return undefined;
  };

  const stepAll = async (): Promise<number | undefined> => {
    let due: number | undefined;
    for (const run of containers) {
      const blocked = !run.init && containers.some((other) => other.init && !initDone(other));
      if (blocked) continue;
      const input = { pod, ports: ports!, wake: waker.wake };
      const wait = await stepContainer(parts, run, input).catch((error) => {
        // One container's trouble must not hold the others up.
        ctx.ui.debug(`${podName(pod)} ${run.container.name}: ${messageOf(error)}`);
        return RETRY_MS;
      });
      if (wait !== undefined) due = Math.min(due ?? Infinity, wait);
    }
    return due;
  };

  const beginEnd = async () => {
    ending = true;
    const grace = isGone ? GONE_GRACE_MS : graceMs(pod, ctx.clock.now());
    for (const run of containers) {
      run.health?.abort();
      if (run.state.kind !== "running") continue;
      if (!run.simulated) {
        const { name } = run.container;
        const message = `Stopping container ${name}`;
        if (!isGone) {
          parts.events.report(pod, { type: "Normal", reason: "Killing", message, container: name });
        }
      }
      await stopContainer(parts, run, grace);
    }
  };

  const waitForEnds = async (): Promise<number | undefined> => {
    let due: number | undefined;
    for (const run of containers) {
      if (run.simulated && run.state.kind === "running") {
        const finishedAt = kubeTime(ctx);
        const end = {
          exitCode: 0,
          reason: "Completed",
          startedAt: run.state.startedAt,
          finishedAt,
        };
        run.state = { kind: "terminated", end };
      }
      if (run.state.kind !== "running") continue;
      const look = await lookAtProcess(ctx, run.folder, run.shim);
      if (look.kind !== "running") {
        containerEnded(parts, run, pod, look.kind === "ended" ? look.exit : undefined, true);
        continue;
      }
      const left = await killWhenDue(parts, run) ?? 100;
      due = Math.min(due ?? Infinity, left);
    }
    return due;
  };

  /** Writes the status when it says something new. */
  const flush = async () => {
    for (let tries = 0; tries < 5; tries++) {
      const status = podStatus({
        pod,
        containers: containers.filter(({ init }) => !init).map(viewOf),
        initContainers: containers.filter(({ init }) => init).map(viewOf),
        podIP,
        hostIP: "127.0.0.1",
        now: kubeTime(ctx),
      });
      if (sameStatus(pod.status, status)) return;
      const ref = { ...POD, name: pod.metadata.name, namespace: pod.metadata.namespace };
      try {
        take(await parts.kube.patch<Pod>(ref, "merge", statusPatch(pod, status), "status"));
        return;
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        if (error.code === "KUBE_NOTFOUND") return void (isGone = true, waker.wake());
        if (error.code !== "KUBE_CONFLICT") throw error;
        const fresh = await parts.kube.get<Pod>(ref);
        if (fresh === undefined || podUid(fresh) !== podUid(pod)) {
          return void (isGone = true, waker.wake());
        }
        take(fresh);
      }
    }
  };

  const finish = async () => {
    const { name, namespace } = pod.metadata;
    if (!isGone) {
      await parts.kube.delete({ ...POD, name, namespace }, {
        gracePeriodSeconds: 0,
        uid: podUid(pod),
      });
    }
    await ports?.release();
    await removeAll(ctx, podFolder(parts.config.layout, podUid(pod)));
    await removeAll(ctx, logFolder(parts, pod));
    parts.events.forget(podUid(pod));
    ctx.ui.info(`${podName(pod)}: gone`);
  };

  /** A server's answer or a watch's news, whichever is newer. */
  const take = (news: Pod) => {
    if (version(news) >= version(pod)) pod = news;
  };

  const retried = async (action: () => Promise<unknown>) => {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (ctx.signal.aborted || isGone) return;
        ctx.ui.debug(`${podName(pod)}: ${messageOf(error)}`);
        await waker.sleep(RETRY_MS);
      }
    }
  };

  ctx.signal.addEventListener("abort", waker.wake);
  const done = life().finally(() => {
    ctx.signal.removeEventListener("abort", waker.wake);
    for (const run of containers) run.health?.abort();
  });
  return {
    get pod() {
      return pod;
    },
    get podIP() {
      return podIP;
    },
    get ports() {
      return ports?.current ?? {};
    },
    update(news) {
      take(news);
      waker.wake();
    },
    gone() {
      isGone = true;
      waker.wake();
    },
    wake: waker.wake,
    shims: () =>
      containers.flatMap((run) =>
        run.state.kind === "running" && run.shim !== undefined ? [run.shim] : []
      ),
    done,
  };
}

async function adopt(parts: AgentParts, pod: Pod): Promise<ContainerRun[]> {
  const logs = logFolder(parts, pod);
  await parts.ctx.fs.mkdir(logs, { recursive: true, mode: 0o700 });
  const all: ContainerRun[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    all.push(await adoptContainer(parts, pod, container, { logs, init: true }));
  }
  for (const container of pod.spec.containers) {
    all.push(await adoptContainer(parts, pod, container, { logs, init: false }));
  }
  return all;
}

function initDone(run: ContainerRun): boolean {
  return run.state.kind === "terminated" || (run.state.kind === "running" && run.started);
}

function logFolder(parts: AgentParts, pod: Pod): string {
  return podLogFolder(parts.config.layout, {
    namespace: pod.metadata.namespace ?? "default",
    name: pod.metadata.name,
    uid: podUid(pod),
  });
}

function logsOf(parts: AgentParts, pod: Pod, containers: readonly ContainerRun[]) {
  return logsObject(pod, logFolder(parts, pod), containers.map((run) => run.container.name));
}

/** Time left to a pod that is being deleted, at least a second. */
function graceMs(pod: Pod, now: number): number {
  const due = Date.parse(pod.metadata.deletionTimestamp ?? "");
  return Number.isNaN(due) ? 30_000 : Math.max(1_000, due - now);
}

function version(pod: Pod): number {
  return Number(pod.metadata.resourceVersion ?? 0);
}
