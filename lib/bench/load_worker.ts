/**
 * A thread that offers its share of a load. It takes one command after the other; `stop` may come
 * at any time.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { messageOf } from "../cli/errors.ts";
import type { RunEnd } from "./engine.ts";
import { type LoadGenerator, localGenerator, type Phase } from "./load_generator.ts";
import type { LoadSpec } from "./load_spec.ts";
import type { BenchProgress } from "./options.ts";
import { packRecords, type RecordBatch } from "./record_batch.ts";
import type { RecorderData } from "./recorder.ts";
import type { Share } from "./run_state.ts";
import { workerContext } from "./worker_context.ts";
import { nothingPlanned, type Planned } from "./workload.ts";

/** What the thread is told. */
export type LoadCommand =
  | { readonly kind: "load"; readonly spec: LoadSpec; readonly share: Share }
  | { readonly kind: "lanes"; readonly count: number }
  | {
    readonly kind: "run";
    readonly phase: Phase;
    /** When it begins, in milliseconds since 1970: clocks of threads begin at different times. */
    readonly startAt: number;
    /** Whether requests are wanted one by one. */
    readonly requests: boolean;
  }
  | { readonly kind: "stop" };

/** A command whose answer has the same number. */
export interface NumberedCommand {
  /** The number. */
  readonly number: number;
  /** The command. */
  readonly command: LoadCommand;
}

/** What it answers to a command. */
export interface LoadReply {
  /** Apart from news. */
  readonly kind: "reply";
  /** Number of the command. */
  readonly number: number;
  /** Where it stands afterwards. */
  readonly state: LoadState;
  /** What it ran. */
  readonly ran?: RanShare | undefined;
  /** What went wrong. */
  readonly problem?: string | undefined;
}

/** What it says meanwhile. */
export type LoadNews =
  | { readonly kind: "progress"; readonly progress: BenchProgress }
  | { readonly kind: "requests"; readonly batch: RecordBatch };

/** Where the thread stands. */
export interface LoadState {
  /** Its lanes. */
  readonly lanes: number;
  /** Connections that it opened. */
  readonly dials: number;
  /** What was planned of the requests that it made. */
  readonly planned: Planned;
}

/** A share that was run. */
export interface RanShare {
  /** What was recorded. */
  readonly recorder: RecorderData;
  /** How it ended. */
  readonly end: RunEnd;
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) listen();

function listen(): void {
  const stop = new AbortController();
  const ctx = workerContext(stop.signal);
  let generator: LoadGenerator | undefined;
  const tell = (news: LoadNews) => self.postMessage(news);
  const obey = async (command: LoadCommand): Promise<RanShare | undefined> => {
    if (command.kind === "stop") {
      stop.abort();
      await generator?.close();
    } else if (command.kind === "load") {
      generator = localGenerator(ctx, command.spec, { share: command.share });
    } else if (command.kind === "lanes") await generator!.openLanes(command.count);
    else {
      const start = command.startAt - performance.timeOrigin;
      const { recorder, end } = await generator!.run({ ...command.phase, start }, {
        onProgress: (progress) => tell({ kind: "progress", progress }),
        onRequests: command.requests
          ? (records) => {
            const batch = packRecords(records);
            self.postMessage({ kind: "requests", batch }, [batch.numbers.buffer]);
          }
          : undefined,
      });
      return { recorder: recorder.data(), end };
    }
    return undefined;
  };
  self.onmessage = async ({ data: { number, command } }: MessageEvent<NumberedCommand>) => {
    let ran: RanShare | undefined, problem: string | undefined;
    try {
      ran = await obey(command);
    } catch (error) {
      problem = messageOf(error);
    }
    const { lanes = 0, dials = 0, planned = nothingPlanned() } = generator ?? {};
    const state: LoadState = { lanes, dials, planned };
    self.postMessage({ kind: "reply", number, state, ran, problem } satisfies LoadReply);
  };
}
