/**
 * Collects what an engine reports into distributions, counts and a timeline.
 *
 * @module
 */
import type { BenchProgress } from "./options.ts";
import { type FailureKind, type RequestRecord, timePerToken, tokensOf } from "./record.ts";
import type { RunObserver } from "./run_state.ts";
import { Samples, type SamplesData } from "./samples.ts";
import { Timeline, type TimelineData } from "./timeline.ts";

/** Failures of one kind. */
export interface FailureCount {
  /** How many. */
  count: number;
  /** What was said about the first of them. */
  readonly message: string;
  /** When the first of them ended, milliseconds from the start. */
  readonly at: number;
}

/** Names of a recorder's distributions. */
export type SampleName =
  | "ttft"
  | "ttftService"
  | "tpot"
  | "icl"
  | "e2e"
  | "e2eService"
  | "loopLag"
  | "sendLag"
  | "inputTokens"
  | "outputTokens";
/** Names of a recorder's counts. */
export type SumName = "completed" | "failed" | "resent" | "uncounted" | "events";

const SAMPLES: readonly SampleName[] = [
  "ttft",
  "ttftService",
  "tpot",
  "icl",
  "e2e",
  "e2eService",
  "loopLag",
  "sendLag",
  "inputTokens",
  "outputTokens",
];
const SUMS: readonly SumName[] = ["completed", "failed", "resent", "uncounted", "events"];

/** What a {@link Recorder} holds, as plain data for another thread. */
export interface RecorderData {
  /** Distributions by name. */
  readonly samples: Readonly<Record<SampleName, SamplesData>>;
  /** Counts by name. */
  readonly sums: Readonly<Record<SumName, number>>;
  /** See the recorder. */
  readonly failures: ReadonlyMap<FailureKind, FailureCount>;
  /** See the recorder. */
  readonly timeline: TimelineData;
  /** See the recorder. */
  readonly cachedTokens: number | undefined;
  /** See the recorder. */
  readonly lastEnd: number;
  /** See the recorder. */
  readonly firstDue: number;
  /** See the recorder. */
  readonly lastDue: number;
}

/** Where a recorder reports to. */
export interface RecorderOptions {
  /** Start of the run on the monotonic clock. */
  readonly start: number;
  /** What is going on. */
  readonly phase: BenchProgress["phase"];
  /** Requests of the run, where that is its end. */
  readonly requests: number | undefined;
  /** Milliseconds of the run, where that is its end. */
  readonly durationMs: number | undefined;
  /** Takes secrets out of a failure's message; as it is unless given. */
  readonly hideSecrets?: ((message: string) => string) | undefined;
  /** Called a few times a second. */
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
  /** Called with requests as they end. */
  readonly onRequests?: ((records: readonly RequestRecord[]) => void) | undefined;
}

// Requests handed on at once: whoever writes them as JSON holds the lanes up meanwhile, a few
// microseconds each.
const BATCH = 16;
const RECENT = 256;

/** Observes one run. */
export class Recorder implements RunObserver {
  /** First output after due, milliseconds. */
  readonly ttft: Samples = new Samples();
  /** First output after sent, milliseconds. */
  readonly ttftService: Samples = new Samples();
  /** Time per token after the first event, milliseconds. */
  readonly tpot: Samples = new Samples();
  /** Gaps between events of a request, milliseconds. */
  readonly icl: Samples = new Samples();
  /** Last output after due, milliseconds. */
  readonly e2e: Samples = new Samples();
  /** Last output after sent, milliseconds. */
  readonly e2eService: Samples = new Samples();
  /** Lateness of the event loop, milliseconds. */
  readonly loopLag: Samples = new Samples();
  /** Sent after due, milliseconds. */
  readonly sendLag: Samples = new Samples();
  /** Tokens of prompts. */
  readonly inputTokens: Samples = new Samples();
  /** Tokens of answers. */
  readonly outputTokens: Samples = new Samples();
  /** Failures by kind. */
  readonly failures: Map<FailureKind, FailureCount> = new Map();
  /** What happened when. */
  readonly timeline: Timeline = new Timeline();
  /** Requests that ended well. */
  completed: number = 0;
  /** Requests that failed. */
  failed: number = 0;
  /** Requests sent again over a new connection. */
  resent: number = 0;
  /** Requests that ended well without a count from the server. */
  uncounted: number = 0;
  /** Events with output of requests that ended well. */
  events: number = 0;
  /** Prompt tokens from a cache; undefined where no server said. */
  cachedTokens: number | undefined;
  /** End of the last request, milliseconds from the start. */
  lastEnd: number = 0;
  /** When the first request was due, milliseconds from the start. */
  firstDue: number = Infinity;
  /** When the last request was due, milliseconds from the start. */
  lastDue: number = -Infinity;

  readonly #options: RecorderOptions;
  #batch: RequestRecord[] = [];
  #allEvents = 0;
  #reportedAt: number;
  #reportedEvents = 0;
  // For displays: a median over all of them would have to sort them each time.
  readonly #recentTtft = new Recent();
  readonly #recentTpot = new Recent();
  #worstLag = 0;

