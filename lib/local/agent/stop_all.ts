/**
 * Ends the processes of pods without the node agent: from their records alone. Only processes
 * that are in the records, with the number and start they had, are touched.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../../cli/context.ts";
import { removeAll } from "../../cli/files.ts";
import type { LocalLayout } from "../layout.ts";
import { readProcess, recordedContainers, recordedPods } from "./container_files.ts";
import { signalProcess } from "./container_process.ts";
import { readRelay, relayStatePath } from "./network.ts";

/** Options of {@link stopAllContainers}. */
export interface StopOptions {
  /** Between SIGTERM and SIGKILL, milliseconds; 5000 unless given. */
  readonly graceMs?: number;
}

const KILL_MS = 3_000;

/**
 * Ends all containers' processes of a cluster and the private network. May be called at any
 * time and again; the node agent should not be running, as it would start them anew.
 *
 * @returns How many containers had a process.
 */
export async function stopAllContainers(
  ctx: Pick<Context, "clock" | "fs" | "processes">,
  layout: LocalLayout,
  options: StopOptions = {},
): Promise<number> {
  const folders: string[] = [];
  for (const uid of await recordedPods(ctx, layout)) {
    folders.push(...await recordedContainers(ctx, layout, uid));
  }
  const stopped = await stopFolders(ctx, folders, options);
  const relay = await readRelay(ctx, layout);
  if (relay !== undefined) {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      for (const process of [relay.outer, relay.inner]) ctx.processes.kill(process, signal);
      if (await allGone(ctx, () => Promise.resolve([relay.outer, relay.inner]), KILL_MS)) break;
    }
    await removeAll(ctx, relayStatePath(layout));
  }
  return stopped;
}

/** Ends the processes of the containers with records in these folders. Returns how many there were. */
export async function stopFolders(
  ctx: Pick<Context, "clock" | "fs" | "processes">,
  folders: readonly string[],
  options: StopOptions = {},
): Promise<number> {
  const alive = () => livingProcesses(ctx, folders);
  const running = (await Promise.all(folders.map((folder) => livingProcesses(ctx, [folder]))))
    .filter((processes) => processes.length > 0).length;
  if (running === 0) return 0;
  for (const folder of folders) await signalProcess(ctx, folder, "SIGTERM");
  if (!await allGone(ctx, alive, options.graceMs ?? 5_000)) {
    for (const folder of folders) await signalProcess(ctx, folder, "SIGKILL");
    // A parent ends by itself once its process has; one that does not is ended too.
    if (!await allGone(ctx, alive, KILL_MS)) {
      for (const process of await alive()) ctx.processes.kill(process, "SIGKILL");
      await allGone(ctx, alive, KILL_MS);
    }
  }
  return running;
}

async function livingProcesses(
  ctx: Pick<Context, "clock" | "fs" | "processes">,
  folders: readonly string[],
): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const folder of folders) {
    const record = await readProcess(ctx, folder);
    for (const process of [record?.process, record?.shim]) {
      if (process !== undefined && ctx.processes.alive(process)) found.push(process);
    }
  }
  return found;
}

async function allGone(
  ctx: Pick<Context, "clock" | "fs" | "processes">,
  list: () => Promise<ProcessIdentity[]>,
  ms: number,
): Promise<boolean> {
  const end = ctx.clock.monotonic() + ms;
  for (;;) {
    if ((await list()).every((process) => !ctx.processes.alive(process))) return true;
    if (ctx.clock.monotonic() >= end) return false;
    // Without the task's signal: an interrupted task must not leave half of them.
    await ctx.clock.sleep(30);
  }
}
