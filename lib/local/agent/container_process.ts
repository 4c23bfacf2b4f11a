/**
 * Starts, watches and ends the process of a container through its parent,
 * `python/container_shim.py`.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../../cli/context.ts";
import {
  type ExitRecord,
  prepareStart,
  type ProcessRecord,
  readExit,
  readProcess,
} from "./container_files.ts";
import type { ProcessCommand } from "./local_command.ts";

/** How to start a container. */
export interface StartOptions {
  /** Folder of the container's records. */
  readonly folder: string;
  /** Folder of its logs. */
  readonly logs: string;
  /** What to run. */
  readonly command: ProcessCommand;
  /** Interpreter for the parent. */
  readonly python: string;
  /** Folder of this project's Python scripts. */
  readonly scripts: string;
  /** The network for Dynamo's processes. */
  readonly network: { readonly id: string; readonly joinPid?: number };
  /** Restarts before this start. */
  readonly restartCount: number;
}

/** Variables of the agent that a program outside the private network gets: where Deno keeps things. */
const HOST_VARIABLES = [
  "HOME",
  "USER",
  "LANG",
  "DENO_DIR",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_REGISTRY",
];

/** Starts it. Returns the parent; the container's own process is in its record a moment later. */
export async function startProcess(ctx: Context, options: StartOptions): Promise<ProcessIdentity> {
  const { folder, logs, command, network } = options;
  const joins = command.privateNetwork && network.joinPid !== undefined;
  await prepareStart(ctx, folder, {
    restartCount: options.restartCount,
    network: command.privateNetwork ? network.id : "",
  });
  const scratch = `${folder}/scratch`;
  for (const name of command.folders ?? []) {
    await ctx.fs.mkdir(`${scratch}/${name}`, { recursive: true });
  }
  for (const [name, content] of Object.entries(command.files ?? {})) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await ctx.fs.writeFile(`${scratch}/${name}`, bytes, { mode: 0o600 });
  }
  return await ctx.processes.daemon(options.python, [
    "-I",
    "-B",
    "-S",
    `${options.scripts}/container_shim.py`,
    folder,
    logs,
    "--cwd",
    scratch,
    ...(joins ? ["--network", String(network.joinPid)] : []),
    "--",
    command.program,
    ...command.args,
  ], {
    cwd: folder,
    env: { ...command.env, ...baseEnv(ctx, command, scratch) },
    logFile: `${folder}/shim.log`,
  });
}

function baseEnv(ctx: Context, command: ProcessCommand, scratch: string): Record<string, string> {
  const env: Record<string, string> = { PATH: ctx.env.get("PATH") ?? "/usr/bin:/bin" };
  if (command.privateNetwork) return { ...env, HOME: scratch, TMPDIR: scratch };
  for (const name of HOST_VARIABLES) {
    const value = ctx.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** What became of a container's process. */
export type ProcessLook =
  | { readonly kind: "running"; readonly record: ProcessRecord | undefined }
  | { readonly kind: "ended"; readonly exit: ExitRecord }
  /** It is gone and nobody saw how: the machine went down, or its parent was killed. */
  | { readonly kind: "lost" };

/**
 * Looks at a container's process.
 *
 * @param shim The parent, when known; otherwise its record is read.
 */
export async function lookAtProcess(
  ctx: Pick<Context, "fs" | "processes">,
  folder: string,
  shim?: ProcessIdentity,
): Promise<ProcessLook> {
  const record = await readProcess(ctx, folder);
  const parent = shim ?? record?.shim;
  if (parent !== undefined && ctx.processes.alive(parent)) return { kind: "running", record };
  const exit = await readExit(ctx, folder);
  if (exit !== undefined) return { kind: "ended", exit };
  // Without its parent nobody reads the process's output: it must not go on alone.
  if (record?.process !== undefined) ctx.processes.kill(record.process, "SIGKILL");
  return { kind: "lost" };
}

/**
 * Sends a signal to a container's process.
 *
 * @param shim Its parent, which gets the signal as long as nothing is written down yet.
 */
export async function signalProcess(
  ctx: Pick<Context, "fs" | "processes">,
  folder: string,
  signal: "SIGTERM" | "SIGKILL",
  shim?: ProcessIdentity,
): Promise<void> {
  const record = await readProcess(ctx, folder);
  const target = record?.process ?? record?.shim ?? shim;
  if (target !== undefined) ctx.processes.kill(target, signal);
}