  /** A recorder of one run. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#reportedAt = options.start;
  }

  /** Part of {@link RunObserver}. */
  onInFlight(at: number, by: number): void {
    this.timeline.addInFlight(at - this.#options.start, by);
  }

  /** Part of {@link RunObserver}. */
  onOutput(at: number, gap: number): void {
    this.#allEvents++;
    this.timeline.addEvents(at - this.#options.start, 1);
    if (gap === gap) this.icl.add(gap);
  }

  /** Part of {@link RunObserver}. */
  onLag(ms: number): void {
    this.loopLag.add(ms);
    this.#worstLag = Math.max(this.#worstLag, ms);
  }

  /** Part of {@link RunObserver}. */
  onRecord(record: RequestRecord): void {
    const { start } = this.#options;
    record.scheduled -= start;
    record.sent -= start;
    record.first -= start;
    record.last -= start;
    record.ended -= start;
    this.timeline.addEnd(record.ended, record.failure !== undefined);
    this.firstDue = Math.min(this.firstDue, record.scheduled);
    this.lastDue = Math.max(this.lastDue, record.scheduled);
    this.lastEnd = Math.max(this.lastEnd, record.ended);
    this.sendLag.add(record.sent - record.scheduled);
    if (record.resent) this.resent++;
    if (record.failure === undefined) this.#addGood(record);
    else {
      record.message = this.#options.hideSecrets?.(record.message) ?? record.message;
      this.#addFailure(record.failure, record.message, record.ended);
    }
    if (this.#options.onRequests === undefined) return;
    this.#batch.push(record);
    if (this.#batch.length >= BATCH) this.flush();
  }

  #addGood(record: RequestRecord): void {
    this.completed++;
    this.events += record.events;
    if (Number.isNaN(record.outputTokens)) this.uncounted++;
    this.ttft.add(record.first - record.scheduled);
    this.#recentTtft.add(record.first - record.scheduled);
    this.ttftService.add(record.first - record.sent);
    const perToken = timePerToken(record);
    this.tpot.add(perToken);
    this.#recentTpot.add(perToken);
    this.e2e.add(record.last - record.scheduled);
    this.e2eService.add(record.last - record.sent);
    this.outputTokens.add(tokensOf(record));
    this.inputTokens.add(record.inputTokens);
    if (record.cachedTokens >= 0) {
      this.cachedTokens = (this.cachedTokens ?? 0) + record.cachedTokens;
    }
  }

  #addFailure(kind: FailureKind, message: string, at: number): void {
    this.failed++;
    const known = this.failures.get(kind);
    if (known === undefined) this.failures.set(kind, { count: 1, message, at });
    else known.count++;
  }

  /** All that was recorded. */
  data(): RecorderData {
    const pick = <K extends string, V>(names: readonly K[], of: (name: K) => V) =>
      Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, V>;
    return {
      samples: pick(SAMPLES, (name) => this[name].data()),
      sums: pick(SUMS, (name) => this[name]),
      failures: this.failures,
      timeline: this.timeline.data(),
      cachedTokens: this.cachedTokens,
      lastEnd: this.lastEnd,
      firstDue: this.firstDue,
      lastDue: this.lastDue,
    };
  }

  /** Adds what another one recorded of the same run: as if all had been recorded here. */
  addAll(data: RecorderData): void {
    for (const name of SAMPLES) this[name].addAll(data.samples[name]);
    for (const name of SUMS) this[name] += data.sums[name];
    for (const [kind, failure] of data.failures) {
      const known = this.failures.get(kind);
      const first = known === undefined || failure.at < known.at ? failure : known;
      this.failures.set(kind, { ...first, count: failure.count + (known?.count ?? 0) });
    }
    this.timeline.addAll(data.timeline);
    if (data.cachedTokens !== undefined) {
      this.cachedTokens = (this.cachedTokens ?? 0) + data.cachedTokens;
    }
    this.lastEnd = Math.max(this.lastEnd, data.lastEnd);
    this.firstDue = Math.min(this.firstDue, data.firstDue);
    this.lastDue = Math.max(this.lastDue, data.lastDue);
  }

  /** Hands on the requests that wait for a full batch. */
  flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.#options.onRequests?.(batch);
  }

  /** Part of {@link RunObserver}. */
  onTick(now: number): void {
    const { start, phase, requests, durationMs, onProgress } = this.#options;
    this.timeline.advance(now - start);
    if (onProgress === undefined) return;
    const seconds = (now - this.#reportedAt) / 1000;
    onProgress({
      phase,
      elapsedMs: now - start,
      done: this.completed + this.failed,
      total: requests,
      durationMs,
      failed: this.failed,
      failures: Object.fromEntries([...this.failures].map(([kind, { count }]) => [kind, count])),
      inFlight: this.timeline.inFlight,
      eventsPerSecond: seconds > 0 ? (this.#allEvents - this.#reportedEvents) / seconds : 0,
      ttftMs: this.#recentTtft.median(),
      tpotMs: this.#recentTpot.median(),
      lagMs: this.#worstLag,
    });
    this.#worstLag = 0;
    this.#reportedAt = now;
    this.#reportedEvents = this.#allEvents;
  }
}

/** The last values of a measure. */
class Recent {
  readonly #values = new Float64Array(RECENT);
  #count = 0;

  /** NaN is left out. */
  add(value: number): void {
    if (!Number.isNaN(value)) this.#values[this.#count++ % RECENT] = value;
  }

  median(): number | undefined {
    const values = this.#values.slice(0, Math.min(RECENT, this.#count)).sort();
    return values[values.length >> 1];
  }
}
