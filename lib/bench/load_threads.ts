/**
 * A load that one thread could not offer without being its own limit, shared among several: each
 * has every n-th lane and request, at the times that they would have in one. What they record is
 * put together so that all figures are those of one recorder.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { RunEnd } from "./engine.ts";
import {
  type LoadGenerator,
  localGenerator,
  type LocalOptions,
  type Phase,
  type PhaseListener,
  type RecordedRun,
} from "./load_generator.ts";
import type { LoadSpec } from "./load_spec.ts";
import type {
  LoadCommand,
  LoadNews,
  LoadReply,
  LoadState,
  NumberedCommand,
  RanShare,
} from "./load_worker.ts";
import type { BenchProgress } from "./options.ts";
import { unpackRecords } from "./record_batch.ts";
import { Recorder } from "./recorder.ts";
import { countIn } from "./run_state.ts";
import { addPlanned, nothingPlanned } from "./workload.ts";

/** What a load asks of the client. */
export interface LoadDemand {
  /** Requests a second. */
  readonly requestsPerSecond: number;
  /** Events of an answer. */
  readonly events: number;
  /** Most lanes. */
  readonly lanes: number;
  /** Processors of this machine. */
  readonly cores: number;
}

// Processor time (`deno task bench:self` measures it): a request of 64 tokens takes 0.1 ms where
// events come together, up to 0.8 ms where each comes by itself. How much of a core one thread
// may use before its own lateness shows in the figures.
const REQUEST_MS = 0.1;
const EVENT_MS = 0.01;
const MOST_OF_A_CORE = 0.6;
const MOST_THREADS = 16;

/**
 * How many threads of its own a load takes: 0 for one that the thread that asks can offer besides,
 * which costs nothing to start. One processor is left to that thread: on two, with the server on
 * the same machine, one thread manages 9,000 requests of 64 tokens a second, two 8,000.
 */
export function threadsFor({ requestsPerSecond, events, lanes, cores }: LoadDemand): number {
  const share = requestsPerSecond * (REQUEST_MS + events * EVENT_MS) / 1000;
  if (share <= MOST_OF_A_CORE) return 0;
  const wanted = Math.ceil(share / MOST_OF_A_CORE);
  return Math.max(1, Math.min(wanted, cores - 1, lanes, MOST_THREADS));
}

/** Offers a load in so many threads of its own; 0 is this thread. Rejects when one cannot start. */
export async function generatorIn(
  threads: number,
  ctx: Pick<Context, "clock" | "net" | "signal">,
  spec: LoadSpec,
  options: LocalOptions = {},
): Promise<LoadGenerator> {
  return threads > 0
    ? await threadedGenerator(ctx, spec, threads)
    : localGenerator(ctx, spec, options);
}

// Long enough for a message to reach each thread, so that all begin at the same moment.
const START_IN_MS = 20;
const STOP_MS = 2000;

async function threadedGenerator(
  ctx: Pick<Context, "clock" | "signal">,
  spec: LoadSpec,
  count: number,
): Promise<LoadGenerator> {
  const threads = Array.from({ length: count }, () => new Thread());
  const { clock, signal } = ctx;
  const states: LoadState[] = threads.map(() => ({
    lanes: 0,
    dials: 0,
    planned: nothingPlanned(),
  }));
  const told = async (command: (part: number) => LoadCommand): Promise<LoadReply[]> => {
    signal.throwIfAborted();
    const replies = await Promise.all(threads.map((thread, part) => thread.ask(command(part))));
    signal.throwIfAborted();
    replies.forEach(({ state }, part) => states[part] = state);
    return replies;
  };
  const ask = async (command: (part: number) => LoadCommand): Promise<LoadReply[]> => {
    const replies = await told(command);
    for (const { problem } of replies) if (problem !== undefined) throw new Error(problem);
    return replies;
  };
  const stop = () => {
    for (const thread of threads) thread.ask({ kind: "stop" }).catch(() => {});
  };
  const close = async () => {
    signal.removeEventListener("abort", stop);
    const stopped = Promise.allSettled(threads.map((thread) => thread.ask({ kind: "stop" })));
    await Promise.race([stopped, clock.sleep(STOP_MS).catch(() => {})]);
    for (const thread of threads) thread.end();
  };
  signal.addEventListener("abort", stop);
  try {
    await ask((part) => ({ kind: "load", spec, share: { part, of: count } }));
  } catch (error) {
    await close();
    throw error;
  }
  const sum = (of: (state: LoadState) => number) => states.reduce((all, one) => all + of(one), 0);
  return {
    get lanes() {
      return sum((state) => state.lanes);
    },
    get dials() {
      return sum((state) => state.dials);
    },
    get planned() {
      const all = nothingPlanned();
      for (const { planned } of states) addPlanned(all, planned, spec.synthetic.prefixTokens);
      return all;
    },
    async openLanes(lanes) {
      const replies = await told((part) => ({
        kind: "lanes",
        count: countIn({ part, of: count }, lanes),
      }));
      // As in one thread: some connections are enough.
      if (replies.every(({ problem }) => problem !== undefined)) {
        throw new Error(replies[0]!.problem);
      }
    },
    async run(phase, listener) {
      const start = phase.start ?? clock.monotonic() + START_IN_MS;
      listen(threads, phase, listener);
      const replies = await ask(() => ({
        kind: "run",
        phase,
        startAt: performance.timeOrigin + start,
        requests: listener.onRequests !== undefined,
      }));
      return together(phase, start, replies.map(({ ran }) => ran!));
    },
    close,
  };
}

