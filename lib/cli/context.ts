/**
 * The one way out: every side effect (files, processes, network, clock, terminal,
 * environment, interruption) reaches code through a {@link Context}. It is built once
 * in `lib/cli/main.ts`; tests build their own with `lib/cli/testing.ts`.
 *
 * @module
 */
import type { Ui } from "./ui.ts";

/** Environment variables, read only. Empty strings count as unset. */
export interface Environment {
  /** The value, or undefined when unset or empty. */
  get(name: string): string | undefined;
  /** A copy of all variables, for child processes. */
  toObject(): Record<string, string>;
}

/** Files: the part of `Deno` that the library uses. */
export type FileSystem = Pick<
  typeof Deno,
  | "chmod"
  | "copyFile"
  | "lstat"
  | "makeTempDir"
  | "mkdir"
  | "open"
  | "readDir"
  | "readFile"
  | "readLink"
  | "readTextFile"
  | "realPath"
  | "remove"
  | "rename"
  | "stat"
  | "symlink"
  | "writeFile"
  | "writeTextFile"
>;

/** Network: the part of `Deno` and the platform that the library uses. */
export interface Network {
  /** As the platform's `fetch`. */
  readonly fetch: typeof fetch;
  /** As `Deno.connect`. */
  readonly connect: typeof Deno.connect;
  /** As `Deno.connectTls`. */
  readonly connectTls: typeof Deno.connectTls;
  /** As `Deno.startTls`. */
  readonly startTls: typeof Deno.startTls;
  /** As `Deno.listen`. */
  readonly listen: typeof Deno.listen;
}

/** Time. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic clock, milliseconds. */
  monotonic(): number;
  /** Waits; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What {@link Processes.run} returns. */
export interface ProcessResult {
  /** Exit code; 128 + n when a signal ended it. */
  readonly code: number;
  /** Standard output as text. */
  readonly stdout: string;
  /** Standard error as text. */
  readonly stderr: string;
}

/** Options of {@link Processes.run}. */
export interface RunOptions {
  /** Working directory. */
  readonly cwd?: string | undefined;
  /** Variables added to (or, with `clearEnv`, instead of) the environment. */
  readonly env?: Record<string, string> | undefined;
  /** Start from an empty environment. */
  readonly clearEnv?: boolean | undefined;
  /** Ends the process when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each complete line of stdout or stderr as it comes. */
  readonly onLine?: ((line: string, stream: "stdout" | "stderr") => void) | undefined;
}

/** Options of {@link Processes.daemon}. */
export interface DaemonOptions {
  /** Working directory. */
  readonly cwd?: string | undefined;
  /** The whole environment of the process. */
  readonly env: Record<string, string>;
  /** File that stdout and stderr are appended to; created with mode 0600. */
  readonly logFile: string;
}

/** A program that outlives this task if it must, and whose end can be waited for. */
export interface StartedProcess {
  /** The program's process. */
  readonly identity: ProcessIdentity;
  /** Its exit code, once it ends; 128 + n when a signal ended it. */
  readonly ended: Promise<number>;
}

/** A process that this project started: the number alone is not proof, numbers are reused. */
export interface ProcessIdentity {
  /** Process number. */
  readonly pid: number;
  /** When it started, in a form the operating system keeps (on Linux: boot id and clock ticks). */
  readonly started: string;
}

/** Processes. */
export interface Processes {
  /** Path of the running Deno executable. */
  readonly denoPath: string;
  /** This process. */
  readonly self: ProcessIdentity;
  /** Path of a program on the PATH, or of a path that is one; undefined when there is none. */
  which(program: string): Promise<string | undefined>;
  /** Runs a program to its end. A program that is not there is a `Deno.errors.NotFound`. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** Starts a program in a session of its own, which outlives this task. */
  daemon(
    command: string,
    args: readonly string[],
    options: DaemonOptions,
  ): Promise<ProcessIdentity>;
  /**
   * As `daemon`, with its end. A Ctrl-C on the terminal does not reach the program: for those
   * that must be asked to stop exactly once, and must not lose their output with this task.
   */
  start(
    command: string,
    args: readonly string[],
    options: DaemonOptions,
  ): Promise<StartedProcess>;
  /** Whether that very process is running (a reused number is not). Zombies count as gone. */
  alive(identity: ProcessIdentity): boolean;
  /** Sends a signal to that very process, and nothing when it is gone. */
  kill(identity: ProcessIdentity, signal: "SIGTERM" | "SIGKILL" | "SIGINT"): void;
}

/** Everything a function needs from outside. */
export interface Context {
  /** Environment variables. */
  readonly env: Environment;
  /** Files. */
  readonly fs: FileSystem;
  /** Network. */
  readonly net: Network;
  /** Processes. */
  readonly processes: Processes;
  /** Time. */
  readonly clock: Clock;
  /** Terminal: talk on stderr, data on stdout. */
  readonly ui: Ui;
  /** Aborted by Ctrl-C, SIGTERM, or the caller. */
  readonly signal: AbortSignal;
  /** Operating system and architecture, as `Deno.build` names them. */
  readonly platform: { readonly os: string; readonly arch: string };
  /** Root of the project (the folder that holds deno.json). */
  readonly root: string;
  /** State folder, `.dynamo` below the root unless `DYNAMO_HOME` says otherwise. */
  readonly home: string;
  /** Cache folder for downloads and builds (XDG), shared by all checkouts. */
  readonly cache: string;
}

/** The same context with some parts replaced, for example a narrower signal. */
export function withContext(ctx: Context, parts: Partial<Context>): Context {
  return { ...ctx, ...parts };
}
