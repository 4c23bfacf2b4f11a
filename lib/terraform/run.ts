/**
 * Running terraform so that nothing is lost when this task is interrupted.
 *
 * A terraform that touches the state runs in a session of its own and writes to a file: Ctrl-C
 * on the terminal does not reach it twice (the second one would make it drop its state), and it
 * lives on when this task dies. The next run finds it by a note and waits for it.
 *
 * The project's shell library is not used here: it puts a shell between us and terraform, and
 * signals the whole process tree.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../cli/context.ts";
import { interruptedError, preconditionError, timeoutError } from "../cli/errors.ts";
import { readIfThere, removeAll, writeFileAtomic } from "../cli/files.ts";
import type { TerraformProgram } from "./program.ts";
import { type Diagnostic, readEvent, type TerraformEvent } from "./stream.ts";

/** What {@link runTerraform} returns. */
export interface TerraformResult {
  /** Exit code. */
  readonly code: number;
  /** All that it reported. */
  readonly diagnostics: readonly Diagnostic[];
  /** Lines that were no events. */
  readonly text: readonly string[];
}

/** Options of {@link runTerraform}. */
export interface RunTerraformOptions {
  /** The program. */
  readonly program: TerraformProgram;
  /** Folder that it runs in. */
  readonly folder: string;
  /** Its whole environment. */
  readonly env: Record<string, string>;
  /** Told each event as it comes. */
  readonly onEvent?: ((event: TerraformEvent) => void) | undefined;
  /** Called about twice a second. */
  readonly onTick?: (() => void) | undefined;
}

/** A terraform of an earlier run that is still at work. */
export interface EarlierRun {
  /** Its process. */
  readonly identity: ProcessIdentity;
  /** Its first words: `apply`. */
  readonly command: string;
  /** ISO 8601. */
  readonly since: string;
  /** File with its output. */
  readonly logFile: string;
}

const POLL_MS = 200;
/** How long an interrupted terraform may take to save its state before it is left to itself. */
export const STOP_GRACE_MS = 10 * 60_000;

/** Folder of terraform's output. */
export function logFolder(folder: string): string {
  return `${folder}/logs`;
}

function noteFile(folder: string): string {
  return `${folder}/running.json`;
}

/**
 * Runs a command with `-json` output to its end. When the context is aborted terraform is
 * interrupted once and waited for.
 *
 * @throws {TaskError} INTERRUPTED when the context was aborted; the state is saved by then, or
 * a warning said that terraform is still at work.
 */
export async function runTerraform(
  ctx: Context,
  args: readonly string[],
  options: RunTerraformOptions,
): Promise<TerraformResult & { readonly logFile: string }> {
  const { program, folder, env } = options;
  ctx.signal.throwIfAborted();
  const since = new Date(ctx.clock.now()).toISOString();
  const logFile = `${logFolder(folder)}/${since.replaceAll(/[:.]/g, "")}-${args[0]}.jsonl`;
  await ctx.fs.mkdir(logFolder(folder), { recursive: true, mode: 0o700 });
  const { identity, ended } = await ctx.processes.start(program.path, args, {
    cwd: folder,
    env,
    logFile,
  });
  const earlier: EarlierRun = { identity, command: args[0] ?? "", since, logFile };
  await writeFileAtomic(ctx, noteFile(folder), JSON.stringify(earlier) + "\n");
  let code: number | undefined;
  ended.then((value) => code = value);
  const output = await follow(ctx, earlier, { ...options, isRunning: () => code === undefined });
  await removeAll(ctx, noteFile(folder));
  if (ctx.signal.aborted) throw interruptedError(GO_ON);
  return { ...output, code: code ?? 1, logFile };
}

const GO_ON = "Terraform has saved its state. The same command goes on where this one stopped.";

/** A terraform that an earlier run of this project left behind in the folder, and that still runs. */
export async function earlierRun(ctx: Context, folder: string): Promise<EarlierRun | undefined> {
  const note = await readNote(ctx, folder);
  return note !== undefined && ctx.processes.alive(note.identity) ? note : undefined;
}

/**
 * A terraform of an earlier run that was killed together with its task; undefined once another has
 * run in the folder.
 */
export async function lostRun(ctx: Context, folder: string): Promise<EarlierRun | undefined> {
  const note = await readNote(ctx, folder);
  return note !== undefined && !ctx.processes.alive(note.identity) ? note : undefined;
}

async function readNote(ctx: Context, folder: string): Promise<EarlierRun | undefined> {
  const text = await readIfThere(ctx, noteFile(folder));
  return text === undefined ? undefined : parseNote(text);
}

/**
 * Waits until it is done, following its output. It is not interrupted when the context is:
 * whoever waits may go.
 *
 * @throws {TaskError} INTERRUPTED, or TERRAFORM_BUSY (exit code 4) when the deadline passes.
 */
