/**
 * The real context: Deno's files, processes, network and clock.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import type {
  Clock,
  Context,
  DaemonOptions,
  Environment,
  FileSystem,
  Network,
  Processes,
  ProcessIdentity,
  ProcessResult,
  RunOptions,
  StartedProcess,
} from "./context.ts";
import { cacheFolder, projectRoot, stateFolder } from "./paths.ts";
import { isAlive, processStart } from "./process_identity.ts";
import type { Ui } from "./ui.ts";

/** Environment of this process. */
export const denoEnvironment: Environment = {
  get: (name) => Deno.env.get(name) || undefined,
  toObject: () => Deno.env.toObject(),
};

const denoFiles: FileSystem = Deno;

const denoNetwork: Network = {
  // Called through the global, so that a test that replaces it is seen.
  fetch: (...args: Parameters<typeof fetch>) => globalThis.fetch(...args),
  connect: Deno.connect,
  connectTls: Deno.connectTls,
  startTls: Deno.startTls,
  listen: Deno.listen,
};

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    });
  },
};

/** Processes of this machine. */
export function denoProcesses(): Processes {
  return {
    get denoPath() {
      return Deno.execPath();
    },
    self: {
      pid: Deno.pid,
      // Found out only when asked for: tasks that start no programs may not look.
      get started() {
        return processStart(Deno.pid) ?? "unknown";
      },
    },
    which: findProgram,
    run: runProcess,
    daemon: async (command, args, options) => {
      const { child, identity } = await spawnDetached(command, args, options);
      child.unref();
      return identity;
    },
    start: startProcess,
    alive: isAlive,
    kill(identity, signal) {
      if (!isAlive(identity)) return;
      try {
        Deno.kill(identity.pid, signal);
      } catch (error) {
        // It ended between the look and the signal.
        if (isAlive(identity)) throw error;
      }
    },
  };
}

async function runProcess(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProcessResult> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.clearEnv === undefined ? {} : { clearEnv: options.clearEnv }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }).spawn();
  const [stdout, stderr, status] = await Promise.all([
    collect(child.stdout, (line) => options.onLine?.(line, "stdout")),
    collect(child.stderr, (line) => options.onLine?.(line, "stderr")),
    child.status,
  ]);
  return { code: status.code, stdout, stderr };
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<string> {
  let text = "";
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    // pip and terraform redraw lines with a carriage return.
    const lines = (rest + part).split(/\r?\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
  return text;
}

async function startProcess(
  command: string,
  args: readonly string[],
  options: DaemonOptions,
): Promise<StartedProcess> {
  const { child, identity } = await spawnDetached(command, args, options);
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal!] ?? 0)));
  });
  return { identity, ended };
}

// Deno.Command cannot hand a file to a child as its output; node:child_process can.
function spawnDetached(
  command: string,
  args: readonly string[],
  options: DaemonOptions,
): Promise<{ readonly child: ChildProcess; readonly identity: ProcessIdentity }> {
  const log = openSync(options.logFile, "a", 0o600);
  try {
    const child = spawn(command, [...args], {
      cwd: options.cwd ?? "/",
      env: options.env,
      detached: true,
      stdio: ["ignore", log, log],
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () => {
        const pid = child.pid ?? -1;
        resolve({ child, identity: { pid, started: processStart(pid) ?? "gone" } });
      });
    });
  } finally {
    closeSync(log);
  }
}

/** Builds the context of this process around a terminal and a signal. */
export function denoContext(ui: Ui, signal: AbortSignal): Context {
  const root = projectRoot();
  return {
    env: denoEnvironment,
    fs: denoFiles,
    net: denoNetwork,
    processes: denoProcesses(),
    clock: systemClock,
    ui,
    signal,
    platform: { os: Deno.build.os, arch: Deno.build.arch },
    root,
    home: stateFolder(denoEnvironment, root),
    cache: cacheFolder(denoEnvironment, root),
  };
}

// Loaded when asked for: few tasks drive programs of others.
async function findProgram(program: string): Promise<string | undefined> {
  const { which } = await import("zx");
  return await which(program, { nothrow: true }) ?? undefined;
}
