/**
 * The load generator as a pod's program: reads what to do from its environment, measures, and says
 * what came of it on standard output (`frames.ts`). Needs nothing but Deno.
 *
 * @module
 */
import process from "node:process";
import type { Context } from "../../cli/context.ts";
import { denoContext } from "../../cli/context_deno.ts";
import { EXIT, type ExitCode } from "../../cli/errors.ts";
import { plainUi } from "../../cli/ui_plain.ts";
import { runBench } from "../bench.ts";
import { startMock } from "../mock.ts";
import type { BenchOptions } from "../options.ts";
import { pinger } from "../server/ping.ts";
import type { ServerWatch } from "../server/watch.ts";
import { dialUrl } from "../transport.ts";
import { measureBlock } from "./block.ts";
import { serveBlocks } from "./control.ts";
import { farWatch } from "./far_watch.ts";
import { frameWriter } from "./frames.ts";
import { decodeJob, JOB_ENV, type JobFile, type PlainOptions } from "./job_file.ts";
import { errorData, type JobMessage, type PassingMessage } from "./messages.ts";
import { rowOf } from "./record_rows.ts";

const PROGRESS_MS = 500;
const ALIVE_MS = 5_000;

/**
 * Runs the job that the environment names.
 *
 * @param print gets the lines, in order; resolves when they are written.
 */
export async function runJob(
  ctx: Context,
  print: (lines: readonly string[]) => Promise<void>,
): Promise<ExitCode> {
  const frames = frameWriter();
  const say = (message: JobMessage) => print(frames.message(message));
  const pass = (message: PassingMessage) => void print([frames.passing(message)]);
  const alive = new AbortController();
  const beating = beat(ctx, () => pass({ alive: true }), alive.signal);
  try {
    const job = await readJob(ctx);
    const complete = (options: PlainOptions): BenchOptions => ({
      ...options,
      url: variable(ctx, JOB_ENV.url),
      apiKey: ctx.env.get(JOB_ENV.apiKey),
      headers: JSON.parse(ctx.env.get(JOB_ENV.headers) ?? "{}"),
    });
    const due = throttle(ctx);
    const server = job.watched ? watchOf(ctx, job.options, say) : undefined;
    const summary = await runBench(ctx, {
      ...complete(job.options),
      server,
      onProgress: (progress) => {
        if (due(progress.phase)) pass({ progress });
      },
      onRequests: (records) => void say({ kind: "requests", rows: records.map(rowOf) }),
    });
    await say({ kind: "summary", summary });
    if (job.blocks) {
      const port = Number(variable(ctx, JOB_ENV.mockPort));
      await using _mock = await startMock({ ttftMs: 0, itlMs: 0, port });
      await serveBlocks(ctx, {
        port: Number(variable(ctx, JOB_ENV.controlPort)),
        measure: (options) => measureBlock(ctx, complete(options)),
      });
    }
    return EXIT.ok;
  } catch (error) {
    await say({ kind: "error", error: errorData(error) });
    return errorData(error).exitCode;
  } finally {
    alive.abort();
    await beating;
  }
}

function watchOf(
  ctx: Context,
  { trust }: PlainOptions,
  say: (message: JobMessage) => Promise<void>,
): ServerWatch {
  const url = variable(ctx, JOB_ENV.url);
  const dial = dialUrl(ctx, url, trust);
  const port = Number(variable(ctx, JOB_ENV.controlPort));
  return farWatch(ctx, { port, say, pinger: pinger({ dial, url, clock: ctx.clock }) });
}

async function readJob(ctx: Context): Promise<JobFile> {
  const folder = variable(ctx, JOB_ENV.folder);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let part = 0;; part++) {
    try {
      parts.push(await ctx.fs.readFile(`${folder}/${part}`));
    } catch (error) {
      if (part > 0 && error instanceof Deno.errors.NotFound) break;
      throw error;
    }
  }
  return decodeJob(await new Blob(parts).bytes());
}

function variable(ctx: Context, name: string): string {
  const value = ctx.env.get(name);
  if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

// A change of the phase is always said.
function throttle(ctx: Context): (phase: string) => boolean {
  let last = { phase: "", at: -Infinity };
  return (phase) => {
    const at = ctx.clock.monotonic();
    if (phase === last.phase && at - last.at < PROGRESS_MS) return false;
    last = { phase, at };
    return true;
  };
}

async function beat(ctx: Context, say: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ctx.clock.sleep(ALIVE_MS, signal).then(say, () => {});
  }
}

/** Writes to standard output, one after the other. */
function printer(): (lines: readonly string[]) => Promise<void> {
  const encoder = new TextEncoder();
  let last: Promise<void> = Promise.resolve();
  return (lines) => {
    const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
    return last = last.then(async () => {
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    });
  };
}

async function main(): Promise<never> {
  const stop = new AbortController();
  const ui = plainUi({
    writeError: (text) => void process.stderr.write(text),
    writeOut: () => {},
    now: () => performance.now(),
    verbose: false,
    color: false,
    width: 80,
  });
  // As the first process of its container it has no other way to be told.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const ctx = denoContext(ui, stop.signal);
  Deno.exit(await runJob(ctx, printer()));
}

if (import.meta.main) await main();
