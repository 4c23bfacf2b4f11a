/**
 * Takes a container through its life, one step at a time.
 *
 * @module
 */
import { type AgentParts, kubeTime } from "./agent_parts.ts";
import { containerEnded, killWhenDue, stopContainer } from "./container_end.ts";
import type { PodPorts } from "./container_plan.ts";
import { lookAtProcess, signalProcess } from "./container_process.ts";
import type { ContainerRun } from "./container_run.ts";
import { startContainer } from "./container_start.ts";
import { type Container, type Pod, podName } from "./pod_types.ts";
import { probePlans } from "./probe_plan.ts";
import { checker, type HealthListener, watchHealth } from "./prober.ts";
import { logContains } from "./container_log.ts";

/** What one step is given. */
export interface StepInput {
  /** The pod as it is now. */
  readonly pod: Pod;
  /** Its local ports. */
  readonly ports: PodPorts;
  /** Asks for another step. */
  wake(): void;
}

/** Takes a container one step on. Returns after how many milliseconds the next is due. */
export async function stepContainer(
  parts: AgentParts,
  run: ContainerRun,
  input: StepInput,
): Promise<number | undefined> {
  for (;;) {
    switch (run.state.kind) {
      case "terminated":
        return undefined;
      case "running": {
        const next = await stepRunning(parts, run, input);
        if (next !== "changed") return next;
        break;
      }
      case "waiting": {
        const left = run.startAt - parts.ctx.clock.monotonic();
        if (left > 0) return left;
        const next = await startContainer(parts, run, input.pod, input.ports);
        if (next !== "changed") return next;
      }
    }
  }
}

async function stepRunning(
  parts: AgentParts,
  run: ContainerRun,
  input: StepInput,
): Promise<number | undefined | "changed"> {
  const { ctx } = parts;
  if (run.simulated) return stepSimulated(parts, run, input.pod);
  const look = await lookAtProcess(ctx, run.folder, run.shim);
  if (look.kind !== "running") {
    containerEnded(parts, run, input.pod, look.kind === "ended" ? look.exit : undefined);
    return "changed";
  }
  run.processId = look.record?.process?.pid;
  const startedAt = look.record?.startedAt;
  if (startedAt !== undefined) {
    run.state = { kind: "running", startedAt: kubeTime(ctx, Date.parse(startedAt)) };
  }
  if (run.networkId !== "" && run.networkId !== parts.network().id) {
    // Nobody can reach it any more.
    await signalProcess(ctx, run.folder, "SIGKILL");
    return 100;
  }
  const left = await killWhenDue(parts, run);
  if (left !== undefined) return left;
  if (run.health === undefined) beginHealth(parts, run, input);
  return run.processId === undefined ? 50 : undefined;
}

// Where nothing runs there is also nothing that ends: pods that are meant to end, do.
function stepSimulated(
  parts: AgentParts,
  run: ContainerRun,
  pod: Pod,
): number | undefined | "changed" {
  const policy = pod.spec.restartPolicy ?? "Always";
  const sideContainer = run.init && run.container.restartPolicy === "Always";
  if (run.state.kind !== "running" || sideContainer || (policy === "Always" && !run.init)) {
    return undefined;
  }
  const left = Date.parse(run.state.startedAt) + 1_000 - parts.ctx.clock.now();
  if (left > 0 && !run.init) return left;
  const { startedAt } = run.state;
  const end = { exitCode: 0, reason: "Completed", startedAt, finishedAt: kubeTime(parts.ctx) };
  run.state = { kind: "terminated", end };
  run.ready = run.init;
  return "changed";
}

function beginHealth(parts: AgentParts, run: ContainerRun, input: StepInput): void {
  const { ctx } = parts;
  const { container } = run;
  const health = new AbortController();
  run.health = health;
  const known = { started: run.started, ready: run.ready };
  const check = checker(ctx, {
    port: (containerPort) => input.ports.current[containerPort],
    listens: (port) => parts.network().listens(port),
    logHas: (text) => logContains(ctx, `${run.logs}/current.log`, text),
  });
  const listener = healthListener(parts, run, input, health.signal);
  watchHealth(
    ctx,
    probePlans(container, literalEnv(container)),
    check,
    listener,
    health.signal,
    known,
  )
    .catch((error) => ctx.ui.warn(`${podName(input.pod)}: probes of ${container.name}: ${error}`));
}

function healthListener(
  parts: AgentParts,
  run: ContainerRun,
  { pod, wake }: StepInput,
  signal: AbortSignal,
): HealthListener {
  const { ctx, events } = parts;
  const { name } = run.container;
  return {
    started() {
      if (!signal.aborted) run.started = true;
      wake();
    },
    ready(ready) {
      if (!signal.aborted) run.ready = ready;
      wake();
    },
    unhealthy(probe, detail) {
      const message = `${probe} probe failed: ${detail}`;
      events.report(pod, { type: "Warning", reason: "Unhealthy", message, container: name });
    },
    failed(probe) {
      if (signal.aborted) return;
      const message = `Container ${name} failed ${probe} probe, will be restarted`;
      events.report(pod, { type: "Normal", reason: "Killing", message, container: name });
      const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1_000;
      stopContainer(parts, run, graceMs).then(
        wake,
        (error) => ctx.ui.warn(`${podName(pod)}: ${error}`),
      );
    },
  };
}

// Probes name ports by variables now and then; those are literal.
function literalEnv(container: Container): Record<string, string> {
  return Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? ""]));
}
