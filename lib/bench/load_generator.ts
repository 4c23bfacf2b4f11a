/**
 * Offers a load and records what comes back: in this thread, or shared among several
 * (`load_threads.ts`).
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { Engine, type RunEnd } from "./engine.ts";
import { type LoadSpec, requestsOf } from "./load_spec.ts";
import type { BenchProgress } from "./options.ts";
import type { RequestRecord } from "./record.ts";
import { Recorder } from "./recorder.ts";
import { hideSecrets } from "./request.ts";
import { type Run, type Share, WHOLE } from "./run_state.ts";
import { type Dial, dialUrl } from "./transport.ts";
import type { Planned } from "./workload.ts";

/** One phase of a benchmark: plain data. */
export interface Phase extends Omit<Run, "observer" | "share"> {
  /** What is going on. */
  readonly phase: BenchProgress["phase"];
}

/** Who hears of a phase. */
export interface PhaseListener {
  /** Called a few times a second. */
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
  /** Called with requests as they end. */
  readonly onRequests?: ((records: readonly RequestRecord[]) => void) | undefined;
}

/** What came of a phase. */
export interface RecordedRun {
  /** What was recorded. */
  readonly recorder: Recorder;
  /** How it ended. */
  readonly end: RunEnd;
}

/** Offers a load. */
export interface LoadGenerator {
  /** Lanes that are there. */
  readonly lanes: number;
  /** Connections opened so far. */
  readonly dials: number;
  /** What was planned of the requests that were made, the warm-up's apart. */
  readonly planned: Planned;
  /**
   * Brings the number of lanes to `count`, all connected.
   *
   * @throws {Error} what the system says, when not even one could be connected.
   */
  openLanes(count: number): Promise<void>;
  /** Runs a phase. Rejects when it is interrupted. */
  run(phase: Phase, listener: PhaseListener): Promise<RecordedRun>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** How a load is offered in this thread. */
export interface LocalOptions {
  /** Opens connections in place of dialing the load's URL. */
  readonly dial?: Dial | undefined;
  /** The part that is offered here; all of it unless given. */
  readonly share?: Share | undefined;
}

/** Offers a load in this thread. */
export function localGenerator(
  ctx: Pick<Context, "clock" | "net" | "signal">,
  spec: LoadSpec,
  { dial, share = WHOLE }: LocalOptions = {},
): LoadGenerator {
  const { clock, signal } = ctx;
  const { target, trust, shape, limits } = spec;
  const { request, planned } = requestsOf(spec);
  const engine = new Engine({
    ...limits,
    dial: dial ?? dialUrl(ctx, target.url, trust),
    clock,
    signal,
    stream: shape.stream,
    request,
    laneNumbers: share,
  });
  return {
    planned,
    get lanes() {
      return engine.lanes;
    },
    get dials() {
      return engine.dials;
    },
    openLanes: (count) => engine.openLanes(count),
    async run(phase, { onProgress, onRequests }) {
      const start = phase.start ?? clock.monotonic();
      const recorder = new Recorder({
        start,
        phase: phase.phase,
        requests: phase.extent.requests,
        durationMs: phase.extent.durationMs,
        onProgress,
        onRequests,
        hideSecrets: (message) => hideSecrets(message, target),
      });
      recorder.onTick(start);
      try {
        return { recorder, end: await engine.run({ ...phase, start, share, observer: recorder }) };
      } finally {
        recorder.flush();
      }
    },
    close: () => Promise.resolve(engine.close()),
  };
}
