/**
 * Background processes that are never lost and never mistaken.
 *
 * A process writes down who it is (number, start, boot) before it becomes the program it is
 * meant to be. So a task that is killed between starting a process and noting it loses
 * nothing, and a note that outlives a reboot or a crash names no stranger.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Context, ProcessIdentity } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { exists, readIfThere, removeAll } from "../cli/files.ts";
import { startFromStat } from "../cli/process_identity.ts";
import type { LocalLayout } from "./layout.ts";
import { lastLines } from "./mask_credentials.ts";

/** A process to keep running. */
export interface DaemonSpec {
  /** Short name, also that of its log. */
  readonly name: string;
  /** Program and arguments; no secrets. */
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd: string;
  /** Contents of files that it reads only once: when they change it is started again. */
  readonly inputs?: readonly string[];
  /** Milliseconds it gets to end by itself. */
  readonly stopMs: number;
}

/** A process that was started here, as its note has it. */
export interface StartedDaemon {
  /** Number and start. */
  readonly identity: ProcessIdentity;
  /** Hash of the {@link DaemonSpec} it was started with. */
  readonly fingerprint: string;
}

/** What {@link ensureDaemon} did. */
export type DaemonOutcome = "running" | "started" | "restarted";

// Arguments: the note, the fingerprint, then the command. exec keeps number and start.
const LAUNCHER = `umask 077
IFS= read -r stat < /proc/$$/stat && IFS= read -r boot < /proc/sys/kernel/random/boot_id &&
printf '%s\\n%s\\n%s\\n' "$stat" "$boot" "$2" > "$1" || exit 97
shift 2
exec "$@"`;

const LOG_BYTES = 8 * 1024 * 1024;

function notePath(layout: LocalLayout, name: string): string {
  return `${layout.root}/processes/${name}`;
}

/** Path of a process's log. */
export function logPath(layout: LocalLayout, name: string): string {
  return `${layout.logs}/${name}.log`;
}

/** The process of that name if it is running now. */
export async function runningDaemon(
  ctx: Pick<Context, "fs" | "processes">,
  layout: LocalLayout,
  name: string,
): Promise<StartedDaemon | undefined> {
  const text = await readIfThere(ctx, notePath(layout, name));
  const [stat = "", boot = "", fingerprint = ""] = (text ?? "").split("\n");
  const pid = Number.parseInt(stat, 10);
  const started = startFromStat(stat, boot);
  if (!Number.isInteger(pid) || started === undefined) return undefined;
  const identity = { pid, started };
  return ctx.processes.alive(identity) ? { identity, fingerprint } : undefined;
}

/** When the process of that name was started: the time of its note, or undefined. */
export async function startedAt(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
  name: string,
): Promise<Date | undefined> {
  try {
    return (await ctx.fs.stat(notePath(layout, name))).mtime ?? undefined;
  } catch {
    return undefined;
  }
}

/** Starts the process unless it runs as specified; one that runs otherwise is ended first. */
export async function ensureDaemon(
  ctx: Context,
  layout: LocalLayout,
  spec: DaemonSpec,
): Promise<DaemonOutcome> {
  const fingerprint = fingerprintOf(spec);
  const running = await runningDaemon(ctx, layout, spec.name);
  if (running?.fingerprint === fingerprint) return "running";
  if (running !== undefined) await stopDaemon(ctx, layout, spec.name, spec.stopMs);
  const note = notePath(layout, spec.name);
  await removeAll(ctx, note);
  await ctx.fs.mkdir(`${layout.root}/processes`, { recursive: true, mode: 0o700 });
  await ctx.fs.mkdir(layout.logs, { recursive: true, mode: 0o700 });
  await rotateLog(ctx, logPath(layout, spec.name));
  await ctx.processes.daemon("/bin/sh", [
    "-c",
    LAUNCHER,
    "sh",
    note,
    fingerprint,
    ...spec.command,
  ], { cwd: spec.cwd, env: { ...spec.env }, logFile: logPath(layout, spec.name) });
  await waitForNote(ctx, layout, spec.name);
  return running === undefined ? "started" : "restarted";
}

// The note is written within milliseconds; a process that ends at once leaves one as well.
async function waitForNote(ctx: Context, layout: LocalLayout, name: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const text = await readIfThere(ctx, notePath(layout, name));
    if ((text?.split("\n").length ?? 0) > 3) return;
    await ctx.clock.sleep(10, ctx.signal);
  }
  throw await deadError(ctx, layout, name, "did not start");
}

/**
 * Ends the process of that name: SIGTERM, then SIGKILL after `graceMs`. Nothing happens when
 * it is gone, or when its number belongs to another process now.
 *
 * @throws {TaskError} PROCESS_STUCK when it survives SIGKILL for five seconds.
 */
export async function stopDaemon(
  ctx: Context,
  layout: LocalLayout,
  name: string,
  graceMs: number,
): Promise<boolean> {
  const running = await runningDaemon(ctx, layout, name);
  if (running === undefined) {
    await removeAll(ctx, notePath(layout, name));
    return false;
  }
  const { identity } = running;
  ctx.processes.kill(identity, "SIGTERM");
  if (!await waitForEnd(ctx, identity, graceMs)) {
    ctx.processes.kill(identity, "SIGKILL");
    if (!await waitForEnd(ctx, identity, 5_000)) {
      throw new TaskError({
        code: "PROCESS_STUCK",
        message: `${name} (process ${identity.pid}) does not end`,
        hint: "It may wait for a disk. Run it again, or restart the machine.",
      });
    }
  }
  await removeAll(ctx, notePath(layout, name));
  return true;
}

async function waitForEnd(
  ctx: Context,
  identity: ProcessIdentity,
  ms: number,
): Promise<boolean> {
  const end = ctx.clock.monotonic() + ms;
  while (ctx.processes.alive(identity)) {
    if (ctx.clock.monotonic() >= end) return false;
    // Not with the task's signal: an interruption must not leave half of a cluster running
    // without anybody who waits for it.
    await ctx.clock.sleep(25);
  }
  return true;
}

/**
 * The error for a process that is not there although it should be, with the end of its log.
 */
export async function deadError(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
  name: string,
  what: string,
): Promise<TaskError> {
  const path = logPath(layout, name);
  const log = await readTail(ctx, path);
  return new TaskError({
    code: "PROCESS_ENDED",
    message: `${name} ${what}`,
    hint: `Its log is ${path}. If it fails again, deno task cleanup --all and a new install ` +
      "start from nothing.",
    evidence: lastLines(log, 6),
  });
}

async function readTail(ctx: Pick<Context, "fs">, path: string): Promise<string> {
  if (!await exists(ctx, path)) return "";
  const file = await ctx.fs.open(path, { read: true });
  try {
    const { size } = await file.stat();
    await file.seek(Math.max(0, size - 16_384), Deno.SeekMode.Start);
    const buffer = new Uint8Array(16_384);
    const length = await file.read(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, length));
  } finally {
    file.close();
  }
}

async function rotateLog(ctx: Pick<Context, "fs">, path: string): Promise<void> {
  if (!await exists(ctx, path)) return;
  if ((await ctx.fs.stat(path)).size > LOG_BYTES) await ctx.fs.rename(path, `${path}.1`);
}

function fingerprintOf(spec: DaemonSpec): string {
  const { command, env, cwd, inputs } = spec;
  return createHash("sha256").update(JSON.stringify([command, env, cwd, inputs ?? []]))
    .digest("hex").slice(0, 16);
}