/** One thread. */
class Thread {
  readonly #worker = new Worker(new URL("./load_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, PromiseWithResolvers<LoadReply>>();
  #next = 0;
  onNews: (news: LoadNews) => void = () => {};

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<LoadReply | LoadNews>) => {
      if (data.kind !== "reply") return this.onNews(data);
      this.#waiting.get(data.number)?.resolve(data);
      this.#waiting.delete(data.number);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const waiting of this.#waiting.values()) waiting.reject(new Error(event.message));
      this.#waiting.clear();
    };
  }

  ask(command: LoadCommand): Promise<LoadReply> {
    const reply = Promise.withResolvers<LoadReply>();
    const number = this.#next++;
    this.#waiting.set(number, reply);
    this.#worker.postMessage({ number, command } satisfies NumberedCommand);
    return reply.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

function listen(threads: readonly Thread[], phase: Phase, listener: PhaseListener): void {
  const latest = new Map<Thread, BenchProgress>();
  for (const thread of threads) {
    thread.onNews = (news) => {
      if (news.kind === "requests") return listener.onRequests?.(unpackRecords(news.batch));
      latest.set(thread, news.progress);
      // One report for all of them, once each has said something new.
      if (latest.size < threads.length) return;
      listener.onProgress?.(progressOfAll([...latest.values()], phase));
      latest.clear();
    };
  }
}

function progressOfAll(parts: readonly BenchProgress[], { phase, extent }: Phase): BenchProgress {
  const sum = (of: (part: BenchProgress) => number) => parts.reduce((all, one) => all + of(one), 0);
  const middle = (of: (part: BenchProgress) => number | undefined) => {
    const values = parts.map(of).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : values.reduce((a, b) => a + b) / values.length;
  };
  const failures: Record<string, number> = {};
  for (const part of parts) {
    for (const [kind, count] of Object.entries(part.failures)) {
      failures[kind] = (failures[kind] ?? 0) + (count ?? 0);
    }
  }
  return {
    phase,
    elapsedMs: Math.max(...parts.map((part) => part.elapsedMs)),
    done: sum((part) => part.done),
    total: extent.requests,
    durationMs: extent.durationMs,
    failed: sum((part) => part.failed),
    failures,
    inFlight: sum((part) => part.inFlight),
    eventsPerSecond: sum((part) => part.eventsPerSecond),
    // For the eye: medians of the last answers of each thread, which are alike.
    ttftMs: middle((part) => part.ttftMs),
    tpotMs: middle((part) => part.tpotMs),
    lagMs: Math.max(...parts.map((part) => part.lagMs)),
  };
}

function together(phase: Phase, start: number, shares: readonly RanShare[]): RecordedRun {
  const recorder = new Recorder({
    start,
    phase: phase.phase,
    requests: phase.extent.requests,
    durationMs: phase.extent.durationMs,
  });
  for (const share of shares) recorder.addAll(share.recorder);
  const ends = shares.map((share) => share.end);
  const end: RunEnd = {
    scheduled: ends.reduce((sum, { scheduled }) => sum + scheduled, 0),
    start,
    end: start + Math.max(...ends.map((one) => one.end - one.start)),
    gaveUp: ends.find(({ gaveUp }) => gaveUp !== undefined)?.gaveUp,
  };
  return { recorder, end };
}
