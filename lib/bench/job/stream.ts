/**
 * Follows what the pod of a benchmark says in its log, across broken connections, lines that come
 * twice and lines that are lost.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { interruptedError, messageOf, TaskError, timeoutError } from "../../cli/errors.ts";
import type { Kube, LogOptions } from "../../kube/types.ts";
import type { BenchProgress } from "../options.ts";
import type { RequestRecord } from "../record.ts";
import type { BenchSummary } from "../summary.ts";
import { FrameReader } from "./frames.ts";
import type { JobMessage, PassingMessage, WatchMessage } from "./messages.ts";
import { recordOf } from "./record_rows.ts";

/** Options of {@link followJob}. */
export interface FollowJobOptions {
  /** The pod. */
  readonly pod: { readonly name: string; readonly namespace: string };
  /** Aborted when its container has ended. */
  readonly ended: AbortSignal;
  /** Progress as it comes. */
  readonly onProgress: (progress: BenchProgress) => void;
  /** Measured requests as they come. */
  readonly onRequests: (records: readonly RequestRecord[]) => void;
  /** Where the run is, where the server is watched. */
  readonly onWatch?: ((message: WatchMessage) => void) | undefined;
  /** Milliseconds without a line after which the log is opened anew; 20 s unless given. */
  readonly silenceMs?: number;
  /** Milliseconds without a line after which the run is given up; two minutes unless given. */
  readonly giveUpMs?: number;
}

/** Name of the container. */
const CONTAINER = "client";
const SILENCE_MS = 20_000;
const GIVE_UP_MS = 120_000;
const RETRY_MS = 500;
// A container's last lines may come a moment after its end is known.
const LAST_LINES_MS = 1_000;
const KEPT_LINES = 20;
const TIME = /^(\d{4}-\d\d-\d\dT[\d:]+)(?:\.\d+)?(Z|[+-]\d\d:\d\d) /;

/**
 * Follows until the run is over.
 *
 * @throws {TaskError} what the pod reported, BENCH_JOB_LOST when it ended without a result, BENCH_JOB_SILENT
 * (exit code 4) when nothing more comes, INTERRUPTED.
 */
export async function followJob(
  ctx: Context,
  kube: Pick<Kube, "logs">,
  options: FollowJobOptions,
): Promise<BenchSummary> {
  const stream = new JobStream(ctx, kube, options);
  return await stream.follow();
}

class JobStream {
  readonly #ctx: Context;
  readonly #kube: Pick<Kube, "logs">;
  readonly #options: FollowJobOptions;
  readonly #frames = new FrameReader();
  readonly #others: string[] = [];
  #result: BenchSummary | undefined;
  #since: string | undefined;
  #heardAt: number;
  #problem = "";

  constructor(ctx: Context, kube: Pick<Kube, "logs">, options: FollowJobOptions) {
    this.#ctx = ctx;
    this.#kube = kube;
    this.#options = options;
    this.#heardAt = ctx.clock.monotonic();
  }

