/**
 * Starts a container: as a local process, or as a show of one.
 *
 * @module
 */
import { type AgentParts, kubeTime } from "./agent_parts.ts";
import { planContainer, type PodPorts } from "./container_plan.ts";
import { startProcess } from "./container_process.ts";
import type { ContainerRun } from "./container_run.ts";
import { failPull, pullRefusal } from "./image_pull.ts";
import { networkWarning, simulatedLine } from "./container_texts.ts";
import type { ProcessCommand } from "./local_command.ts";
import { type Pod, podName } from "./pod_types.ts";

const PATIENCE_MS = 20_000;

/** Tries to start it. Returns `changed`, or after how many milliseconds to try again. */
export async function startContainer(
  parts: AgentParts,
  run: ContainerRun,
  pod: Pod,
  ports: PodPorts,
): Promise<number | "changed"> {
  const { ctx } = parts;
  const { container } = run;
  const refusal = pullRefusal(container.image ?? "");
  if (refusal !== undefined) return failPull(parts, run, pod, refusal);
  const now = ctx.clock.monotonic();
  run.waitingSince ??= now;
  const patient = now - run.waitingSince < PATIENCE_MS;
  if (run.init && container.restartPolicy !== "Always") {
    await simulate(parts, run, pod, "init containers are not run on the embedded cluster");
    return "changed";
  }
  const scratch = `${run.folder}/scratch`;
  const plan = await planContainer(parts, pod, container, ports, { scratch, patient });
  switch (plan.kind) {
    case "problem":
      return configProblem(parts, run, pod, plan.message);
    case "service":
      return postpone(parts, run, 300);
  }
  const { command } = plan;
  if (command.kind === "simulated") {
    await simulate(parts, run, pod, command.reason);
    return "changed";
  }
  if (patient && !await answering(parts, command.waitFor)) return postpone(parts, run, 200);
  await begin(parts, run, pod, command);
  return "changed";
}

function postpone(parts: AgentParts, run: ContainerRun, ms: number): number {
  run.startAt = parts.ctx.clock.monotonic() + ms;
  return ms;
}

function configProblem(parts: AgentParts, run: ContainerRun, pod: Pod, message: string): number {
  const { name } = run.container;
  const before = run.state;
  if (before.kind !== "waiting" || before.message !== message) {
    parts.events.report(pod, {
      type: "Warning",
      reason: "Failed",
      message: `Error: ${message}`,
      container: name,
    });
  }
  run.state = { kind: "waiting", reason: "CreateContainerConfigError", message };
  return postpone(parts, run, 2_000);
}

async function answering(parts: AgentParts, addresses: readonly string[]): Promise<boolean> {
  for (const address of addresses) {
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    if (port > 1 && !await parts.network().listens(port)) return false;
  }
  return true;
}

async function simulate(
  parts: AgentParts,
  run: ContainerRun,
  pod: Pod,
  reason: string,
): Promise<void> {
  const { ctx, events } = parts;
  const { name } = run.container;
  events.report(pod, {
    type: "Normal",
    reason: "Simulated",
    message: `Container ${name} is shown as running but has no process: ${reason}`,
    container: name,
  });
  await ctx.fs.mkdir(run.logs, { recursive: true, mode: 0o700 });
  await ctx.fs.writeTextFile(
    `${run.logs}/current.log`,
    simulatedLine(ctx.clock.now(), reason),
    { mode: 0o600 },
  );
  countStart(run);
  run.simulated = true;
  run.state = { kind: "running", startedAt: kubeTime(ctx) };
  run.started = true;
  run.ready = true;
}

function countStart(run: ContainerRun): void {
  if (run.ranBefore) run.restartCount++;
  run.ranBefore = true;
  run.waitingSince = undefined;
  run.killAt = undefined;
  run.health = undefined;
}

async function begin(
  parts: AgentParts,
  run: ContainerRun,
  pod: Pod,
  command: ProcessCommand,
): Promise<void> {
  const { ctx, events, config } = parts;
  const { name, image } = run.container;
  const say = (reason: string, message: string, type: "Normal" | "Warning" = "Normal") =>
    events.report(pod, { type, reason, message, container: name });
  const network = parts.network();
  say("Pulled", `Container image "${image}" is not pulled: a local process stands for it`);
  if (command.simulated !== undefined) say("Simulated", command.simulated);
  for (const warning of command.warnings) say("Simulated", warning, "Warning");
  if (command.privateNetwork && network.publicReason !== undefined) {
    say("NetworkNotPrivate", networkWarning(network.publicReason, config), "Warning");
  }
  const folder = command.env["DYN_FILE_KV"];
  if (folder !== undefined) await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
  countStart(run);
  run.shim = await startProcess(ctx, {
    folder: run.folder,
    logs: run.logs,
    command,
    python: config.python.interpreter,
    scripts: parts.scripts,
    network,
    restartCount: run.restartCount,
  });
  run.processId = undefined;
  run.networkId = command.privateNetwork ? network.id : "";
  run.state = { kind: "running", startedAt: kubeTime(ctx) };
  run.started = false;
  run.ready = false;
  run.simulated = false;
  say("Created", `Created container: ${name}`);
  say("Started", `Started container ${name}`);
  ctx.ui.info(`${podName(pod)}: started ${name}, restart ${run.restartCount}`);
}