export async function waitForEarlierRun(
  ctx: Context,
  folder: string,
  earlier: EarlierRun,
  options: Pick<RunTerraformOptions, "onEvent" | "onTick"> & { readonly deadlineMs: number },
): Promise<void> {
  const end = ctx.clock.monotonic() + options.deadlineMs;
  await follow(ctx, earlier, {
    ...options,
    leaveIt: true,
    isRunning: () => {
      ctx.signal.throwIfAborted();
      if (ctx.clock.monotonic() > end) throw busy(earlier);
      return ctx.processes.alive(earlier.identity);
    },
  });
  await removeAll(ctx, noteFile(folder));
}

/** Waits for a terraform that an earlier run left behind in the folder, if there is one, and says so. */
export async function waitForOthers(
  ctx: Context,
  folder: string,
  options: {
    /** Milliseconds; see {@link waitForEarlierRun}. */
    readonly deadlineMs: number;
    /** Told the resource that it is at. */
    readonly onWait: (address: string) => void;
  },
): Promise<void> {
  const earlier = await earlierRun(ctx, folder);
  if (earlier === undefined) return;
  const { command, since, identity: { pid } } = earlier;
  ctx.ui.info(`terraform ${command} of an earlier run (process ${pid}, since ${since}) goes on`);
  await waitForEarlierRun(ctx, folder, earlier, {
    deadlineMs: options.deadlineMs,
    onEvent: (event) => {
      if ("address" in event) options.onWait(event.address);
    },
  });
}

function busy({ identity, command, since, logFile }: EarlierRun): Error {
  return timeoutError(
    "TERRAFORM_BUSY",
    `terraform ${command} of an earlier run (process ${identity.pid}, since ${since}) is still ` +
      "at work",
    { hint: `Its output is in ${logFile}. Wait for it, then run the same task again.` },
  );
}

function parseNote(text: string): EarlierRun | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value?.identity?.pid === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the file as it grows, until the program is gone and all is read. */
async function follow(
  ctx: Context,
  run: EarlierRun,
  options: Pick<RunTerraformOptions, "onEvent" | "onTick"> & {
    readonly isRunning: () => boolean;
    readonly leaveIt?: boolean;
  },
): Promise<Omit<TerraformResult, "code">> {
  const diagnostics: Diagnostic[] = [];
  const text: string[] = [];
  const take = (line: string) => {
    const event = readEvent(line);
    if (event === undefined) return;
    if (event.kind === "diagnostic") diagnostics.push(event.diagnostic);
    if (event.kind === "text") text.push(event.text);
    options.onEvent?.(event);
  };
  using file = await ctx.fs.open(run.logFile, { read: true });
  const reader = lineReader(file, take);
  let stopBy: number | undefined;
  for (;;) {
    const running = options.isRunning();
    await reader.read();
    if (!running) {
      reader.end();
      return { diagnostics, text };
    }
    options.onTick?.();
    if (ctx.signal.aborted && options.leaveIt !== true) {
      if (stopBy === undefined) {
        stopBy = ctx.clock.monotonic() + STOP_GRACE_MS;
        ctx.processes.kill(run.identity, "SIGINT");
      } else if (ctx.clock.monotonic() > stopBy) {
        ctx.ui.warn(
          `terraform (process ${run.identity.pid}) is still saving its state; the next run ` +
            `waits for it. Its output: ${run.logFile}`,
        );
        throw interruptedError();
      }
    }
    await ctx.clock.sleep(POLL_MS);
  }
}

function lineReader(
  file: Deno.FsFile,
  take: (line: string) => void,
): { read(): Promise<void>; end(): void } {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let rest = "";
  return {
    async read() {
      for (;;) {
        const size = await file.read(buffer);
        if (size === null || size === 0) return;
        const lines = (rest + decoder.decode(buffer.subarray(0, size), { stream: true }))
          .split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) take(line);
      }
    },
    end() {
      if (rest !== "") take(rest);
      rest = "";
    },
  };
}

/**
 * Runs a command that neither locks nor writes the state, and returns its standard output,
 * which may hold sensitive values.
 *
 * @throws {TaskError} TERRAFORM_COMMAND with terraform's last line.
 */
export async function askTerraform(
  ctx: Context,
  args: readonly string[],
  options: Pick<RunTerraformOptions, "program" | "folder" | "env"> & {
    readonly onLine?: (line: string) => void;
  },
): Promise<string> {
  const result = await ctx.processes.run(options.program.path, withoutColor(args), {
    cwd: options.folder,
    clearEnv: true,
    env: options.env,
    signal: ctx.signal,
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
  ctx.signal.throwIfAborted();
  if (result.code === 0) return result.stdout;
  const lines = result.stderr.split("\n").map((line) => line.replace(/^[│╷╵ ]+/, "").trim())
    .filter((line) => line !== "");
  throw preconditionError(
    "TERRAFORM_COMMAND",
    `terraform ${args[0]} failed: ${lines.slice(0, 6).join(" ") || `exit code ${result.code}`}`,
    "Run the same task again; what is there already stays.",
  );
}

/** terraform colours what it says of errors, wherever it is written to; the words come first. */
function withoutColor(args: readonly string[]): string[] {
  const flag = args.findIndex((one) => one.startsWith("-"));
  const words = flag === -1 ? args.length : flag;
  return [...args.slice(0, words), "-no-color", ...args.slice(words)];
}