  async follow(): Promise<BenchSummary> {
    const ctx = this.#ctx;
    const { ended, giveUpMs = GIVE_UP_MS } = this.#options;
    for (;;) {
      // What was said before the end is read to its last line, then there is nothing more.
      const last = ended.aborted;
      const whole = await this.#read({ follow: !last });
      if (this.#result !== undefined) return this.#finished(this.#result);
      if (ctx.signal.aborted) throw interruptedError();
      if (last && whole) {
        this.#take(this.#frames.skip());
        if (this.#result !== undefined) return this.#finished(this.#result);
        throw this.#lost();
      }
      if (ctx.clock.monotonic() - this.#heardAt > giveUpMs) throw this.#silent(giveUpMs);
      await ctx.clock.sleep(RETRY_MS, ctx.signal).catch(() => {});
    }
  }

  /** Reads the log from the last known line on; false when that broke off. */
  async #read({ follow }: Pick<LogOptions, "follow">): Promise<boolean> {
    const { pod, ended, silenceMs = SILENCE_MS } = this.#options;
    const { clock, signal } = this.#ctx;
    const stop = new AbortController();
    const done = new AbortController();
    const watching = follow ? watch() : Promise.resolve();
    const heard = () => this.#heardAt;
    async function watch() {
      const since = clock.monotonic();
      while (!done.signal.aborted) {
        await clock.sleep(ended.aborted ? LAST_LINES_MS : 100, done.signal).catch(() => {});
        if (ended.aborted || clock.monotonic() - Math.max(since, heard()) > silenceMs) {
          return stop.abort();
        }
      }
    }
    try {
      const lines = this.#kube.logs(pod, {
        container: CONTAINER,
        timestamps: true,
        ...(follow ? { follow } : {}),
        ...(this.#since === undefined ? {} : { sinceTime: this.#since }),
        signal: AbortSignal.any([signal, stop.signal]),
      });
      for await (const line of lines) {
        await this.#line(line);
        if (this.#result !== undefined) break;
      }
      return !stop.signal.aborted;
    } catch (error) {
      if (error instanceof TaskError && error.code === "INTERRUPTED") throw error;
      if (error instanceof ReportedError) throw error.reported;
      this.#problem = messageOf(error);
      this.#ctx.ui.debug(`log of ${pod.name}: ${this.#problem}; opening it anew`);
      return false;
    } finally {
      done.abort();
      await watching;
    }
  }

  async #line(line: string): Promise<void> {
    this.#heardAt = this.#ctx.clock.monotonic();
    const damaged = this.#frames.damaged;
    const numbered = this.#note(line);
    const missing = this.#frames.missing;
    if (missing !== undefined || this.#frames.damaged > damaged) {
      // Once more from before the gap: a connection loses lines, a log seldom does.
      await this.#again();
      if (missing !== undefined && this.#frames.missing === missing) {
        this.#take(this.#frames.skip());
      }
    }
    const time = TIME.exec(line);
    // Up to here nothing is missing: what is opened anew, begins here.
    if (numbered && time !== null) this.#since = `${time[1]}${time[2]}`;
  }

  async #again(): Promise<void> {
    const { pod } = this.#options;
    try {
      const lines = this.#kube.logs(pod, {
        container: CONTAINER,
        timestamps: true,
        ...(this.#since === undefined ? {} : { sinceTime: this.#since }),
        signal: this.#ctx.signal,
      });
      for await (const line of lines) this.#note(line);
    } catch (error) {
      if (error instanceof ReportedError) throw error;
      this.#problem = messageOf(error);
    }
  }

  /** Whether it was one of the lines that must arrive. */
  #note(line: string): boolean {
    const read = this.#frames.read(line.replace(TIME, ""));
    if (read.kind === "messages") this.#take(read.messages);
    else if (read.kind === "passing") {
      const message = read.value as PassingMessage;
      if ("progress" in message) this.#options.onProgress(message.progress);
    } else if (read.line !== "") {
      this.#others.push(read.line.slice(0, 300));
      if (this.#others.length > KEPT_LINES) this.#others.shift();
    }
    return read.kind === "messages";
  }

  #take(messages: readonly unknown[]): void {
    for (const message of messages as JobMessage[]) {
      if (message.kind === "requests") this.#options.onRequests(message.rows.map(recordOf));
      else if (message.kind === "watch") this.#options.onWatch?.(message);
      else if (message.kind === "summary") this.#result = message.summary;
      else throw new ReportedError(new TaskError(message.error));
    }
  }

  #finished(summary: BenchSummary): BenchSummary {
    const { lost } = this.#frames;
    if (lost === 0) return summary;
    const warning = `${lost} lines of the pod's log were lost: requests.jsonl is not complete ` +
      "(the figures are, they were made in the pod)";
    return { ...summary, warnings: [...summary.warnings, warning] };
  }

  #lost(): TaskError {
    const { name, namespace } = this.#options.pod;
    return new TaskError({
      code: "BENCH_JOB_LOST",
      message: `The benchmark's pod ${namespace}/${name} ended without a result`,
      hint: "It may have been evicted, or killed for want of memory.",
      evidence: this.#others,
    });
  }

  #silent(ms: number): TaskError {
    const { name, namespace } = this.#options.pod;
    return timeoutError(
      "BENCH_JOB_SILENT",
      `Nothing was heard of the benchmark's pod ${namespace}/${name} for ${
        Math.round(ms / 1000)
      } s${this.#problem === "" ? "" : `: ${this.#problem}`}`,
      {
        hint: "Its node may be gone, or logs of pods may not be read from here.",
        evidence: this.#others,
      },
    );
  }
}

/** Tells what the pod reported from what broke on the way. */
class ReportedError extends Error {
  readonly reported: TaskError;

  constructor(reported: TaskError) {
    super(reported.message);
    this.reported = reported;
  }
}
